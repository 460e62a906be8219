import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, vi } from 'vitest';
import { sendHttp } from '../harness/outside.ts';
import { attackPage } from './scene.ts';

describe.concurrent('what comes to the page by the thousand', () => {
  attackPage('a thousand guessed addresses', async (page) => {
    for (let guess = 0; guess < 1_000; guess++) {
      const address = `${page.origin}/${guess % 2 === 0 ? 'q' : 'open'}/${String(guess).padStart(32, 'A')}`;
      expect((await sendHttp(address)).status).toBe(404);
    }
  });

  for (const [what, bytes] of [
    ['say nothing', ''],
    ['stop in their headers', 'GET / HTTP/1.1\r\nHost: '],
    ['send the beginning of an answer', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\na'],
  ] as const) {
    attackPage(`a thousand connections that ${what}`, async (page) => {
      const { port } = new URL(page.origin);
      const sockets = Array.from({ length: 1_000 }, () =>
        connect(Number(port), '127.0.0.1').on('error', () => undefined),
      );
      for (const socket of sockets) socket.resume().write(bytes);
      await Promise.all(sockets.map((socket) => once(socket, 'connect').catch(() => undefined)));
      expect((await page.post({ decision: 'neither' })).status).toBe(200);
      await vi.waitFor(() => expect(sockets.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(64), 15_000);
      for (const socket of sockets) socket.destroy();
    });
  }

  attackPage('a connection that never ends its headers', async (page) => {
    const socket = connect(Number(new URL(page.origin).port), '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: ');
    socket.resume();
    await once(socket, 'close');
  });
});

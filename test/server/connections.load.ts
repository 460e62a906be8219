import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { startOnLoopback } from '../harness/http.ts';
import { callTool } from '../harness/team.ts';

describe.concurrent('connections that only cost', () => {
  const openSockets = (port: number, count: number) =>
    Promise.all(
      Array.from({ length: count }, async () => {
        const socket = connectTcp(port, '127.0.0.1');
        socket.on('error', () => undefined);
        await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
        return socket.resume();
      }),
    );
  /** How many sockets the server has: a client may believe that it is connected while it waits in the queue of the system. */
  const countSockets = ({ pid = 0 }: ChildProcess) =>
    readdirSync(`/proc/${pid}/fd`).filter((fd) => isSocket(`/proc/${pid}/fd/${fd}`)).length;
  const isSocket = (path: string) => {
    try {
      return readlinkSync(path).startsWith('socket:');
    } catch {
      return false;
    }
  };
  const readMemoryMb = (pid = 0) =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

  const waitUntil = (isOver: () => boolean) =>
    vi.waitFor(() => expect(isOver()).toBe(true), { timeout: 45_000, interval: 200 });

  /** Two hundred sockets that begin like this, and then write a letter every half second until that is stopped. */
  async function drip(port: number, beginning: string) {
    const sockets = await openSockets(port, 200);
    for (const socket of sockets) socket.write(beginning);
    const timer = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write(' ');
    }, 500);
    return () => clearInterval(timer);
  }

  test.each([
    ['a header', () => 'POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Slow: '],
    [
      'a body',
      (token: string) =>
        `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{`,
    ],
  ])(
    'two hundred that write %s letter by letter are ended, while another is served',
    async (_, begin) => {
      const { port, post, token, child } = await startOnLoopback();
      const before = countSockets(child);
      const stop = await drip(port, begin(token));
      await waitUntil(() => countSockets(child) === before + 200);
      expect((await post(callTool('list_sensors', { limit: 1 }))).status).toBe(200);
      // Its own client keeps one.
      await waitUntil(() => countSockets(child) <= before + 1);
      stop();
    },
    60_000,
  );

  test('three thousand that say nothing leave room for others and cost little; beyond 4,000 they are turned away; all are ended', async () => {
    const { port, post, child } = await startOnLoopback();
    await post(callTool('list_sensors', { limit: 1 }));
    const [socketsBefore, memoryBefore] = [countSockets(child), readMemoryMb(child.pid)];
    const sockets = await openSockets(port, 3_000);
    const { status } = await post(callTool('list_sensors', { limit: 1 }));
    expect([status, readMemoryMb(child.pid) - memoryBefore < 100]).toEqual([200, true]);
    sockets.push(...(await openSockets(port, 3_000)));
    expect(countSockets(child)).toBeLessThanOrEqual(4_000 + socketsBefore);
    await waitUntil(() => countSockets(child) <= socketsBefore);
    expect((await post(callTool('list_sensors', { limit: 1 }))).status).toBe(200);
    for (const socket of sockets) socket.destroy();
  }, 120_000);
});

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { startOnLoopback } from '../harness/http.ts';
import { callTool } from '../harness/team.ts';

const readKind = (line: string): unknown => JSON.parse(line).kind;

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
    vi.waitFor(() => expect(isOver()).toBe(true), { timeout: 90_000, interval: 200 });

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

  // Node raises its limit of open files to what the system allows, here and in the server.
  test('of ten thousand 3,000 leave room for others and cost little, and 4,000 are all there are; all are ended, and nothing was asked for', async () => {
    const auditLog = await mkdtemp(join(tmpdir(), 'audit-'));
    const { port, post, child } = await startOnLoopback(`--audit-log ${auditLog}`);
    const read = async () => (await post(callTool('list_sensors', { limit: 1 }))).status;
    expect(await read()).toBe(200);
    const [socketsBefore, memoryBefore] = [countSockets(child), readMemoryMb(child.pid)];
    const sockets = await openSockets(port, 3_000);
    expect([await read(), readMemoryMb(child.pid) - memoryBefore < 100]).toEqual([200, true]);
    for (let opened = 3_000; opened < 10_000; opened += 1_000) {
      sockets.push(...(await openSockets(port, 1_000)));
      expect(countSockets(child)).toBeLessThanOrEqual(4_000 + socketsBefore);
    }
    expect(sockets).toHaveLength(10_000);
    // Who is connected already is served.
    expect(await read()).toBe(200);
    const body = JSON.stringify(callTool('regenerate_deployment_access_key'));
    const request = `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    // A third says nothing, a third stops in its headers, and a third asks without a token.
    for (const [index, socket] of sockets.entries())
      if (socket.writable) socket.write(['', request.slice(0, 40), request + body][index % 3] ?? '');
    await waitUntil(() => countSockets(child) <= socketsBefore);
    expect(await read()).toBe(200);
    const [file = ''] = await readdir(auditLog);
    const kinds = (await readFile(join(auditLog, file), 'utf8')).split('\n').filter(Boolean).map(readKind);
    expect([...new Set(kinds)]).toEqual(['start']);
    for (const socket of sockets) socket.destroy();
  }, 180_000);
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { findFreePort } from '../entra/loopback.ts';

const running: ChildProcess[] = [];
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts `mdi-sensors-mcp http`; resolves once it listens or has ended. */
export async function startHttp(line: string, environment: Readonly<Record<string, string>> = {}) {
  const home = await mkdtemp(join(tmpdir(), 'http-'));
  const child = spawn(process.execPath, ['dist/main.js', 'http', ...line.split(' ').filter(Boolean)], {
    env: { PATH: process.env.PATH, HOME: home, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const exited = once(child, 'exit').then(([code]) => Number(code));
  let isOver = false;
  exited.then(() => {
    isOver = true;
  });
  while (!isOver && !stderr.includes('Listening on')) await new Promise((resolve) => setTimeout(resolve, 20));
  return { child, exited, stderr: () => stderr };
}

/** On loopback without Entra, with the token that it printed. */
export async function startOnLoopback(line = '') {
  const port = await findFreePort();
  const server = await startHttp(`--simulate --port ${port} ${line}`);
  const [, token = ''] = /bearer token: (\S+)$/m.exec(server.stderr()) ?? [];
  const url = `http://127.0.0.1:${port}/mcp`;
  const post = async (
    body: object,
    headers: Readonly<Record<string, string>> = { Authorization: `Bearer ${token}` },
  ) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, text: await response.text() };
  };
  return { ...server, port, token, url, post };
}

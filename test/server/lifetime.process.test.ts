import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { verifyFolder } from '../../src/audit/verify.ts';
import { ask } from '../approval/attacker.ts';
import { readingMs } from '../harness/clients.ts';
import { connectRaw, type RawProcess } from '../harness/raw.ts';
import { prepareServerProcess } from '../harness/server.ts';
import { tell } from '../harness/tables.ts';
import { tools } from '../harness/tools.ts';

/** A desktop whose launcher of a browser, and whose `az`, stay until they are ended; and what is left on it. */
function createDesktop() {
  const folder = mkdtempSync(join(tmpdir(), 'lifetime-'));
  const [home, temporary, programs] = [join(folder, 'home'), join(folder, 'tmp'), join(folder, 'bin')];
  for (const path of [home, temporary, programs]) mkdirSync(path);
  const note = (name: string) => join(folder, `${name}.pids`);
  const install = (name: string, script: string) =>
    writeFileSync(join(programs, name), `#!/bin/sh\necho $$ >> ${note(name)}\n${script}\nwait\n`, { mode: 0o755 });
  install('xdg-open', `sleep 60 &\necho $! >> ${note('browser')}`);
  install('az', `sleep 60 &\necho $! >> ${note('az')}`);
  const list = (path: string) => (existsSync(path) ? readdirSync(path) : []);
  const running = (name: string) =>
    existsSync(note(name)) ? readFileSync(note(name), 'utf8').trim().split('\n').map(Number).filter(isRunning) : [];
  return {
    env: {
      HOME: home,
      XDG_STATE_HOME: join(home, 'state'),
      TMPDIR: temporary,
      DISPLAY: ':9',
      PATH: `${programs}:${process.env.PATH}`,
    },
    running,
    look: () => ({
      files: list(temporary).filter((name) => name.startsWith('mdi-sensors-mcp-')).length,
      sockets: list(join(home, '.mdi-sensors-mcp')).length,
      programs: running('xdg-open').length + running('az').length,
    }),
    end() {
      for (const pid of [...running('browser'), ...running('xdg-open')]) process.kill(pid, 'SIGKILL');
    },
  };
}

/** Whether there is a process of this id that has not ended. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const byPage = { command: process.execPath, args: ['dist/main.js', '--simulate', '--approval', 'page'] };
const byAzureCli = { command: process.execPath, args: ['dist/main.js', '--auth', 'azure-cli'] };

/** A server of this desktop with a question in a browser's window and at the terminal. */
async function startAsking({ env, look, running }: ReturnType<typeof createDesktop>): Promise<RawProcess> {
  const flaw = "process.on('SIGUSR2', () => { throw new Error('a defect'); })";
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(flaw)}`;
  const raw = await connectRaw('legacy', { ...byPage, env: { ...env, NODE_OPTIONS } });
  raw.call('get_deployment_access_key', {}).catch(() => undefined);
  await vi.waitFor(() => expect(running('xdg-open')).toHaveLength(1), 20_000);
  await vi.waitFor(() => expect(running('browser')).toHaveLength(1), 20_000);
  await vi.waitFor(() => expect(look()).toMatchObject({ files: 1, sockets: 2 }), 20_000);
  return raw;
}

const nothing = { files: 0, sockets: 0, programs: 0 };
const ends: [string, (raw: RawProcess) => unknown, object][] = [
  ['the end of stdin', ({ child }) => child.stdin.end(), nothing],
  ['SIGTERM', ({ child }) => child.kill('SIGTERM'), nothing],
  ['SIGINT', ({ child }) => child.kill('SIGINT'), nothing],
  ['SIGHUP', ({ child }) => child.kill('SIGHUP'), nothing],
  [
    'three signals at once',
    ({ child }) => ['SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => process.kill(child.pid ?? 0, name)),
    nothing,
  ],
  [
    'a stdout that nobody reads',
    (raw) => {
      raw.child.stdout.destroy();
      raw.send({ jsonrpc: '2.0', id: -1, method: 'ping' });
    },
    nothing,
  ],
  ['a defect', ({ child }) => child.kill('SIGUSR2'), nothing],
  ['kill -9', ({ child }) => child.kill('SIGKILL'), { files: 1, sockets: 2, programs: 1 }],
];
const headings = ['a server with a question, ended by', 'files', 'sockets', 'programs', 'after the next one'];

describe.concurrent('a server whose question is on the page and at the terminal, ended by', () => {
  for (const [end, endServer, expected] of ends) {
    test(end, async (context) => {
      const desktop = createDesktop();
      const raw = await startAsking(desktop);
      const ended = once(raw.child, 'exit', { signal: AbortSignal.timeout(10_000) });
      endServer(raw);
      await ended;
      const left = desktop.look();
      // The person's browser is theirs.
      expect(desktop.running('browser')).toHaveLength(1);
      desktop.end();
      if (expected !== nothing) await (await startAsking(desktop)).close();
      const last = desktop.look();
      tell(context, headings, [end, ...Object.values(left).map(String), Object.values(last).join(', ')]);
      expect(left).toEqual(expected);
      expect(last).toEqual(nothing);
      desktop.end();
    });
  }
});

test.concurrent.each(['the end of stdin', 'SIGTERM'])('%s ends `az` that hangs, with what it started', async (end) => {
  const desktop = createDesktop();
  const raw = await connectRaw('legacy', { ...byAzureCli, env: desktop.env });
  raw.call('list_sensors', {}).catch(() => undefined);
  await vi.waitFor(() => expect(desktop.running('az')).toHaveLength(2), 20_000);
  const ended = once(raw.child, 'exit', { signal: AbortSignal.timeout(5_000) });
  if (end === 'SIGTERM') raw.child.kill(end);
  else raw.child.stdin.end();
  await ended;
  await vi.waitFor(() => expect(desktop.running('az')).toEqual([]), 2_000);
});

test('a host that closes stderr ends nothing', async () => {
  const args = [...byPage.args, '--log-level', 'trace', '--no-browser'];
  const raw = await connectRaw('legacy', { ...byPage, args, env: createDesktop().env });
  raw.child.stderr.destroy();
  raw.call('get_deployment_access_key', {}).catch(() => undefined);
  await wait(1_000);
  expect(await raw.request('ping', {})).toMatchObject({ result: {} });
  await raw.close();
});

describe.concurrent('an act that is under way when its host ends the server', () => {
  /** A server in the middle of a deletion that takes so long, and the kinds of its audit records. */
  async function startActing(milliseconds: number) {
    const server = await prepareServerProcess();
    const raw = await connectRaw('legacy', server);
    const question = await ask('legacy', raw, 'delete_sensor', tools.delete_sensor.args);
    await server.tell({ do: 'fault', method: 'DELETE', path: 'sensors', milliseconds });
    await server.pass(readingMs);
    question.answer('accept', { typed: question.typed }).catch(() => undefined);
    const kinds = () => verifyFolder(server.auditLog).flatMap(({ records }) => records.map(({ kind }) => kind));
    await vi.waitFor(() => expect(kinds()).toContain('acting'), 10_000);
    return { server, raw, kinds };
  }

  test('has a moment to tell its outcome', async () => {
    const { server, raw, kinds } = await startActing(500);
    await raw.close();
    expect(kinds()).toEqual(['start', 'question', 'answer', 'acting', 'outcome']);
    await server.end();
  });

  test('stays open in the audit log where that is not enough, and a second signal does not wait for it', async () => {
    const { server, raw, kinds } = await startActing(20_000);
    const ended = once(raw.child, 'exit', { signal: AbortSignal.timeout(1_200) });
    raw.child.kill('SIGTERM');
    await wait(100);
    raw.child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(kinds()).toEqual(['start', 'question', 'answer', 'acting']);
    expect(verifyFolder(server.auditLog).flatMap(({ problems }) => problems)).toEqual([]);
    await server.end();
  });
});

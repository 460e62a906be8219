import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { attack } from '../harness/attacks.ts';
import { connect } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { findSocket } from '../harness/outside.ts';
import { playSceneOfProcess } from './scene.ts';

const atTerminal = { approval: 'terminal' } as const;
const typed = 'DC07.contoso.com';

/** `mdi-sensors-mcp approve` in a login shell of the same user. */
async function approve(home: string, args: readonly string[] = [], more: Record<string, string> = {}) {
  const env = { PATH: process.env.PATH, HOME: home, TERM: 'xterm', XDG_RUNTIME_DIR: '/run/user/1000', ...more };
  const child = spawn(process.execPath, ['dist/main.js', 'approve', ...args], { env, stdio: 'pipe' });
  let [out, errors] = ['', ''];
  child.stdout.on('data', (data) => {
    out += data;
  });
  child.stderr.on('data', (data) => {
    errors += data;
  });
  const [status] = await once(child, 'close');
  return { status, out, errors };
}
const listed = (home: string) => approve(home, ['--list']);
const theQuestion = 'SIMULATED "Contoso": Delete sensor DC07.contoso.com (10 minutes left)\n';

/** The same on a terminal of its own, at which a person types a line. */
async function atOwnTerminal(home: string, line: string, more: Record<string, string> = {}) {
  const env = { PATH: process.env.PATH, HOME: home, TERM: 'xterm', ...more };
  const command = `${process.execPath} dist/main.js approve`;
  const child = spawn('script', ['-qec', command, '/dev/null'], { env, stdio: 'pipe' });
  let out = '';
  child.stdout.on('data', (data) => {
    out += data;
    if (/leaves it open > \S*$/.test(out)) child.stdin.write(`${line}\n`);
  });
  const [status] = await once(child, 'close');
  return { status, out };
}

describe.concurrent('the terminal socket', () => {
  attack('the socket opened by another user', { on: 'v2 legacy', channel: 'terminal' }, () =>
    playSceneOfProcess(atTerminal, async ({ server: { home }, call }) => {
      await call();
      const path = findSocket(home);
      expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
      expect((statSync(dirname(path)).mode & 0o777).toString(8)).toBe('700');
      if (process.getuid?.() !== 0) return;
      const script = `require('net').connect(${JSON.stringify(path)}).on('connect',()=>process.exit(0)).on('error',(e)=>{console.log(e.code);process.exit(9)})`;
      const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '-e', script];
      const { status, stdout } = spawnSync('setpriv', asNobody, { encoding: 'utf8', timeout: 10_000 });
      expect({ status, stdout }).toEqual({ status: 9, stdout: 'EACCES\n' });
    }),
  );

  attack('a home folder too long for a socket', { on: 'v2 legacy', channel: 'terminal' }, async () => {
    const outer = mkdtempSync(join(tmpdir(), 'long-'));
    const HOME = join(outer, 'x'.repeat(100));
    mkdirSync(HOME);
    return playSceneOfProcess({ ...atTerminal, env: { HOME } }, async ({ call, client }) => {
      expect(await call()).toMatch(
        /^approval_unavailable: This needs a human approval, and the way to the terminal could not be opened \(its socket would have a path of over 103 bytes\)\. Nothing was changed\. .*--approval page/,
      );
      const left = readdirSync(outer, { recursive: true, withFileTypes: true }).filter((entry) => entry.isSocket());
      expect(left).toEqual([]);
      await vi.waitFor(() => expect(client.stderr()).toContain('The terminal for approvals could not be opened'));
    });
  });

  attack('the pipe of Windows, by a name that can be known', { on: 'v2 legacy', channel: 'terminal' }, async () => {
    const asWindows = "Object.defineProperty(process, 'platform', { value: 'win32' })";
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(asWindows)}`;
    return playSceneOfProcess({ ...atTerminal, env: { NODE_OPTIONS } }, async ({ server: { home }, client, call }) => {
      await call();
      const folder = join(home, '.mdi-sensors-mcp');
      const [note = '', ...others] = readdirSync(folder);
      expect(others).toEqual([]);
      expect((statSync(join(folder, note)).mode & 0o777).toString(8)).toBe('600');
      const pipe = readFileSync(join(folder, note), 'utf8');
      expect(pipe).toMatch(/^\\\\\.\\pipe\\mdi-sensors-mcp-[0-9a-f]{32}$/);
      for (const known of [String(client.pid()), note.replace('.server', ''), '']) {
        const guess = dial(`\\\\.\\pipe\\mdi-sensors-mcp-${known}`);
        const [error] = await once(guess, 'error');
        expect(error).toMatchObject({ code: 'ENOENT' });
      }
      rmSync(pipe);
    });
  });
});

describe.concurrent('mdi-sensors-mcp approve', () => {
  test('it shows what waits on the own terminal, takes the name there, and tells what follows', async () => {
    const reached = await playSceneOfProcess(atTerminal, async ({ server: { home }, call }) => {
      await call();
      const { out } = await atOwnTerminal(home, typed);
      expect(out).toContain('To approve, type: DC07.contoso.com');
      expect(out).toContain('Approved. It is done as soon as the assistant calls again.');
      expect(await call()).toContain('deleted; Graph answers 404');
    });
    expect(reached).toBe(1);
  });

  test('it tells the outcome of a call that waits, however long the act takes', async () => {
    const reached = await playSceneOfProcess(
      { ...atTerminal, patience: 20_000 },
      async ({ server: { home, tell }, client }) => {
        const id = find('candidates', 'dc24.contoso.com');
        const waiting = new Promise<void>((resolve) => {
          const onProgress = (message: string) => message.startsWith('Waiting for a person') && resolve();
          void client.call('activate_sensor_candidates', { ids: [id] }, { onProgress });
        });
        await waiting;
        await tell({ do: 'fault', method: 'POST', path: 'activate', milliseconds: 1_000 });
        const { status, out } = await atOwnTerminal(home, 'approve');
        expect(out).toContain('Activate the v3.x sensor on server dc24.contoso.com?');
        expect(out).toContain('Appeared as a sensor (running). Audit record 4.');
        expect(status).toBe(0);
      },
    );
    expect(reached).toBe(1);
  });

  test('without a terminal, or with CI set, it answers nothing', async () => {
    const reached = await playSceneOfProcess(atTerminal, async ({ server: { home }, call }) => {
      await call();
      const inCi = await atOwnTerminal(home, typed, { CI: 'true' });
      expect(inCi.status).toBe(2);
      expect(inCi.out).toContain('approve needs a terminal with a person, and here is none.');
      await call();
    });
    expect(reached).toBe(0);
  });

  test('the list names tenant, act and every target, of a server that a host started with HOME and little more', async () => {
    await playSceneOfProcess(
      { ...atTerminal, env: { LOGNAME: 'ann', USER: 'ann' } },
      async ({ server: { home }, client, call }) => {
        await call();
        expect(await listed(home)).toEqual({ status: 0, out: theQuestion, errors: '' });
        const ids = ['SIN-DC03.apac.contoso.com', 'DC12.contoso.com'].map((name) => find('sensors', name));
        await client.call('delete_stale_sensors', { ids });
        expect((await listed(home)).out).toBe(
          `${theQuestion}SIMULATED "Contoso": Delete 2 stale sensors: SIN-DC03.apac.contoso.com, DC12.contoso.com (10 minutes left)\n`,
        );
      },
    );
  });

  test('a folder in which others can write is not trusted', async () => {
    await playSceneOfProcess(atTerminal, async ({ server: { home }, call }) => {
      await call();
      const folder = join(home, '.mdi-sensors-mcp');
      chmodSync(folder, 0o777);
      expect(await listed(home)).toEqual({
        status: 2,
        out: '',
        errors: `mdi-sensors-mcp: the folder ${folder} can be written by others, so nothing in it can be trusted.\n`,
      });
    });
  });

  test('folders and pipes among the servers are passed over, and what a killed server left is removed', async () => {
    await playSceneOfProcess(atTerminal, async ({ server, server: { home }, call }) => {
      expect(await server.gated()).toBe(0);
      // From here on the control socket is that of the other server; the first one has its connection.
      const other = await connect('v1', server);
      await call();
      const folder = join(home, '.mdi-sensors-mcp');
      mkdirSync(join(folder, '1-aa.server'));
      execFileSync('mkfifo', [join(folder, '2-bb.server')]);
      writeFileSync(join(folder, '3-cc.server'), join(folder, '3-cc.sock'));
      expect(await listed(home)).toEqual({ status: 0, out: theQuestion, errors: '' });
      expect(existsSync(join(folder, '3-cc.server'))).toBe(false);
      await other.close();
    });
  });

  test('a server that does not answer holds nobody up, and is named', async () => {
    await playSceneOfProcess(atTerminal, async ({ server: { home }, client, call }) => {
      await call();
      const folder = join(home, '.mdi-sensors-mcp');
      const silent = createServer().listen(join(folder, 'silent'));
      writeFileSync(join(folder, '4711-dd.server'), join(folder, 'silent'));
      expect(await listed(home)).toEqual({
        status: 0,
        out: theQuestion,
        errors: 'mdi-sensors-mcp: the server with process id 4711 does not answer.\n',
      });
      silent.close();
      expect(client.stderr()).not.toContain('Error');
    });
  });

  test('what a server sends cannot move the cursor or speak in colours', async () => {
    const home = mkdtempSync(join(tmpdir(), 'home-'));
    const folder = join(home, '.mdi-sensors-mcp');
    mkdirSync(folder, { mode: 0o700 });
    const text = '\u001b[2J\u001b[31mApprove?\nTo approve, type: yes';
    const question = { nonce: 'n', state: 'waiting', title: text, text, minutesLeft: 9, sentence: '' };
    const server = createServer((socket) => {
      socket.on('data', () => socket.write(`${JSON.stringify({ questions: [question] })}\n`));
    });
    server.listen(join(folder, 'socket'));
    writeFileSync(join(folder, '5-ee.server'), join(folder, 'socket'));
    expect((await listed(home)).out).toBe('\\u{1b}[2J\\u{1b}[31mApprove?\nTo approve, type: yes (9 minutes left)\n');
    server.close();
  });
});

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
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { attack } from '../harness/attacks.ts';
import { answerAtOnce, connect, type TestClient } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { findSocket } from '../harness/outside.ts';
import { prepareServerProcess } from '../harness/server.ts';
import { pretendWindows } from '../harness/windows.ts';
import { playScene, playSceneOfProcess } from './scene.ts';

const atTerminal = { approval: 'terminal' } as const;
const typed = 'DC07.contoso.com';

interface Shell {
  readonly args?: readonly string[];
  /** A program that starts it, with its arguments. */
  readonly through?: readonly string[];
  readonly input?: string;
}

/** `mdi-sensors-mcp approve` in a login shell of the same user. */
async function approve(home: string, { args = [], through = [], input = '' }: Shell = {}) {
  const env = { PATH: process.env.PATH, HOME: home, TERM: 'xterm', XDG_RUNTIME_DIR: '/run/user/1000' };
  const [program = '', ...rest] = [...through, process.execPath, 'dist/main.js', 'approve', ...args];
  const child = spawn(program, rest, { env, stdio: 'pipe' });
  child.stdin.end(input);
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

/** What a server of this machine leaves, or of another one with the same home folder. */
const writeNote = (socket: string, machine: { readonly host?: string; readonly boot?: string } = {}) =>
  JSON.stringify({ v: 1, socket, host: hostname(), boot, ...machine });
const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

const listed = (home: string) => approve(home, { args: ['--list'] });
const theQuestion = 'SIMULATED "Contoso": Delete sensor DC07.contoso.com (10 minutes left)\n';

/** Calls twice, since the first call only says where the person is asked; resolves as soon as the second one waits. */
async function callUntilWaiting(client: TestClient, tool: string, args: Record<string, unknown>): Promise<void> {
  expect((await client.call(tool, args)).text).toMatch(/^approval_pending: /);
  await new Promise<void>((resolve) => {
    const onProgress = (message: string) => message.startsWith('Waiting for a person') && resolve();
    void client.call(tool, args, { onProgress });
  });
}

interface Screen {
  readonly command?: string;
  readonly columns?: number;
  readonly env?: Record<string, string>;
}

/** The same on a terminal of its own, at which a person types a line for each prompt, and nothing after those. */
async function atOwnTerminal(home: string, lines: readonly string[], { command, columns = 80, env }: Screen = {}) {
  const command24 = `stty rows 24 cols ${columns}; ${command ?? `${process.execPath} dist/main.js approve`}`;
  const child = spawn('script', ['-qec', command24, '/dev/null'], {
    env: { PATH: process.env.PATH, HOME: home, TERM: 'xterm', NO_COLOR: '1', ...env },
    stdio: 'pipe',
  });
  let out = '';
  const screens: string[][] = [];
  child.stdout.on('data', (data) => {
    out += data;
    if ([...out.matchAll(/leaves it \w+ > /g)].length === screens.length) return;
    screens.push(out.trimEnd().split(/\r?\n/).slice(-24));
    child.stdin.write(`${lines[screens.length - 1] ?? ''}\n`);
  });
  const [status] = await once(child, 'close');
  return { status, out, screens };
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
    return playSceneOfProcess(
      { ...atTerminal, env: pretendWindows().env },
      async ({ server: { home }, client, call }) => {
        await call();
        const folder = join(home, '.mdi-sensors-mcp');
        const [note = '', ...others] = readdirSync(folder);
        expect(others).toEqual([]);
        expect((statSync(join(folder, note)).mode & 0o777).toString(8)).toBe('600');
        const pipe: string = JSON.parse(readFileSync(join(folder, note), 'utf8')).socket;
        expect(pipe).toMatch(/^\\\\\.\\pipe\\mdi-sensors-mcp-[0-9a-f]{32}$/);
        for (const known of [String(client.pid()), note.replace('.server', ''), '']) {
          const guess = dial(`\\\\.\\pipe\\mdi-sensors-mcp-${known}`);
          const [error] = await once(guess, 'error');
          expect(error).toMatchObject({ code: 'ENOENT' });
        }
        rmSync(pipe);
      },
    );
  });
});

describe.concurrent('mdi-sensors-mcp approve', () => {
  test('it shows what waits on the own terminal, takes the name there, and tells what follows', async () => {
    const reached = await playScene(atTerminal, async ({ server: { home }, call }) => {
      await call();
      const { out } = await atOwnTerminal(home, [typed]);
      expect(out).toContain('To approve, type: DC07.contoso.com');
      expect(out).toContain('Approved. It is done as soon as the assistant calls again.');
      expect(await call()).toContain('Deleted; Graph answers 404');
    });
    expect(reached).toBe(1);
  });

  test('it tells the outcome of a call that waits, however long the act takes', async () => {
    const reached = await playSceneOfProcess(
      { ...atTerminal, patience: 20_000 },
      async ({ server: { home, tell }, client }) => {
        const id = find('candidates', 'dc24.contoso.com');
        await callUntilWaiting(client, 'activate_sensor_candidates', { ids: [id] });
        await tell({ do: 'fault', method: 'POST', path: 'activate', milliseconds: 1_000 });
        const { status, out } = await atOwnTerminal(home, ['activate 1']);
        expect(out).toContain('Activate v3.x on server dc24.contoso.com?');
        expect(out).toContain('Appeared as a sensor (running). Audit record 4.');
        expect(status).toBe(0);
      },
    );
    expect(reached).toBe(1);
  });

  attack('an approval typed without a terminal', { on: 'v2 legacy', channel: 'terminal' }, () =>
    playScene(atTerminal, async ({ server: { home }, call }) => {
      await call();
      expect(await approve(home, { through: ['setsid', '-w'], input: `${typed}\n` })).toEqual({
        status: 2,
        out: '',
        errors: 'mdi-sensors-mcp: approve needs a terminal with a person, and here is none.\n',
      });
      await call();
    }),
  );

  attack('an approval typed in the shell of an agent, or with CI set', { on: 'v2 legacy', channel: 'terminal' }, () =>
    playScene(atTerminal, async ({ server: { home }, call }) => {
      await call();
      for (const mark of ['CI', 'CLAUDECODE', 'GEMINI_CLI', 'CODEX_THREAD_ID', 'CURSOR_AGENT', 'OPENCODE']) {
        const { status, out } = await atOwnTerminal(home, [typed], { env: { [mark]: '1' } });
        expect({ status, out }).toEqual({
          status: 2,
          out: `mdi-sensors-mcp: ${mark} is set, so this is no shell of a person. Let them run approve in a terminal of their own.\r\n`,
        });
      }
      await call();
    }),
  );

  test('the list names tenant, act and every target, of a server that a host started with HOME and little more', async () => {
    await playScene(
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
    await playScene(atTerminal, async ({ server: { home }, call }) => {
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
    await playScene(atTerminal, async ({ server, server: { home }, call }) => {
      expect(await server.gated()).toBe(0);
      // From here on the control socket is that of the other server; the first one has its connection.
      const other = await connect('v1', server);
      await call();
      const folder = join(home, '.mdi-sensors-mcp');
      mkdirSync(join(folder, '1-aa.server'));
      execFileSync('mkfifo', [join(folder, '2-bb.server')]);
      writeFileSync(join(folder, '3-cc.server'), writeNote(join(folder, '3-cc.sock')));
      writeFileSync(join(folder, '4-dd.server'), 'no note at all');
      expect(await listed(home)).toEqual({ status: 0, out: theQuestion, errors: '' });
      expect(existsSync(join(folder, '3-cc.server'))).toBe(false);
      await other.close();
    });
  });

  test('a server that does not answer holds nobody up, and is named', async () => {
    await playScene(atTerminal, async ({ server: { home }, client, call }) => {
      await call();
      const folder = join(home, '.mdi-sensors-mcp');
      const silent = createServer().listen(join(folder, 'silent'));
      writeFileSync(join(folder, '4711-dd.server'), writeNote(join(folder, 'silent')));
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
    const question = {
      nonce: 'n',
      channel: 'terminal',
      state: 'waiting',
      title: text,
      targets: '',
      text,
      typed: text,
      minutesLeft: 9,
      sentence: '',
      canBeLifted: false,
    };
    const server = createServer((socket) => {
      socket.on('data', () => socket.write(`${JSON.stringify({ questions: [question] })}\n`));
    });
    server.listen(join(folder, 'socket'));
    writeFileSync(join(folder, '5-ee.server'), writeNote(join(folder, 'socket')));
    expect((await listed(home)).out).toBe('\\u{1b}[2J\\u{1b}[31mApprove?\nTo approve, type: yes (9 minutes left)\n');
    server.close();
  });

  test('the command that the answer names is there, and takes the approval', async () => {
    const home = mkdtempSync(join(tmpdir(), 'home-'));
    const server = {
      command: process.execPath,
      args: ['dist/main.js', '--simulate', '--approval', 'terminal', '--audit-log', join(home, 'audit')],
      env: { HOME: home },
    };
    const client = await connect('v2 modern', server);
    const { text } = await client.call('delete_sensor', { id: find('sensors', typed) });
    const [, host, command = ''] =
      /at a terminal of their own on the machine or container (\S+), with `([^`]+)`/.exec(text) ?? [];
    expect(host).toBe(hostname());
    expect(command).toBe(`${process.execPath} ${process.cwd()}/dist/main.js approve`);
    expect(text).toMatch(/ Only the person answers: the command is theirs, in a terminal of their own\./);
    const { out } = await atOwnTerminal(home, [typed], { command });
    expect(out).toContain('Approved. It is done as soon as the assistant calls again.');
    await client.close();
  });

  test('on 24 rows tenant, act and the text to type stand above the prompt, whatever came before', async () => {
    await playScene(atTerminal, async ({ server: { home }, client }) => {
      const ids = ['SIN-DC03.apac.contoso.com', 'DC12.contoso.com'].map((name) => find('sensors', name));
      await client.call('delete_stale_sensors', { ids });
      const { out, screens } = await atOwnTerminal(home, ['']);
      expect(out.split('\n').length).toBeGreaterThan(24);
      expect(screens[0]?.slice(-3)).toEqual([
        'It is open for 10 minutes. To approve, type: delete 2 Contoso',
        'SIMULATED "Contoso": Delete 2 stale sensors',
        expect.stringMatching(/Type the text, or decline; an empty line leaves it open >/),
      ]);
      expect(out).toContain('Left open.');
    });
  });

  test.each([60, 80, 132])(
    'at %i columns the frame is as wide, and no id and no address is broken',
    async (columns) => {
      await playScene(atTerminal, async ({ server: { home }, call }) => {
        await call();
        const { out } = await atOwnTerminal(home, [''], { columns });
        expect(out).toContain(`┌${'─'.repeat(columns - 2)}┐`);
        expect(out).toContain(`id ${find('sensors', typed)}`);
        expect(out).toContain(`https://graph.microsoft.com/v1.0/security/identities/sensors/${find('sensors', typed)}`);
      });
    },
  );

  test("a form's question is shown whole, and what is typed here takes it over from the form", async () => {
    const server = await prepareServerProcess({ flags: { approval: 'auto', noBrowser: true }, patience: 20_000 });
    let lateAnswer: (() => void) | undefined;
    const person = answerAtOnce(
      () =>
        new Promise((resolve) => {
          lateAnswer = () => resolve({ action: 'accept', content: { typed } });
        }),
    );
    const client = await connect('v2 legacy', server, person);
    const call = client.call('delete_sensor', { id: find('sensors', typed) });
    await vi.waitFor(() => expect(lateAnswer).toBeDefined(), 10_000);
    const { out } = await atOwnTerminal(server.home, ['DC70', 'decline']);
    expect(out).toContain('The client shows it in a form as well; an answer here is the one that counts.');
    expect(out).toContain('The same in PowerShell: Remove-MgSecurityIdentitySensor');
    expect(out).toContain('That does not match. To approve, type exactly: DC07.contoso.com');
    expect(out).toContain('A person declined.');
    lateAnswer?.();
    expect((await call).text).toMatch(/^approval_invalid: The question was answered already/);
    expect(await server.gated()).toBe(0);
    await client.close();
    await server.end();
  });

  test('what was declined may be asked again once the person says so, and not before', async () => {
    const reached = await playScene(atTerminal, async ({ server: { home }, call }) => {
      await call();
      const declined = await atOwnTerminal(home, ['decline', '']);
      expect(declined.out).toContain('SIMULATED "Contoso": Delete sensor DC07.contoso.com (declined)');
      expect(declined.out).toContain('Left declined.');
      expect(await call()).toMatch(/^approval_busy: /);
      expect((await listed(home)).out).toBe(
        'No question waits for an answer.\nSIMULATED "Contoso": Delete sensor DC07.contoso.com (declined)\n',
      );
      expect((await atOwnTerminal(home, ['yes'])).out).toContain('Left declined.');
      expect(await call()).toMatch(/^approval_busy: /);
      expect((await atOwnTerminal(home, ['again'])).out).toContain('The assistant may ask for it again.');
      expect(await call()).toMatch(/^approval_pending: /);
    });
    expect(reached).toBe(0);
  });

  test('after an approved key it shows the whole path of its file, which holds the key and which no result names', async () => {
    const reached = await playSceneOfProcess(
      { ...atTerminal, patience: 20_000 },
      async ({ server: { home, secretsDir }, client }) => {
        await callUntilWaiting(client, 'get_deployment_access_key', {});
        const { out } = await atOwnTerminal(home, ['key Contoso']);
        const [, path = ''] = /The key is in this file: (\S+)/.exec(out) ?? [];
        expect(path).toBe(join(secretsDir, readdirSync(secretsDir)[0] ?? ''));
        expect(out).not.toContain(readFileSync(path, 'utf8'));
        expect(client.seen()).not.toContain(secretsDir);
      },
    );
    expect(reached).toBe(1);
  });

  for (const [what, machine] of [
    ['another machine', { host: 'app02' }],
    ['another machine of the same name', { boot: '00000000-0000-4000-8000-000000000000' }],
  ] as const) {
    attack(`a question of ${what} answered in a shared home folder`, { on: 'v2 legacy', channel: 'terminal' }, () =>
      playScene(atTerminal, async ({ server: { home }, call }) => {
        await call();
        const folder = join(home, '.mdi-sensors-mcp');
        const name = readdirSync(folder).find((file) => file.endsWith('.server')) ?? '';
        const gone = writeNote(join(folder, 'gone.sock'), machine);
        writeFileSync(join(folder, name), writeNote(findSocket(home), machine));
        writeFileSync(join(folder, '7-gone.server'), gone);
        const told =
          what === 'another machine' ? 'A server on app02 may have questions: they are answered there.\n' : '';
        expect(await approve(home)).toEqual({
          status: 0,
          out: `No question waits for an answer.\n${told}`,
          errors: '',
        });
        expect(readFileSync(join(folder, '7-gone.server'), 'utf8')).toBe(gone);
        await call();
      }),
    );
  }
});

import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { approveCommand, formatCommand } from '../../src/command.ts';
import { attack } from '../harness/attacks.ts';
import type { Person } from '../harness/clients.ts';
import { passUntil } from '../harness/clock.ts';
import { find } from '../harness/fleet.ts';
import {
  askSocket,
  findSocket,
  openOfferedPage,
  readAddress,
  readPage,
  waitForPageAddress,
} from '../harness/outside.ts';
import { startServer } from '../harness/server.ts';
import { acceptWith, readRecords } from './cases.ts';
import { playScene, runWithPerson, yes } from './scene.ts';

/** A desktop with a browser, and the files that it was given. */
function desktop() {
  const files: string[] = [];
  const openBrowser = async (file: string) => void files.push(file);
  return { env: { DISPLAY: ':0' }, files, openBrowser };
}
const inBrowser = { approval: 'auto', noBrowser: false } as const;

describe.concurrent('a browser window', () => {
  test('opens at once for the first question; the second, where nobody answers, 30 seconds later', async () => {
    const { env, files, openBrowser } = desktop();
    await playScene({ ...inBrowser, env, openBrowser }, async ({ server, call }) => {
      await server.tell({ do: 'hold' });
      expect(await call()).toMatch(
        /^approval_pending: A person is asked on the approval page that was opened in their browser, or at a terminal of their own on /,
      );
      expect(await call('DC01.contoso.com')).toMatch(
        /^approval_pending: A person is asked on an approval page that opens in their browser once the one before it is answered, or 30 seconds after it, or at a terminal of their own on /,
      );
      expect(files).toHaveLength(1);
      await server.pass?.(29_999);
      expect(files).toHaveLength(1);
      await server.pass?.(1);
      expect(files).toHaveLength(2);
      expect(await call('DC01.contoso.com')).toContain('on the approval page that was opened in their browser');
    });
  });

  test.each([
    ['approved', yes, 2],
    ['declined', { decision: 'decline' }, 2],
    ['answered with a wrong text, which the same page asks for again', { ...yes, typed: 'DC08' }, 1],
  ])('opens for the second question once the first is over: %s', async (_, fields, windows) => {
    const { env, files, openBrowser } = desktop();
    await playScene({ ...inBrowser, env, openBrowser }, async ({ server, call }) => {
      await server.tell({ do: 'hold' });
      await call();
      await call('DC01.contoso.com');
      const first = await openOfferedPage(readAddress(files[0]), server.pass);
      await first.post(fields);
      expect(files).toHaveLength(1);
      await passUntil(readPage(`${first.address}/outcome`, server.pass), () => server.pass(50));
      await server.pass(0);
      expect(files).toHaveLength(windows);
      await call('DC02.contoso.com');
      expect(files).toHaveLength(windows);
    });
  });
});

describe.concurrent('a window that no browser has fetched', () => {
  test('is opened anew by an equal call, under another nonce, three times, and not before 5 seconds have gone by', async () => {
    const { env, files, openBrowser } = desktop();
    const reached = await playScene({ ...inBrowser, env, openBrowser }, async ({ server, call }) => {
      await server.tell({ do: 'hold' });
      await call();
      await server.pass(4_990);
      await call();
      expect(files).toHaveLength(1);
      const addresses = [readAddress(files[0])];
      for (const count of [2, 3, 4]) {
        await server.pass(5_000);
        expect(await call()).toMatch(/^approval_pending: A person is asked on the approval page that was opened/);
        expect(files).toHaveLength(count);
        addresses.push(readAddress(files.at(-1)));
      }
      await server.pass(60_000);
      await call();
      expect(files).toHaveLength(4);
      expect(new Set(addresses).size).toBe(4);
      // The first one leads nowhere any more; the last one takes the approval.
      expect((await openOfferedPage(addresses[0] ?? '', server.pass)).secret).toBe('');
      await (await openOfferedPage(addresses[3] ?? '', server.pass)).post(yes);
      expect(await call()).toContain('Deleted; Graph answers 404');
    });
    expect(reached).toBe(1);
  });

  test('is of no matter once its question was approved at a terminal', async () => {
    const { env, openBrowser } = desktop();
    const reached = await playScene({ ...inBrowser, env, openBrowser }, async ({ server, call }) => {
      await server.tell({ do: 'hold' });
      await call();
      await server.pass(6_000);
      await vi.waitFor(() => expect(findSocket(server.home)).toMatch(/\.sock$/));
      const [{ nonce } = { nonce: '' }] = await askSocket(server.home, { do: 'list' });
      await askSocket(server.home, { do: 'approve', nonce, typed: 'DC07.contoso.com' });
      expect(await call()).toContain('Deleted; Graph answers 404');
    });
    expect(reached).toBe(1);
  });

  test('does not wait for the windows of other questions, and lets those wait longer', async () => {
    const { env, files, openBrowser } = desktop();
    await playScene({ ...inBrowser, env, openBrowser }, async ({ server, call }) => {
      await server.tell({ do: 'hold' });
      await call();
      await call('DC01.contoso.com');
      await server.pass(20_000);
      await call();
      expect(files).toHaveLength(2);
      await server.pass(29_999);
      expect(files).toHaveLength(2);
      await server.pass(1);
      expect(files).toHaveLength(3);
    });
  });

  test('stays as it is once it was fetched, and where a person opens the file', async () => {
    const { env, files, openBrowser } = desktop();
    await playScene({ ...inBrowser, env, openBrowser }, async ({ server, call }) => {
      await server.tell({ do: 'hold' });
      await call();
      await openOfferedPage(readAddress(files[0]), server.pass);
      await server.pass(60_000);
      await call();
      expect(files).toHaveLength(1);
    });
    await playScene({}, async ({ server, client, call }) => {
      await call();
      await server.pass(60_000);
      await call();
      expect(client.stderr().match(/Open this file in a browser/g)).toHaveLength(1);
    });
  });

  attack('the window that another one has replaced', { on: 'v2 legacy', channel: 'page' }, async () => {
    const { env, files, openBrowser } = desktop();
    return playScene({ ...inBrowser, env, openBrowser }, async ({ server, call }) => {
      await server.tell({ do: 'hold' });
      await call();
      const address = readAddress(files[0]);
      await server.pass(5_000);
      await call();
      const old = await openOfferedPage(address, server.pass);
      expect((await readPage(`${old.address}/outcome`)).body).toContain('It was asked anew in another window.');
      await old.post(yes);
      expect(await call()).toMatch(/^approval_pending: /);
    });
  });
});

describe.concurrent('the file that a browser is given', () => {
  const fileIn = (stderr: string) => /Open this file in a browser: (.+)/.exec(stderr)?.[1] ?? '';

  test('is the only place of the address, can be read by its owner alone, and goes when it was used', async () => {
    await playScene({}, async ({ client, call }) => {
      await call();
      const address = await waitForPageAddress(client.stderr);
      const file = fileIn(client.stderr());
      expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
      expect((statSync(dirname(file)).mode & 0o777).toString(8)).toBe('700');
      expect(client.stderr() + client.seen()).not.toContain(new URL(address).pathname);
      await openOfferedPage(address);
      expect(existsSync(dirname(file))).toBe(false);
    });
  });

  test('goes when its question has expired', async () => {
    await playScene({}, async ({ server, client, call }) => {
      await call();
      await waitForPageAddress(client.stderr);
      const file = fileIn(client.stderr());
      expect(existsSync(file)).toBe(true);
      await server.tell({ do: 'clock', ahead: { monotonic: 11 * 60_000 } });
      await server.pass?.(2_000);
      await vi.waitFor(() => expect(existsSync(dirname(file))).toBe(false), 10_000);
    });
  });
});

describe.concurrent('where a person is asked', () => {
  const display = { DISPLAY: ':0' };
  const page = / asked on (the|an) approval page that (was opened|is opening) in their browser, or at a terminal /;
  const terminal = / asked at a terminal of their own on the machine or container \S+, with `[^`]+ approve`;/;
  test.each<[string, Record<string, string>, RegExp]>([
    ['a desktop', display, page],
    ['a Wayland desktop', { WAYLAND_DISPLAY: 'wayland-0' }, page],
    ['what a host hands on that keeps variables back', { LOGNAME: 'ann', USER: 'ann', SHELL: '/bin/sh' }, terminal],
    ['an empty DISPLAY', { DISPLAY: '' }, terminal],
    ['SSH with a display', { ...display, SSH_CONNECTION: '10.0.0.1 5 10.0.0.2 22' }, terminal],
    ['an SSH terminal with a display', { ...display, SSH_TTY: '/dev/pts/1' }, terminal],
    ['WSL with a display', { ...display, WSL_DISTRO_NAME: 'Debian' }, terminal],
    ['a dev container with a display', { ...display, REMOTE_CONTAINERS: 'true' }, terminal],
    ['a codespace with a display', { ...display, CODESPACES: 'true' }, terminal],
  ])('%s', async (_, env, where) => {
    await playScene({ ...inBrowser, env, openBrowser: async () => undefined }, async ({ call }) => {
      expect(await call()).toMatch(where);
    });
  });

  test.each(['auto', 'page', 'terminal'])('with CI set nobody is asked outside of the client: %s', async (approval) => {
    const env = { ...display, CI: 'true' };
    await playScene({ ...inBrowser, approval, env }, async ({ server: { home }, call }) => {
      expect(await call()).toMatch(
        /^approval_unavailable: .* with CI set nobody is asked outside of it\. Nothing was changed\. .*run this in a session with a person/,
      );
      expect(existsSync(join(home, '.mdi-sensors-mcp'))).toBe(false);
    });
  });
});

test.each([
  ['linux', '/usr/bin/node', '/opt/mdi/dist/main.js', '/usr/bin/node /opt/mdi/dist/main.js approve'],
  ['linux', '/usr/bin/node', '/home/ann/my $tools/main.js', '/usr/bin/node "/home/ann/my \\$tools/main.js" approve'],
  ['linux', '/usr/bin/node', '/usr/local/bin/mdi-sensors-mcp', 'mdi-sensors-mcp approve'],
  [
    'linux',
    '/usr/bin/node',
    '/home/ann/.npm/_npx/1a/node_modules/.bin/mdi-sensors-mcp',
    '/usr/bin/node /home/ann/.npm/_npx/1a/node_modules/.bin/mdi-sensors-mcp approve',
  ],
  ['win32', 'C:\\node\\node.exe', 'C:\\mdi\\main.js', 'C:\\node\\node.exe C:\\mdi\\main.js approve'],
  [
    'win32',
    'C:\\Program Files\\nodejs\\node.exe',
    'C:\\mdi\\main.js',
    '& "C:\\Program Files\\nodejs\\node.exe" C:\\mdi\\main.js approve',
  ],
] as const)('on %s, started as %s %s, the command is %s', (platform, executable, script, command) => {
  expect(formatCommand('approve', { platform, executable, script })).toBe(command);
});

test('while a call waits its client hears where the person is asked, again and again', async () => {
  const heard: string[] = [];
  const waiting = `Waiting for a person at a terminal of their own on the machine or container ${hostname()}, with \`${approveCommand}\``;
  await playScene({ approval: 'terminal', patience: 9_000 }, async ({ server, client }) => {
    const id = find('sensors', 'DC07.contoso.com');
    const call = () => client.call('delete_sensor', { id }, { onProgress: (message) => heard.push(message) });
    // The first call says after two seconds that the terminal waits; an equal one waits as long as it may.
    for (const durationMs of [2_500, 9_000]) {
      const called = call();
      const before = heard.length;
      await vi.waitFor(() => expect(heard.slice(before)).toContain(waiting));
      await server.pass?.(durationMs);
      expect((await called).text).toMatch(/^approval_pending: /);
    }
  });
  expect(heard.filter((message) => message === waiting)).toEqual([waiting, waiting, waiting]);
});

test('a call that waits for the page counts the seconds since it waits, of those that it may', async () => {
  const heard: unknown[][] = [];
  await playScene({ patience: 12_000 }, async ({ server, client }) => {
    await server.pass(7_000);
    const id = find('sensors', 'DC07.contoso.com');
    const called = client.call('delete_sensor', { id }, { onProgress: (_, ...counts) => heard.push(counts) });
    await vi.waitFor(() => expect(heard).toHaveLength(1), 10_000);
    await server.pass(11_999);
    await vi.waitFor(() => expect(heard).toHaveLength(3), 10_000);
    expect(heard).toEqual([0, 5, 10].map((seconds) => [seconds, 12]));
    await server.pass(1);
    expect((await called).text).toMatch(/^approval_pending: /);
  });
});

test.each<[string, Person, string]>([
  ['declines', () => ({ action: 'decline' }), 'declined'],
  ['closes the form', () => ({ action: 'cancel' }), 'question_closed'],
  ['types a wrong text twice', () => acceptWith({ typed: 'yes' }), 'mistyped'],
])('a call whose person %s does not say that it waits for one', async (_, person, code) => {
  const heard: string[] = [];
  const ended = await runWithPerson(await startServer(), person, (_server, client) =>
    client.call(
      'delete_sensor',
      { id: find('sensors', 'DC07.contoso.com') },
      { onProgress: (message) => heard.push(message) },
    ),
  );
  expect(ended.text).toContain(`${code}: `);
  expect(heard).toEqual([]);
});

test('a terminal that could not be opened ends the question: the next call asks a new one', async () => {
  await playScene({ approval: 'terminal' }, async ({ server, call }) => {
    const folder = join(server.home, '.mdi-sensors-mcp');
    writeFileSync(folder, '');
    expect(await call()).toMatch(
      /^approval_unavailable: This needs a human approval, and the way to the terminal could not be opened \(its folder is not a folder of its own but a link or a file\)\. Nothing was changed\. /,
    );
    rmSync(folder);
    expect(await call()).toMatch(/^approval_pending: /);
    expect(readRecords(server).map(({ kind, action }) => action ?? kind)).toEqual([
      'start',
      'question',
      'not shown',
      'question',
    ]);
  });
});

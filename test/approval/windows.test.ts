import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { choosePreferred } from '../../src/approval/channels/choose.ts';
import { handedBy, http, opened, sheet } from '../harness/outside.ts';
import { recordsOf } from './cases.ts';
import { scene, yes } from './scene.ts';

const fresh = () => mkdtempSync(join(tmpdir(), 'windows-'));

/** A desktop on which the launcher of browsers notes what it is to open. */
function desktop(exitCode = 0) {
  const folder = fresh();
  const [launcher, notes] = [join(folder, 'xdg-open'), join(folder, 'opened')];
  writeFileSync(launcher, `#!/bin/sh\necho "$1" >> ${notes}\nexit ${exitCode}\n`);
  chmodSync(launcher, 0o755);
  const files = () => (existsSync(notes) ? readFileSync(notes, 'utf8').trim().split('\n') : []);
  return { env: { DISPLAY: ':0', PATH: `${folder}:${process.env.PATH}` }, files };
}
const addressIn = (file = '') => /url=(http:[^"]+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
/** Longer than a launcher is given to fail. */
const inBrowser = { approval: 'auto', noBrowser: false, patience: 4_000 } as const;

describe.concurrent('a browser window', () => {
  test('opens at once for the first question; the second waits its turn, and opens 30 seconds later', async () => {
    const { env, files } = desktop();
    await scene({ ...inBrowser, env }, async ({ call }) => {
      expect(await call()).toMatch(
        /^approval_pending: A person is asked on the approval page that was opened in their browser; /,
      );
      expect(await call('DC01.contoso.com')).toMatch(
        /^approval_pending: A person is asked on an approval page that opens in their browser in its turn, one page each 30 seconds; /,
      );
      expect(files()).toHaveLength(1);
      await vi.waitFor(() => expect(files()).toHaveLength(2), 40_000);
      expect(await call('DC01.contoso.com')).toContain('on the approval page that was opened in their browser');
    });
  }, 60_000);

  test('goes on with the question that replaced its own, without another window', async () => {
    const { env, files } = desktop();
    const reached = await scene({ ...inBrowser, env }, async ({ server, find, call }) => {
      await call();
      const page = await opened(addressIn(files()[0]));
      const answered = await page.post(yes);
      const id = find('sensors', 'DC07.contoso.com');
      await server.tell({ do: 'change', of: 'sensors', id, set: { displayName: 'DC70' } });
      await call();
      const outcome = await http(`${page.origin}${answered.headers.location}`);
      const next = await sheet(`${page.origin}${outcome.headers.location}`);
      expect(next.body).toContain('Delete sensor DC70.contoso.com?');
      await next.post({ decision: 'approve', typed: 'DC70.contoso.com' });
      expect(await call()).toContain('deleted; Graph answers 404');
      expect(files()).toHaveLength(1);
    });
    expect(reached).toBe(1);
  });

  test.each([
    ['is not there', () => ({ DISPLAY: ':0', PATH: '/nowhere' })],
    ['fails', () => desktop(3).env],
  ])('whose launcher %s does no harm: the log names the file, and the answer says so', async (_, env) => {
    await scene({ ...inBrowser, env: env() }, async ({ client, call }) => {
      expect(await call()).toMatch(
        /^approval_pending: A person is asked on an approval page, whose file the server's log names; /,
      );
      expect((await opened(await handedBy(client.stderr))).body).toContain('Delete sensor DC07.contoso.com?');
    });
  });
});

describe.concurrent('the file that a browser is given', () => {
  const fileIn = (stderr: string) => /Open this file in a browser: (.+)/.exec(stderr)?.[1] ?? '';

  test('is the only place of the address, can be read by its owner alone, and goes when it was used', async () => {
    await scene({}, async ({ client, call }) => {
      await call();
      const address = await handedBy(client.stderr);
      const file = fileIn(client.stderr());
      expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
      expect((statSync(dirname(file)).mode & 0o777).toString(8)).toBe('700');
      expect(client.stderr() + client.seen()).not.toContain(new URL(address).pathname);
      await opened(address);
      expect(existsSync(dirname(file))).toBe(false);
    });
  });

  test('goes when its question has expired', async () => {
    await scene({}, async ({ server, client, call }) => {
      await call();
      await handedBy(client.stderr);
      const file = fileIn(client.stderr());
      expect(existsSync(file)).toBe(true);
      await server.tell({ do: 'clock', ahead: { monotonic: 11 * 60_000 } });
      await vi.waitFor(() => expect(existsSync(dirname(file))).toBe(false), 10_000);
    });
  });
});

describe.concurrent('a way to the person that cannot be opened', () => {
  test('the page: the call is refused with the setting that helps, and the next one tries anew', async () => {
    const TMPDIR = join(fresh(), 'later');
    await scene({ env: { TMPDIR } }, async ({ client, call }) => {
      expect(await call()).toMatch(
        /^approval_unavailable: This needs a human approval, and the approval page could not be opened \(ENOENT\)\. Nothing was changed\. .*--approval terminal/,
      );
      await vi.waitFor(() => expect(client.stderr()).toContain('The page for approvals could not be opened'));
      mkdirSync(TMPDIR);
      expect(await call()).toMatch(/^approval_pending: /);
    });
  });

  test('the terminal: the call is refused with the setting that helps, and the next one tries anew', async () => {
    const HOME = join(fresh(), 'home');
    writeFileSync(HOME, '');
    await scene({ approval: 'terminal', env: { HOME } }, async ({ server, call }) => {
      expect(await call()).toMatch(
        /^approval_unavailable: This needs a human approval, and the way to the terminal could not be opened \(ENOTDIR\)\. Nothing was changed\. .*--approval page/,
      );
      expect(recordsOf(server).at(-1)).toMatchObject({ kind: 'answer', channel: 'terminal', action: 'not shown' });
      rmSync(HOME);
      expect(await call()).toMatch(/^approval_pending: A person is asked at a terminal of this machine/);
    });
  });

  test('a home folder without a path is none', async () => {
    await scene({ approval: 'terminal', env: { HOME: '' } }, async ({ call }) => {
      expect(await call()).toMatch(/^approval_unavailable: .*\(the home folder has no absolute path\)/);
    });
  });
});

describe.concurrent('where a person is asked', () => {
  const display = { DISPLAY: ':0' };
  const page = / on (the|an) approval page that (was opened|is opening) in their browser;/;
  const terminal = / at a terminal of this machine, with `mdi-sensors-mcp approve`;/;
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
    const desk = desktop();
    const around = { PATH: desk.env.PATH, ...env };
    await scene({ ...inBrowser, patience: 200, env: around }, async ({ call }) => {
      expect(await call()).toMatch(where);
    });
  });

  test('with CI set nobody is asked, and the answer says what would allow it', async () => {
    await scene({ ...inBrowser, env: { ...display, CI: 'true' } }, async ({ call }) => {
      expect(await call()).toMatch(/^approval_unavailable: /);
    });
  });

  test.each([
    ['darwin', '24.6.0', 'page'],
    ['win32', '10.0.26100', 'page'],
    ['linux', '6.8.0-45-generic', 'terminal'],
    ['linux', '5.15.167.4-microsoft-standard-WSL2', 'terminal'],
  ] as const)('on %s %s, where the host hands on no more than HOME and PATH: %s', (platform, kernel, channel) => {
    const environment = { HOME: '/home/ann', PATH: '/usr/bin' };
    expect(choosePreferred({ approval: 'auto', noBrowser: false }, environment, { platform, kernel })).toBe(channel);
  });
  test('in WSL a display that was handed on does not hide what the kernel says', () => {
    const machine = { platform: 'linux', kernel: '5.15.167.4-microsoft-standard-WSL2' } as const;
    expect(choosePreferred({ approval: 'auto', noBrowser: false }, display, machine)).toBe('terminal');
  });
});

test('while a call waits its client hears where the person is asked, again and again', async () => {
  const heard: string[] = [];
  await scene({ approval: 'terminal', patience: 9_000 }, async ({ client, find }) => {
    const id = find('sensors', 'DC07.contoso.com');
    await client.call('delete_sensor', { id }, { onProgress: (message) => heard.push(message) });
  });
  const waiting = 'Waiting for a person at a terminal of this machine, with `mdi-sensors-mcp approve`';
  expect(heard.filter((message) => message === waiting)).toEqual([waiting, waiting]);
});

test('a twin that is cancelled while the page is still being opened leaves the question to the first call', async () => {
  const slow = `import fs from 'node:fs/promises'; import { syncBuiltinESMExports } from 'node:module'; const { mkdtemp } = fs; fs.mkdtemp = (...all) => new Promise((resolve) => setTimeout(resolve, 2000)).then(() => mkdtemp(...all)); syncBuiltinESMExports();`;
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(slow)}`;
  await scene({ env: { NODE_OPTIONS } }, async ({ client, find, call }) => {
    const first = call();
    const id = find('sensors', 'DC07.contoso.com');
    const cancelled = new AbortController();
    const onProgress = () => cancelled.abort();
    await client.call('delete_sensor', { id }, { signal: cancelled.signal, onProgress }).catch(() => undefined);
    expect(await first).toMatch(/^approval_pending: /);
  });
});

test('a user id without a name, as containers have, can start the server and be asked', async () => {
  const nameless =
    "import os from 'node:os'; import { syncBuiltinESMExports } from 'node:module'; os.userInfo = () => { throw new Error('no such user'); }; syncBuiltinESMExports();";
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(nameless)}`;
  await scene({ approval: 'terminal', env: { NODE_OPTIONS } }, async ({ call }) => {
    expect(await call()).toMatch(/^approval_pending: /);
  });
});

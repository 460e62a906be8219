import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { choosePreferred } from '../../src/approval/channels/choose.ts';
import { find } from '../harness/fleet.ts';
import { openOfferedPage, waitForPageAddress } from '../harness/outside.ts';
import { playScene } from './scene.ts';

/** A desktop with a browser, and the files that it was given. */
function desktop() {
  const files: string[] = [];
  const openBrowser = async (file: string) => void files.push(file);
  return { env: { DISPLAY: ':0' }, files, openBrowser };
}
const inBrowser = { approval: 'auto', noBrowser: false } as const;

describe.concurrent('a browser window', () => {
  test('opens at once for the first question; the second waits its turn, and opens 30 seconds later', async () => {
    const { env, files, openBrowser } = desktop();
    await playScene({ ...inBrowser, env, openBrowser }, async ({ server, call }) => {
      await server.tell({ do: 'hold' });
      expect(await call()).toMatch(
        /^approval_pending: A person is asked on the approval page that was opened in their browser; /,
      );
      expect(await call('DC01.contoso.com')).toMatch(
        /^approval_pending: A person is asked on an approval page that opens in their browser in its turn, one page each 30 seconds; /,
      );
      expect(files).toHaveLength(1);
      await server.pass?.(29_999);
      expect(files).toHaveLength(1);
      await server.pass?.(1);
      expect(files).toHaveLength(2);
      expect(await call('DC01.contoso.com')).toContain('on the approval page that was opened in their browser');
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
    await playScene({ ...inBrowser, env, openBrowser: async () => undefined }, async ({ call }) => {
      expect(await call()).toMatch(where);
    });
  });

  test('with CI set nobody is asked, and the answer says what would allow it', async () => {
    await playScene({ ...inBrowser, env: { ...display, CI: 'true' } }, async ({ call }) => {
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
  const waiting = 'Waiting for a person at a terminal of this machine, with `mdi-sensors-mcp approve`';
  await playScene({ approval: 'terminal', patience: 9_000 }, async ({ server, client }) => {
    const id = find('sensors', 'DC07.contoso.com');
    const call = () => client.call('delete_sensor', { id }, { onProgress: (message) => heard.push(message) });
    // The first call says after two seconds that the terminal waits; an equal one waits as long as it may.
    for (const durationMs of [2_000, 9_000]) {
      const called = call();
      const before = heard.length;
      await vi.waitFor(() => expect(heard.slice(before)).toContain(waiting));
      await server.pass?.(durationMs);
      expect((await called).text).toMatch(/^approval_pending: /);
    }
  });
  expect(heard.filter((message) => message === waiting)).toEqual([waiting, waiting, waiting]);
});

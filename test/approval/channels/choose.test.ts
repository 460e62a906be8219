import { EventEmitter } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { noChannels } from '../../../src/approval/channels/address.ts';
import {
  choosePreferred,
  explainNoSignIn,
  openBrowser,
  openExternalChannels,
} from '../../../src/approval/channels/choose.ts';
// Loaded before the tests, so that none of them waits for it.
import '../../../src/approval/channels/page.ts';
import type { SignInParts } from '../../../src/approval/channels/signinLocal.ts';
import type { ApprovalSetting, Channel } from '../../../src/approval/inbox.ts';
import { terminalPlace } from '../../../src/command.ts';
import { Secret } from '../../../src/secrets/secret.ts';
import { createVirtualClock } from '../../harness/clock.ts';
import { createFakeInbox } from './inbox.ts';

const linux = { platform: 'linux', kernel: '6.8.0-45-generic' } as const;
const wsl = { platform: 'linux', kernel: '5.15.167.4-microsoft-standard-WSL2' } as const;
const windows = { platform: 'win32', kernel: '10.0.26100' } as const;
const mac = { platform: 'darwin', kernel: '24.6.0' } as const;
const display = { DISPLAY: ':0' };
const bare = { HOME: '/home/ann', PATH: '/usr/bin' };

describe('outside of the client a person is asked', () => {
  test.each<[string, typeof linux | typeof wsl | typeof windows | typeof mac, Record<string, string>, string]>([
    ['a Mac', mac, bare, 'page'],
    ['Windows', windows, bare, 'page'],
    ['Linux with a display', linux, display, 'page'],
    ['Linux with a Wayland display', linux, { WAYLAND_DISPLAY: 'wayland-0' }, 'page'],
    ['Linux where the host hands on no display', linux, bare, 'terminal'],
    ['Linux with empty displays', linux, { DISPLAY: '', WAYLAND_DISPLAY: '' }, 'terminal'],
    ['WSL by its kernel, also with a display', wsl, display, 'terminal'],
    ['a Mac whose kernel has a name of Microsoft', { ...mac, kernel: 'microsoft' } as never, bare, 'page'],
    ['a Mac over SSH', mac, { SSH_CONNECTION: '10.0.0.1 5 10.0.0.2 22' }, 'terminal'],
    ['Linux over SSH with a display', linux, { ...display, SSH_CLIENT: '10.0.0.1 5 22' }, 'terminal'],
    ['a terminal of SSH', linux, { ...display, SSH_TTY: '/dev/pts/1' }, 'terminal'],
    ['WSL by its variable', linux, { ...display, WSL_DISTRO_NAME: 'Debian' }, 'terminal'],
    ['a dev container', linux, { ...display, REMOTE_CONTAINERS: 'true' }, 'terminal'],
    ['a codespace', linux, { ...display, CODESPACES: 'true' }, 'terminal'],
    ['Linux with an empty mark of SSH', linux, { ...display, SSH_CONNECTION: '' }, 'page'],
  ])('on %s', (_, machine, environment, channel) => {
    expect(choosePreferred({ approval: 'auto', noBrowser: false }, environment, machine)).toBe(channel);
  });

  test.each<[string, ApprovalSetting, boolean, Record<string, string>, string | undefined]>([
    ['as the setting says, where there is no display', 'page', false, bare, 'page'],
    ['as the setting says, where there is one', 'terminal', false, display, 'terminal'],
    ['on a page whose file is named, without a browser', 'auto', true, bare, 'page'],
    ['at the terminal, which needs no browser', 'terminal', true, bare, 'terminal'],
    ['by choice beside a form of the client', 'form', false, display, 'page'],
    ['behind a sign-in, also where there is no display', 'signin', false, bare, 'signin'],
    ['nowhere with CI set, not even behind a sign-in', 'signin', false, { ...display, CI: 'true' }, undefined],
    ['nowhere with CI set', 'auto', false, { ...display, CI: 'true' }, undefined],
    ['nowhere with CI set to anything', 'auto', false, { ...display, CI: '1' }, undefined],
    ['nowhere with CI set, whatever the setting says', 'page', true, { ...display, CI: 'true' }, undefined],
    ['also with CI set to nothing', 'auto', false, { ...display, CI: '' }, 'page'],
    ['also with CI set to false', 'auto', false, { ...display, CI: 'false' }, 'page'],
  ])('%s', (_, approval, noBrowser, environment, channel) => {
    expect(choosePreferred({ approval, noBrowser }, environment, linux)).toBe(channel);
  });
});

const nameQuestion = (channel: Channel, nonce: string) => ({ nonce, id: nonce, channel });

/** Page and terminal on a desktop of one person, with a home folder of its own. */
async function onDesktop(
  use: (desktop: {
    readonly channels: ReturnType<typeof openExternalChannels>;
    readonly clock: ReturnType<typeof createVirtualClock>;
    readonly home: string;
    readonly said: readonly string[];
    readonly windows: readonly string[];
    readonly listLeft: () => string[];
  }) => Promise<void>,
  {
    approval = 'auto' as ApprovalSetting,
    noBrowser = false,
    environment = {} as Record<string, string>,
    signInParts = undefined as SignInParts | undefined,
  } = {},
) {
  const home = mkdtempSync(join(tmpdir(), 'mdi-home-'));
  const clock = createVirtualClock();
  const [said, windows]: [string[], string[]] = [[], []];
  const channels = openExternalChannels(
    { approval, approvers: 'requester', noBrowser },
    {
      clock,
      environment: { ...display, ...environment },
      home,
      openBrowser: async (file) => void windows.push(file),
      say: (line) => void said.push(line),
    },
    createFakeInbox('one', 'two'),
    signInParts,
  );
  const listLeft = () => {
    try {
      return readdirSync(join(home, '.mdi-sensors-mcp'));
    } catch {
      return [];
    }
  };
  clock.hold();
  await use({ channels, clock, home, said, windows, listLeft });
  channels.close();
  rmSync(home, { recursive: true, force: true });
}
const namePlace = (place: string) => place.replace(terminalPlace, 'AT THE TERMINAL');
const opened = async (windows: readonly string[]) => vi.waitFor(() => expect(windows).toHaveLength(1));

describe('page and terminal', () => {
  test('a question at the terminal opens a socket of this process, and no window', () =>
    onDesktop(async ({ channels, listLeft, windows, said }) => {
      expect(await channels.show('terminal', nameQuestion('terminal', 'one'), false)).toBeUndefined();
      const [note, socket] = listLeft().sort();
      expect(note?.replace(String(process.pid), 'PID')).toMatch(/^PID-[0-9a-f]{8}\.server$/);
      expect(socket).toBe(note?.replace('.server', '.sock'));
      expect([windows, said]).toEqual([[], []]);
    }));

  test('a question on the page opens a window from a folder of the same name, and the socket beside it', () =>
    onDesktop(async ({ channels, listLeft, windows }) => {
      expect(await channels.show('page', nameQuestion('page', 'one'), false)).toBeUndefined();
      await opened(windows);
      await vi.waitFor(() => expect(listLeft()).toHaveLength(2));
      const name = listLeft()[0]?.replace(/\.\w+$/, '');
      expect(basename(dirname(windows[0] ?? '')).startsWith(`mdi-sensors-mcp-${name}-`)).toBe(true);
    }));

  test('two questions share one page and one socket', () =>
    onDesktop(async ({ channels, listLeft, windows }) => {
      await channels.show('page', nameQuestion('page', 'one'), true);
      await channels.show('page', nameQuestion('page', 'two'), true);
      await vi.waitFor(() => expect(windows).toHaveLength(2));
      await vi.waitFor(() => expect(listLeft()).toHaveLength(2));
      expect(new Set(windows.map((file) => file.split('-').slice(0, -1).join('-'))).size).toBe(1);
    }));

  test('without a browser no window is opened, and the file is named', () =>
    onDesktop(
      async ({ channels, said, windows }) => {
        await channels.show('page', nameQuestion('page', 'one'), false);
        expect(said[0]).toMatch(/^A person's approval is needed\. Open this file in a browser: .+\/approval\.html$/);
        expect(said[1]).toMatch(/^Or answer at a terminal on \S+: .+ approve$/);
        expect([said.length, windows]).toEqual([2, []]);
      },
      { noBrowser: true },
    ));

  test('a form can be found at the terminal where a person can be asked outside of the client', () =>
    onDesktop(async ({ channels, listLeft, windows }) => {
      await channels.offerTerminal();
      expect(listLeft()).toHaveLength(2);
      expect(windows).toEqual([]);
    }));

  test('a form is enough where the terminal could not be opened, which is said', () =>
    onDesktop(async ({ channels, home, said }) => {
      writeFileSync(join(home, '.mdi-sensors-mcp'), '');
      await channels.offerTerminal();
      expect(said).toEqual([
        'The terminal for approvals could not be opened: its folder is not a folder of its own but a link or a file',
      ]);
    }));

  test('with CI set a form cannot be found anywhere', () =>
    onDesktop(
      async ({ channels, listLeft }) => {
        await channels.offerTerminal();
        expect([channels.preferred, listLeft()]).toEqual([undefined, []]);
      },
      { environment: { CI: 'true' } },
    ));

  test('a terminal that could not be opened is said, and opened with the next question', () =>
    onDesktop(async ({ channels, home, listLeft, said }) => {
      const folder = join(home, '.mdi-sensors-mcp');
      writeFileSync(folder, '');
      expect((await channels.show('terminal', nameQuestion('terminal', 'one'), false))?.message).toBe(
        'This needs a human approval, and the way to the terminal could not be opened (its folder is not a folder of its own but a link or a file).',
      );
      expect(said).toEqual([
        'The terminal for approvals could not be opened: its folder is not a folder of its own but a link or a file',
      ]);
      rmSync(folder);
      expect(await channels.show('terminal', nameQuestion('terminal', 'one'), false)).toBeUndefined();
      expect(listLeft()).toHaveLength(2);
    }));

  test('a page is shown also where the terminal beside it could not be opened', () =>
    onDesktop(async ({ channels, home, said, windows }) => {
      writeFileSync(join(home, '.mdi-sensors-mcp'), '');
      expect(await channels.show('page', nameQuestion('page', 'one'), false)).toBeUndefined();
      await opened(windows);
      await vi.waitFor(() =>
        expect(said).toEqual([
          'The terminal for approvals could not be opened: its folder is not a folder of its own but a link or a file',
        ]),
      );
    }));

  test('a page that could not be opened is told by the code of its error', () =>
    onDesktop(async ({ channels, said }) => {
      vi.stubEnv('TMPDIR', '/no/such/folder');
      expect((await channels.show('page', nameQuestion('page', 'one'), false))?.message).toBe(
        'This needs a human approval, and the approval page could not be opened (ENOENT).',
      );
      expect(said.map((line) => line.replace(/ENOENT.*/, 'ENOENT'))).toContain(
        'The page for approvals could not be opened: ENOENT',
      );
    }));

  test.each(['page', 'terminal'] as const)('a server that is ending opens nothing more: no %s', (channel) =>
    onDesktop(async ({ channels, said }) => {
      channels.close();
      expect((await channels.show(channel, nameQuestion(channel, 'one'), true))?.message).toContain(
        '(the server is ending)',
      );
      expect(said).toContain(`The ${channel} for approvals could not be opened: the server is ending`);
    }),
  );

  test('the end of the server takes away what it left in the home folder', () =>
    onDesktop(async ({ channels, listLeft }) => {
      await channels.offerTerminal();
      channels.close();
      await vi.waitFor(() => expect(listLeft()).toEqual([]));
    }));

  test('a window is unfetched five seconds after it was opened, and never before a page was shown', () =>
    onDesktop(async ({ channels, clock, windows }) => {
      expect(channels.isUnfetched('one')).toBe(false);
      await channels.show('page', nameQuestion('page', 'one'), false);
      await opened(windows);
      await clock.pass(4_999);
      expect(channels.isUnfetched('one')).toBe(false);
      await clock.pass(1);
      expect(channels.isUnfetched('one')).toBe(true);
    }));

  test('a sentence tells where the person finds the question', () =>
    onDesktop(async ({ channels, windows }) => {
      const places = () => namePlace(channels.describePlace(nameQuestion('page', 'one')));
      expect(namePlace(channels.describePlace(nameQuestion('terminal', 'one')))).toBe('AT THE TERMINAL');
      expect(namePlace(channels.describePlace(nameQuestion('form', 'one')))).toBe(
        "in the client's own form, or AT THE TERMINAL",
      );
      expect(places()).toBe(
        'on an approval page that opens in their browser once the one before it is answered, or 30 seconds after it, or AT THE TERMINAL',
      );
      await channels.show('page', nameQuestion('page', 'one'), false);
      await opened(windows);
      expect(places()).toBe('on the approval page that was opened in their browser, or AT THE TERMINAL');
      await channels.show('page', nameQuestion('page', 'two'), false);
      expect(namePlace(channels.describePlace(nameQuestion('page', 'two')))).toBe(
        'on an approval page that opens in their browser once the one before it is answered, or 30 seconds after it, or AT THE TERMINAL',
      );
    }));

  test('a sentence names the log where a person has to open the file', () =>
    onDesktop(
      async ({ channels }) => {
        await channels.show('page', nameQuestion('page', 'one'), false);
        expect(namePlace(channels.describePlace(nameQuestion('page', 'one')))).toBe(
          "on an approval page, whose file the server's log names, or AT THE TERMINAL",
        );
      },
      { noBrowser: true },
    ));
});

describe('the page behind a sign-in', () => {
  const signInParts: SignInParts = {
    openSignIn: async () => ({
      begin: async () => ({ address: 'https://login.contoso.test', sealed: 'sealed' }),
      finish: () => Promise.reject(new Error('nobody signs in here')),
    }),
    readKey: async () => new Secret('the key'),
  };
  const one = nameQuestion('signin', 'one');
  const namePort = (text = '') => text.replace(/localhost:\d+/, 'localhost:PORT');

  test('opens by its address, and no terminal beside it', () =>
    onDesktop(
      async ({ channels, listLeft, said, windows }) => {
        expect(channels.preferred).toBe('signin');
        await channels.offerTerminal();
        expect(await channels.show('signin', one, false)).toBeUndefined();
        await opened(windows);
        expect(namePort(windows[0])).toBe('http://localhost:PORT/approve/one');
        expect(namePort(channels.describePlace(one))).toBe(
          'on the page http://localhost:PORT/approve/one (which opens in their browser), after a sign-in with Microsoft Entra',
        );
        expect([said, listLeft()]).toEqual([[], []]);
      },
      { approval: 'signin', signInParts },
    ));

  test.each([
    ['on a desktop', {}, true],
    ['over SSH', { environment: { SSH_TTY: '/dev/pts/1' } }, false],
    ['without a browser', { noBrowser: true }, false],
    ['without a browser over SSH', { noBrowser: true, environment: { SSH_TTY: '/dev/pts/1' } }, false],
  ])('is on the screen where a window can be opened: %s', (_, setup, isOpened) =>
    onDesktop(
      async ({ channels, said, windows }) => {
        expect(channels.isOnScreen('signin')).toBe(isOpened);
        await channels.show('signin', one, true);
        if (isOpened) await opened(windows);
        expect([windows.length, said.map(namePort)]).toEqual(
          isOpened
            ? [1, []]
            : [0, ["A person's approval is needed. Open this address in a browser: http://localhost:PORT/approve/one"]],
        );
      },
      { approval: 'signin', signInParts, ...setup },
    ),
  );

  test('that could not be opened is told by its reason', () =>
    onDesktop(
      async ({ channels, said }) => {
        expect((await channels.show('signin', one, false))?.message).toBe(
          'This needs a human approval, and the approval page could not be opened (Entra does not answer).',
        );
        expect(said).toEqual(['The page for approvals could not be opened: Entra does not answer']);
      },
      {
        approval: 'signin',
        signInParts: { ...signInParts, openSignIn: () => Promise.reject(new Error('Entra does not answer')) },
      },
    ));

  test('is nowhere where nobody can sign in', () =>
    onDesktop(
      async ({ channels }) => {
        expect(channels.describePlace(one)).toBe('behind a sign-in');
        expect((await channels.show('signin', one, false))?.message).toContain('(nobody can sign in here)');
      },
      { approval: 'signin' },
    ));

  test('is on the screen of a desktop as a page is, and a terminal is not', () =>
    onDesktop(async ({ channels }) => {
      const all = ['page', 'terminal', 'signin'] as const;
      expect(all.filter((channel) => channels.isOnScreen(channel))).toEqual(['page', 'signin']);
    }));
});

describe('over HTTP', () => {
  const withoutEntra =
    'This needs a human approval, and over HTTP a person is asked by a sign-in at Microsoft Entra, which does not stand in front of this server.';

  test.each([
    ['without Entra in front', undefined, true, withoutEntra],
    ['without Entra in front, of several processes', undefined, false, withoutEntra],
    [
      'of several processes',
      'https://mdi.contoso.test',
      false,
      'This needs a human approval, and this server may have siblings that do not know of each other.',
    ],
    ['of one process behind Entra', 'https://mdi.contoso.test', true, undefined],
  ])('it is told why nobody can be asked by a server %s', (_, publicUrl, singleProcess, message) => {
    expect(explainNoSignIn({ publicUrl, singleProcess })?.message).toBe(message);
  });

  test('nobody is asked without Entra in front', async () => {
    const question = nameQuestion('signin', 'one');
    expect((await noChannels.show('signin', question, true))?.message).toBe(withoutEntra);
    expect(await noChannels.offerTerminal()).toBeUndefined();
    expect([noChannels.preferred, noChannels.isOnScreen('page'), noChannels.isUnfetched('one')]).toEqual([
      undefined,
      false,
      false,
    ]);
    expect(noChannels.describePlace(question)).toBe('nowhere');
  });
});

describe('the launcher of a browser', () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.doUnmock('open');
  });

  /** Launches a browser with a launcher that has ended, or ends later, or stays; tells what has come of it after so long. */
  async function launch(endedWith: number | null, later?: { readonly afterMs: number; readonly exitCode: number }) {
    const child = Object.assign(new EventEmitter(), { exitCode: endedWith });
    const open = vi.fn(async (..._: unknown[]) => child);
    vi.doMock('open', () => ({ default: open }));
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    let result = 'waits';
    openBrowser('/tmp/approval.html').then(
      () => {
        result = 'launched';
      },
      (error: Error) => {
        result = error.message;
      },
    );
    while (open.mock.calls.length === 0) await new Promise(setImmediate);
    if (later !== undefined) {
      setTimeout(() => {
        child.exitCode = later.exitCode;
        child.emit('exit');
      }, later.afterMs);
    }
    const pass = async (durationMs: number) => {
      await vi.advanceTimersByTimeAsync(durationMs);
      return result;
    };
    return { open, pass };
  }

  test('is given the file, and leaves its browser alone', async () => {
    expect((await launch(0)).open.mock.calls).toEqual([['/tmp/approval.html', { wait: false }]]);
  });

  test.each([
    ['has ended well', 0, 'launched'],
    ['has failed', 3, 'no browser could be opened'],
    ['runs', null, 'waits'],
  ])('that %s already', async (_, exitCode, result) => {
    expect(await (await launch(exitCode)).pass(0)).toBe(result);
  });

  test.each([
    ['ends well', 0, 'launched'],
    ['fails', 1, 'no browser could be opened'],
  ])('that %s a second later is waited for until then', async (_, exitCode, result) => {
    const { pass } = await launch(null, { afterMs: 1_000, exitCode });
    expect(await pass(990)).toBe('waits');
    expect(await pass(20)).toBe(result);
  });

  test('that stays is waited for three seconds: its browser is open', async () => {
    const { pass } = await launch(null);
    expect(await pass(2_999)).toBe('waits');
    expect(await pass(1)).toBe('launched');
  });
});

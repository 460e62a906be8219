import { describe, expect, test, vi } from 'vitest';
import { LocalSignIn } from '../../../src/approval/channels/signinLocal.ts';
import { hostName } from '../../../src/command.ts';
import type { SignIn } from '../../../src/entra/signIn.ts';
import { Secret } from '../../../src/secrets/secret.ts';
import { createVirtualClock } from '../../harness/clock.ts';
import { createFakeInbox, makeView } from './inbox.ts';

const signIn: SignIn = {
  begin: async ({ subject }) => ({ address: `https://login.contoso.test/${subject}`, sealed: 'sealed' }),
  finish: async () => {
    throw new Error('nobody signs in here');
  },
};
const one = { nonce: 'one', id: 'q1', channel: 'signin' } as const;
const two = { nonce: 'two', id: 'q2', channel: 'signin' } as const;

interface Desktop {
  readonly local: LocalSignIn;
  readonly clock: ReturnType<typeof createVirtualClock>;
  readonly inbox: ReturnType<typeof createFakeInbox>;
  readonly said: string[];
  readonly windows: string[];
  /** How often somebody was to sign in for the first time, and how that goes. */
  readonly openSignIn: ReturnType<typeof vi.fn<() => Promise<SignIn>>>;
}

/** The page behind a sign-in on a machine with two questions that wait; ports and hosts are said as words. */
async function onMachine(browser: 'none' | 'opens' | 'fails', use: (desktop: Desktop) => Promise<void>) {
  const ending = new AbortController();
  const clock = createVirtualClock();
  clock.hold();
  const inbox = createFakeInbox();
  for (const { nonce, id } of [one, two]) inbox.views.set(nonce, makeView(nonce, { id, channel: 'signin' }));
  const [said, windows]: [string[], string[]] = [[], []];
  const openSignIn = vi.fn(async () => signIn);
  const local = new LocalSignIn({
    inbox,
    approvers: 'requester',
    clock,
    parts: { openSignIn, readKey: async () => new Secret('the key') },
    ending: ending.signal,
    openBrowser:
      browser === 'none'
        ? undefined
        : async (address) => {
            if (browser === 'fails') throw new Error('no browser could be opened');
            windows.push(address);
          },
    say: (line) => void said.push(line),
  });
  await use({ local, clock, inbox, said, windows, openSignIn });
  ending.abort();
}
const namePort = (text = '') => text.replace(/localhost:\d+/, 'localhost:PORT').replace(hostName, 'HOST');

describe('a question behind a sign-in on this machine', () => {
  test('opens in a browser by its address, which leads to the sign-in', () =>
    onMachine('opens', async ({ local, said, windows }) => {
      await local.show(one, false);
      await vi.waitFor(() => expect(windows.map(namePort)).toEqual(['http://localhost:PORT/approve/q1']));
      expect(await (await fetch(windows[0] ?? '')).text()).toContain('href="/approve/q1/sign-in"');
      const begun = await fetch(`${windows[0]}/sign-in`, { redirect: 'manual' });
      expect(begun.headers.get('location')).toBe('https://login.contoso.test/q1');
      expect(said).toEqual([]);
    }));

  test('is said by its address where there is no browser', () =>
    onMachine('none', async ({ local, said }) => {
      await local.show(one, false);
      await local.show(two, false);
      expect(said.map(namePort)).toEqual([
        "A person's approval is needed. Open this address in a browser: http://localhost:PORT/approve/q1",
        "A person's approval is needed. Open this address in a browser: http://localhost:PORT/approve/q2",
      ]);
    }));

  test('is said by its address where the browser could not be opened', () =>
    onMachine('fails', async ({ local, said }) => {
      await local.show(one, false);
      await vi.waitFor(() =>
        expect(said.map(namePort)).toEqual([
          "A person's approval is needed. Open this address in a browser: http://localhost:PORT/approve/q1",
        ]),
      );
    }));

  test('opens 30 seconds after the one before it', () =>
    onMachine('opens', async ({ local, clock, windows }) => {
      await local.show(one, false);
      await local.show(two, false);
      await vi.waitFor(() => expect(windows).toHaveLength(1));
      await clock.pass(29_999);
      expect(windows).toHaveLength(1);
      await clock.pass(1);
      await vi.waitFor(() => expect(namePort(windows[1])).toBe('http://localhost:PORT/approve/q2'));
    }));

  test('opens at once where that is asked for', () =>
    onMachine('opens', async ({ local, windows }) => {
      await local.show(one, false);
      await local.show(two, true);
      await vi.waitFor(() => expect(windows).toHaveLength(2));
    }));

  test.each([
    ['was answered', (inbox: Desktop['inbox']) => void inbox.answer('two', { kind: 'decline' }, 'signin')],
    ['is forgotten', (inbox: Desktop['inbox']) => void inbox.views.delete('two')],
  ])('opens no window when it %s before its turn', (_, change) =>
    onMachine('opens', async ({ local, clock, inbox, said, windows }) => {
      await local.show(one, false);
      await local.show(two, false);
      await vi.waitFor(() => expect(windows).toHaveLength(1));
      change(inbox);
      await clock.pass(30_000);
      await new Promise(setImmediate);
      expect([windows.map(namePort), said]).toEqual([['http://localhost:PORT/approve/q1'], []]);
    }),
  );

  test('is served by one page for all, under one address', () =>
    onMachine('none', async ({ local, said, openSignIn }) => {
      await Promise.all([local.show(one, false), local.show(two, false)]);
      await local.show(one, false);
      expect(openSignIn).toHaveBeenCalledTimes(1);
      expect(new Set(said.map((line) => /localhost:\d+/.exec(line)?.[0])).size).toBe(1);
    }));

  test('that could not be served can be shown again later', () =>
    onMachine('none', async ({ local, said, openSignIn }) => {
      openSignIn.mockRejectedValueOnce(new Error('Entra does not answer'));
      await expect(local.show(one, false)).rejects.toThrow('Entra does not answer');
      expect([said, namePort(local.describePlace(one))]).toEqual([[], nowhereYet]);
      await local.show(one, false);
      expect(said).toHaveLength(1);
    }));
});

const nowhereYet = 'on the page (on the machine or container HOST), after a sign-in with Microsoft Entra';

describe('where a person finds it', () => {
  test('is said with its address as soon as that is known', () =>
    onMachine('none', async ({ local }) => {
      expect(namePort(local.describePlace(one))).toBe(nowhereYet);
      await local.show(one, false);
      expect(namePort(local.describePlace(two))).toBe(
        'on the page http://localhost:PORT/approve/q2 (on the machine or container HOST), after a sign-in with Microsoft Entra',
      );
    }));

  test('is their browser where there is one', () =>
    onMachine('opens', async ({ local }) => {
      expect(local.describePlace(one)).toBe(
        'on the page (which opens in their browser), after a sign-in with Microsoft Entra',
      );
      await local.show(one, false);
      expect(namePort(local.describePlace(one))).toBe(
        'on the page http://localhost:PORT/approve/q1 (which opens in their browser), after a sign-in with Microsoft Entra',
      );
    }));
});

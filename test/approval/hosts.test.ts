import { once } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { answerAtOnce, type ClientKind, connect, kinds, type Person, type TestClient } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { askSocket, openOfferedPage, waitForPageAddress } from '../harness/outside.ts';
import { startServer, type TestServer } from '../harness/server.ts';
import { tools } from '../harness/tools.ts';
import { readText, rightName, startAttacker, victim } from './attacker.ts';
import { acceptWith, createDoor, readRecords } from './cases.ts';

/** Hosts that do not bring a person's answer; the last but one gives the call up when it has been asked. */
const hosts: [string, (giveUp: () => void) => Person | undefined][] = [
  ['cannot show forms', () => undefined],
  ['accepts by itself with {}', () => () => acceptWith({})],
  ['declines in 20 ms', () => answerAtOnce((_, pass) => pass(20).then(() => ({ action: 'decline' })))],
  [
    'never answers a form',
    (giveUp) => () => {
      giveUp();
      return new Promise(() => undefined);
    },
  ],
  [
    'answers a form with a JSON-RPC error',
    () => () => {
      throw new Error('this host cannot draw forms');
    },
  ],
];

const people = {
  async page({ pass }: TestServer, client: TestClient) {
    const page = await openOfferedPage(await waitForPageAddress(client.stderr), pass);
    return (await page.post({ decision: 'approve', typed: 'DC07.contoso.com' })).status;
  },
  async terminal({ home }: TestServer) {
    const [asked] = await askSocket(home, { do: 'list' });
    const typed = 'DC07.contoso.com';
    const [now] = await askSocket(home, { do: 'approve', nonce: asked?.nonce, typed });
    return now?.state === 'waiting' ? 0 : 303;
  },
};

/** Calls until the server says that a person is asked outside the client, as a model does that is told to call again. */
async function pending(server: TestServer, call: () => Promise<{ readonly text: string }>): Promise<void> {
  const texts: string[] = [];
  for (let attempt = 0; attempt < 3; attempt++) {
    const { text } = await call().catch((error: Error) => ({ text: error.message }));
    if (text.startsWith('approval_pending: A person is asked ')) return;
    texts.push(text);
    await server.pass?.(2_100);
  }
  throw new Error(`nobody was asked outside the client: ${texts.join('; ')}`);
}

describe.concurrent.each(['page', 'terminal'] as const)('on the %s', (channel) => {
  describe.concurrent.each(kinds)('through a %s client', (kind: ClientKind) => {
    test.each(hosts)(
      'a deletion in a host that %s succeeds after a person approved, and only then',
      async (_, host) => {
        const server = await startServer({
          flags: { approval: 'auto', noBrowser: channel === 'page' },
          patience: 0,
        });
        let call = new AbortController();
        const client = await connect(
          kind,
          server,
          host(() => call.abort()),
        );
        const args = { id: find('sensors', 'DC07.contoso.com') };
        const remove = () => {
          call = new AbortController();
          const { signal } = call;
          const givenUp = once(signal, 'abort').then(() => ({ text: 'given up' }));
          return Promise.race([client.call('delete_sensor', args, { signal }), givenUp]);
        };
        await pending(server, remove);
        expect(await server.gated()).toBe(0);
        expect(await people[channel](server, client)).toBe(303);
        expect(await server.gated()).toBe(0);
        expect((await remove()).text).toContain('Deleted; Graph answers 404 for it now');
        expect((await remove()).text).toMatch(/^already_done: /);
        expect(await server.gated()).toBe(1);
        await client.close();
        await server.end();
      },
    );
  });
});

const inAuto = { flags: { approval: 'auto', noBrowser: true }, patience: 0 };

/** The form of a deletion that nobody answers, and after this long a question of another kind. */
async function askForSomethingElse(afterMs: number, env: Readonly<Record<string, string>> = {}) {
  const { ask, end, server } = await startAttacker('modern', inAuto, (options) => startServer({ ...options, env }));
  const form = await ask('delete_sensor', victim);
  await server.pass?.(afterMs);
  const next = await ask('regenerate_deployment_access_key', {}).then(
    () => 'form',
    (error: Error) => error.message,
  );
  return { form, next, end, kinds: () => readRecords(server).map(({ kind }) => kind) };
}

test('a form that was left unanswered is recorded with the next question, which goes to the page; it can still be answered', async () => {
  const { form, next, end, kinds } = await askForSomethingElse(2_100);
  expect(next).toMatch(/^approval_pending: A person is asked on an approval page/);
  expect(kinds()).toEqual(['start', 'question', 'unanswered', 'question']);
  await form.answer('accept', rightName);
  expect(kinds().slice(4)).toEqual(['answer', 'acting', 'outcome']);
  expect(await end()).toBe(1);
});

test('two questions at once leave no form unanswered', async () => {
  const { next, end, kinds } = await askForSomethingElse(1_900);
  expect(next).toBe('form');
  expect(kinds()).toEqual(['start', 'question', 'question']);
  expect(await end()).toBe(0);
});

test('where nobody can be asked elsewhere, a form that was left unanswered is followed by the next one', async () => {
  const { next, end, kinds } = await askForSomethingElse(2_100, { CI: 'true' });
  expect(next).toBe('form');
  expect(kinds()).toEqual(['start', 'question', 'unanswered', 'question']);
  expect(await end()).toBe(0);
});

test('a page that waits is no form that was left unanswered: the next question that fits a form is one', async () => {
  const { raw, ask, end, server } = await startAttacker('modern', inAuto);
  const { args } = tools.update_activation_configuration;
  expect(readText(await raw.call('update_activation_configuration', args))).toMatch(
    /^approval_pending: .* on an approval page/,
  );
  await server.pass(2_100);
  expect((await ask('delete_sensor', victim)).typed).toBe('DC07.contoso.com');
  expect(readRecords(server).map(({ kind }) => kind)).toEqual(['start', 'question', 'question']);
  expect(await end()).toBe(0);
});

test('a form that an equal call got while this one was still planning is not left unanswered', async () => {
  let reads = 0;
  const door = createDoor(({ path }) => path.endsWith(victim.id) && ++reads === 1);
  const tenant = { beforeRequest: door.beforeRequest };
  const { raw, ask, end, server } = await startAttacker('modern', { ...inAuto, tenant });
  const slow = raw.call('delete_sensor', victim);
  await vi.waitFor(() => expect(reads).toBe(1), 10_000);
  await ask('delete_sensor', victim);
  await server.pass(2_100);
  door.open();
  expect(readText(await slow)).toMatch(/^a new question: /);
  expect(readRecords(server).map(({ kind }) => kind)).toEqual(['start', 'question']);
  expect(await end()).toBe(0);
});

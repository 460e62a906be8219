import { existsSync, mkdtempSync } from 'node:fs';
import { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as settle } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ApprovalPage } from '../../../src/approval/channels/page.ts';
import { createVirtualClock } from '../../harness/clock.ts';
import { readAddress, sendHttp } from '../../harness/outside.ts';
import { createFakeInbox } from './inbox.ts';

let ending = new AbortController();
afterEach(() => {
  ending.abort();
  ending = new AbortController();
  vi.restoreAllMocks();
});

/** The page of an inbox with these questions, on a clock that stands, and the browser that it opens. */
function openPage(...waiting: readonly string[]) {
  const inbox = createFakeInbox(...waiting);
  const clock = createVirtualClock();
  const files: string[] = [];
  const page = new ApprovalPage({
    inbox,
    clock,
    folderPrefix: join(mkdtempSync(join(tmpdir(), 'mdi-page-')), 'of-a-server-'),
    ending: ending.signal,
    openBrowser: async (file) => void files.push(file),
    say: () => undefined,
  });
  let origin = '';
  /** Shows a question at once; resolves with the way in. */
  const show = async (nonce: string): Promise<string> => {
    await page.show(nonce, true);
    await settle();
    const address = new URL(readAddress(files.at(-1)));
    origin = address.origin;
    return address.pathname;
  };
  /** Gets a path, or posts fields to it. */
  const send = async (path: string, fields?: Fields, headers: Readonly<Record<string, string>> = {}) => {
    if (fields === undefined) return sendHttp(`${origin}${path}`, { headers });
    const own = { Origin: origin, 'Content-Type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams(fields).toString();
    return sendHttp(`${origin}${path}`, { method: 'POST', headers: { ...own, ...headers }, body });
  };
  const ask = async (path: string, fields?: Fields) => describeAnswer(await send(path, fields));
  /** Gets a path that leads on; resolves with where it leads. */
  const follow = async (path: string, fields?: Fields) => (await send(path, fields)).headers.location ?? '';
  const readSecret = async (path: string) => /name="secret" value="([^"]+)"/.exec((await send(path)).body)?.[1] ?? '';
  /** Opens a question as a browser does; resolves with its path and its secret once it has been read. */
  const read = async (nonce: string) => {
    const path = await follow(await show(nonce));
    const secret = await readSecret(path);
    await clock.pass(1_000);
    return { path, secret };
  };
  return { inbox, clock, files, page, show, send, ask, follow, readSecret, read };
}
type Fields = [string, string][] | Readonly<Record<string, string>>;
type OpenedPage = ReturnType<typeof openPage>;

/** A question with its problem, an outcome with what can be done, or the sentence of any other answer. */
function describeAnswer({ status, headers, body }: Awaited<ReturnType<typeof sendHttp>>): string {
  if (headers.location !== undefined) return `${status} to ${headers.location.replace(/[\w-]{32}/, 'ADDRESS')}`;
  const find = (pattern: RegExp) => pattern.exec(body)?.[1];
  const outcome = find(/<p role="status">(.*?)<\/p>/);
  if (outcome !== undefined) return `${status} outcome: ${outcome}${body.includes('<form') ? ' Can be lifted.' : ''}`;
  if (body.includes('name="decision"')) return `${status} question: ${find(/role="alert">(.*?)<\/p>/) ?? ''}`;
  return `${status}: ${find(/<h1>.*<\/h1><p>(.*?)<\/p>/)}`;
}

const question = '200 question: ';
const onward = '303 to /q/ADDRESS';
const toOutcome = '303 to /q/ADDRESS/outcome';
const notFound = '404: There is no question here.';
const foreign = '403: This answer did not come from the page itself. Nothing was changed.';
const madeVoid =
  '403: This question was opened a second time, so it is void: the assistant has to ask again. Nothing was changed.';
const declined = '200 outcome: A person declined.';
const liftable = `${declined} Can be lifted.`;

const yes = { decision: 'approve', typed: 'DC07.contoso.com' };
const decline = { decision: 'decline' };

type State = 'entrance' | 'entered' | 'unopened' | 'open' | 'answered';
/** Brings a question so far that its address is in this state; resolves with the random part of that. */
async function bringTo(state: State, { show, follow, readSecret, clock }: OpenedPage) {
  const entrance = await show('one');
  if (state === 'entrance') return { address: entrance.slice(-32), secret: '' };
  const path = await follow(entrance);
  if (state === 'entered') return { address: entrance.slice(-32), secret: '' };
  if (state === 'unopened') return { address: path.slice(-32), secret: '' };
  const secret = await readSecret(path);
  await clock.pass(1_000);
  if (state === 'answered') await follow(path, { ...decline, secret });
  return { address: path.slice(-32), secret };
}

describe('one address', () => {
  /** What it answers to each request, and what that does to the question. */
  const requests = ['enter', 'open', 'answer', 'look', 'lift'] as const;
  const voided = `${madeVoid} + withdraw`;
  const tooLate = `${declined} + withdraw`;
  describe.each<[State, 'waits' | 'was declined', readonly string[]]>([
    ['entrance', 'waits', [onward, notFound, toOutcome, notFound, foreign]],
    ['entered', 'waits', [voided, voided, toOutcome, notFound, foreign]],
    ['unopened', 'waits', [voided, question, toOutcome, notFound, foreign]],
    ['open', 'waits', [voided, voided, `${toOutcome} + answer`, notFound, foreign]],
    ['entrance', 'was declined', [onward, notFound, toOutcome, declined, foreign]],
    ['entered', 'was declined', [tooLate, toOutcome, toOutcome, declined, foreign]],
    ['unopened', 'was declined', [tooLate, toOutcome, toOutcome, declined, foreign]],
    ['open', 'was declined', [tooLate, toOutcome, toOutcome, declined, foreign]],
    ['answered', 'was declined', [tooLate, toOutcome, toOutcome, liftable, foreign]],
  ])('in the state %s, whose question %s,', (state, is, answers) => {
    test.each(requests.map((what, at) => [what, answers[at]] as const))(
      'answers who wants to %s',
      async (what, answer) => {
        const opened = openPage('one');
        const { address, secret } = await bringTo(state, opened);
        const { inbox, ask } = opened;
        if (is === 'was declined' && state !== 'answered') await inbox.answer('one', { kind: 'decline' }, 'terminal');
        inbox.deeds.length = 0;
        const asks = {
          enter: () => ask(`/open/${address}`),
          open: () => ask(`/q/${address}`),
          answer: () => ask(`/q/${address}`, { ...yes, secret }),
          look: () => ask(`/q/${address}/outcome`),
          lift: () => ask(`/q/${address}/outcome`, { secret }),
        };
        expect([await asks[what](), ...inbox.deeds.map(([deed]) => deed)].join(' + ')).toBe(answer);
      },
    );
  });

  test.each(['/', `/open/${'A'.repeat(32)}`, `/q/${'A'.repeat(32)}`, `/q/${'A'.repeat(32)}/outcome`])(
    'that never was, %s, answers nothing',
    async (path) => {
      const { show, ask, inbox } = openPage('one');
      await show('one');
      expect(await ask(path)).toBe(notFound);
      expect(inbox.deeds).toEqual([]);
    },
  );

  test('is nothing any more when its question is forgotten', async () => {
    const { show, ask, inbox } = openPage('one');
    const entrance = await show('one');
    inbox.views.delete('one');
    expect(await ask(entrance)).toBe(notFound);
  });

  test('is forgotten when 200 others came after it', async () => {
    const nonces = Array.from({ length: 201 }, (_, at) => `q${at}`);
    const { show, ask } = openPage(...nonces);
    const entrances: string[] = [];
    for (const nonce of nonces) entrances.push(await show(nonce));
    expect(await ask(entrances[0] ?? '')).toBe(notFound);
    expect(await ask(entrances[1] ?? '')).toBe(onward);
  });

  test('answers only who asks under the name that was opened', async () => {
    const { show, send } = openPage('one');
    const answer = await send(await show('one'), undefined, { Host: 'localhost' });
    expect(describeAnswer(answer)).toBe('403: This address is not the one that was opened. Nothing was changed.');
  });
});

describe('an answer', () => {
  test.each<[string, Record<string, string>, object]>([
    ['approves with what was typed', yes, { kind: 'approve', typed: 'DC07.contoso.com' }],
    [
      'approves with what was typed, also where it is wrong',
      { ...yes, typed: ' dc7' },
      { kind: 'approve', typed: ' dc7' },
    ],
    ['approves with nothing where nothing was typed', { decision: 'approve' }, { kind: 'approve', typed: '' }],
    ['declines, whatever was typed', { ...yes, ...decline }, { kind: 'decline' }],
    ['declines by a text that says no', { ...yes, typed: ' No ' }, { kind: 'decline' }],
  ])('%s', async (_, fields, decision) => {
    const { read, ask, inbox } = openPage('one');
    const { path, secret } = await read('one');
    expect(await ask(path, { ...fields, secret })).toBe(toOutcome);
    expect(inbox.deeds).toEqual([['answer', 'one', decision, 'page']]);
  });

  test.each<[string, (secret: string) => Fields]>([
    ['a guessed secret', () => ({ ...yes, secret: 'A'.repeat(32) })],
    ['an empty secret', () => ({ ...yes, secret: '' })],
    ['no secret', () => yes],
    ['two secrets', (secret) => [...Object.entries(yes), ['secret', secret], ['secret', secret]]],
    ['no decision', (secret) => ({ typed: 'DC07.contoso.com', secret })],
    ['another decision', (secret) => ({ ...yes, decision: 'yes', secret })],
    ['two decisions', (secret) => [...Object.entries(yes), ['decision', 'decline'], ['secret', secret]]],
    ['two texts', (secret) => [...Object.entries(yes), ['typed', 'DC70'], ['secret', secret]]],
  ])('with %s is refused, and the form stays open', async (_, makeFields) => {
    const { read, ask, inbox } = openPage('one');
    const { path, secret } = await read('one');
    expect(await ask(path, makeFields(secret))).toBe(foreign);
    expect(inbox.deeds).toEqual([]);
    expect(await ask(path, { ...yes, secret })).toBe(toOutcome);
  });

  test.each(['', '/outcome'])('of more than 8 KiB is refused%s', async (below) => {
    const { read, ask } = openPage('one');
    const { path, secret } = await read('one');
    expect(await ask(`${path}${below}`, { ...yes, secret, more: 'x'.repeat(8_192) })).toBe(
      '403: This answer is too long. Nothing was changed.',
    );
  });

  test('within a second gets the question again, under a new secret and for another second', async () => {
    const { show, follow, readSecret, send, ask, clock, inbox } = openPage('one');
    const path = await follow(await show('one'));
    const secret = await readSecret(path);
    await clock.pass(999);
    const again = await send(path, { ...yes, secret });
    expect(describeAnswer(again)).toBe(
      '200 question: That was too fast to have been read. Please read it and answer again.',
    );
    const renewed = /name="secret" value="([^"]+)"/.exec(again.body)?.[1] ?? '';
    await clock.pass(1_000);
    expect(await ask(path, { ...yes, secret })).toBe(foreign);
    expect(inbox.deeds).toEqual([]);
    expect(await ask(path, { ...yes, secret: renewed })).toBe(toOutcome);
  });

  test('by Enter alone gets the question again', async () => {
    const { read, ask, inbox } = openPage('one');
    const { path, secret } = await read('one');
    expect(await ask(path, { ...yes, decision: 'neither', secret })).toBe('200 question: Choose Decline or Approve.');
    expect(inbox.deeds).toEqual([]);
  });
});

describe('a question that is opened a second time', () => {
  test('is void, since somebody else may have seen it', async () => {
    const { read, ask, inbox } = openPage('one');
    const { path } = await read('one');
    expect(await ask(path)).toBe(madeVoid);
    expect(inbox.deeds).toEqual([['withdraw', 'one', 'It was opened twice, so somebody else may have seen it']]);
  });

  test('is void also when it was approved, and not yet used', async () => {
    const { show, follow, ask, inbox } = openPage('one');
    const entrance = await show('one');
    await follow(entrance);
    await inbox.answer('one', { kind: 'approve', typed: '' }, 'terminal');
    expect(await ask(entrance)).toBe(madeVoid);
  });

  test('shows what becomes of it when that can no longer be changed', async () => {
    const { show, follow, ask, inbox } = openPage('one');
    const entrance = await show('one');
    await follow(entrance);
    const view = await inbox.view('one');
    if (view !== undefined) inbox.views.set('one', { ...view, state: 'acting' });
    expect(await ask(entrance)).toBe('200 outcome: Approved. It is being done now.');
  });

  test('is void also when it is forgotten at that moment', async () => {
    const { show, follow, ask, inbox } = openPage('one');
    const entrance = await show('one');
    await follow(entrance);
    inbox.withdraw = async (nonce) => void inbox.views.delete(nonce);
    expect(await ask(entrance)).toBe(madeVoid);
  });
});

describe('the outcome', () => {
  test('is waited for, two seconds at most', async () => {
    const { read, follow, ask, clock, inbox } = openPage('one');
    const { path, secret } = await read('one');
    const outcome = await follow(path, { ...yes, secret });
    const before = clock.monotonic();
    expect(await ask(outcome)).toBe(
      '200 outcome: Approved. It is done as soon as the assistant calls again, within 5 minutes.',
    );
    expect(clock.monotonic() - before).toBe(2_000);
    const view = await inbox.view('one');
    if (view !== undefined) inbox.views.set('one', { ...view, state: 'ended', sentence: 'Deleted.' });
    expect(await ask(outcome)).toBe('200 outcome: Deleted.');
  });

  test('is what it was when the question is forgotten meanwhile', async () => {
    const { read, follow, ask, inbox } = openPage('one');
    const { path, secret } = await read('one');
    const outcome = await follow(path, { ...yes, secret });
    const { view } = inbox;
    let reads = 0;
    inbox.view = async (nonce) => (reads++ === 0 ? view(nonce) : undefined);
    expect(await ask(outcome)).toBe(
      '200 outcome: Approved. It is done as soon as the assistant calls again, within 5 minutes.',
    );
  });
});

describe('what was declined on the page', () => {
  const readDeclined = async (opened: OpenedPage) => {
    const { path, secret } = await opened.read('one');
    const outcome = await opened.follow(path, { ...decline, secret });
    return { outcome, secret };
  };

  test('can be lifted there by who has read that for a second', async () => {
    const opened = openPage('one');
    const { outcome } = await readDeclined(opened);
    const secret = await opened.readSecret(outcome);
    await opened.clock.pass(1_000);
    opened.inbox.deeds.length = 0;
    expect(await opened.ask(outcome, { secret })).toBe(toOutcome);
    expect(opened.inbox.deeds).toEqual([['lift', 'one']]);
    expect(await opened.ask(outcome)).toBe('200 outcome: A person declined. It may be asked again.');
  });

  test('is not lifted by a second click on the same spot, which gets the form again', async () => {
    const opened = openPage('one');
    const { outcome } = await readDeclined(opened);
    const secret = await opened.readSecret(outcome);
    await opened.clock.pass(999);
    opened.inbox.deeds.length = 0;
    const again = await opened.send(outcome, { secret });
    expect(describeAnswer(again)).toBe(liftable);
    const renewed = /name="secret" value="([^"]+)"/.exec(again.body)?.[1] ?? '';
    await opened.clock.pass(1_000);
    expect(await opened.ask(outcome, { secret })).toBe(foreign);
    expect(opened.inbox.deeds).toEqual([]);
    expect(await opened.ask(outcome, { secret: renewed })).toBe(toOutcome);
  });

  test('is not lifted by who comes to its outcome second', async () => {
    const opened = openPage('one');
    const { outcome } = await readDeclined(opened);
    expect(await opened.ask(outcome)).toBe(liftable);
    expect(await opened.ask(outcome)).toBe(declined);
  });

  test.each<[string, (own: string, secret: string) => Fields]>([
    ['before it is shown, with an empty secret', () => ({ secret: '' })],
    ['before it is shown, with the secret of the answer', (own) => ({ secret: own })],
    ['with a guessed secret', () => ({ secret: 'A'.repeat(32) })],
    ['without a secret', () => ({ decision: 'lift' })],
    [
      'with two secrets',
      (_, secret) => [
        ['secret', secret],
        ['secret', secret],
      ],
    ],
  ])('is not lifted %s', async (name, makeFields) => {
    const opened = openPage('one');
    const { outcome, secret } = await readDeclined(opened);
    const shown = name.startsWith('before') ? '' : await opened.readSecret(outcome);
    await opened.clock.pass(1_000);
    opened.inbox.deeds.length = 0;
    expect(await opened.ask(outcome, makeFields(secret, shown))).toBe(foreign);
    expect(opened.inbox.deeds).toEqual([]);
  });
});

describe('the windows', () => {
  test('one question has one window', async () => {
    const { page, show, files } = openPage('one');
    await show('one');
    await page.show('one', true);
    await settle();
    expect(files).toHaveLength(1);
  });

  test('a window is unfetched five seconds after it was opened, unless a browser came', async () => {
    const { page, show, follow, clock } = openPage('one', 'two');
    const [entrance] = [await show('one'), await show('two')];
    expect([page.getState('one'), page.isUnfetched('one')]).toEqual(['opened', false]);
    await follow(entrance);
    await clock.pass(5_000);
    expect([page.isUnfetched('one'), page.isUnfetched('two')]).toEqual([false, true]);
  });

  test('the file goes when a browser came by it', async () => {
    const { show, follow, files } = openPage('one');
    const entrance = await show('one');
    expect(existsSync(files[0] ?? '')).toBe(true);
    await follow(entrance);
    expect(existsSync(files[0] ?? '')).toBe(false);
  });

  test('the file goes when the question is over', async () => {
    const { show, clock, files, inbox } = openPage('one', 'two');
    await show('one');
    await show('two');
    await inbox.answer('one', { kind: 'decline' }, 'terminal');
    inbox.views.delete('two');
    await clock.pass(2_000);
    expect(files.map((file) => existsSync(file))).toEqual([false, false]);
  });

  test('the next one opens when the outcome of the one before it is seen', async () => {
    const { page, clock, read, follow, send } = openPage('one', 'two');
    clock.hold();
    const { path, secret } = await read('one');
    await page.show('two', false);
    const outcome = await follow(path, { ...decline, secret });
    expect(page.getState('two')).toBe('queued');
    await send(outcome);
    expect(page.getState('two')).toBe('opened');
  });

  test('what could not be served is served the next time', async () => {
    const { page, show, ask } = openPage('one');
    vi.spyOn(Server.prototype, 'listen').mockImplementationOnce(function (this: Server) {
      process.nextTick(() => this.emit('error', new Error('no ports')));
      return this;
    });
    await expect(page.show('one', true)).rejects.toThrow('no ports');
    expect(await ask(await show('one'))).toBe(onward);
  });
});

describe('a question that was asked anew', () => {
  /** One is answered on the page, and `next` takes its place. */
  const replace = async (opened: OpenedPage) => {
    const { path, secret } = await opened.read('one');
    const outcome = await opened.follow(path, { ...yes, typed: 'DC70', secret });
    const view = await opened.inbox.view('one');
    if (view !== undefined)
      opened.inbox.views.set('one', { ...view, state: 'ended', sentence: 'Asked anew.', replacedBy: 'next' });
    return outcome;
  };
  const anew = '200 outcome: This was asked anew in another window.';

  test('goes on in the same window', async () => {
    const opened = openPage('one', 'next');
    const outcome = await replace(opened);
    const next = await opened.follow(outcome);
    expect(await opened.ask(next)).toBe(question);
    expect(await opened.ask(outcome)).toBe(anew);
    expect(opened.files).toHaveLength(1);
  });

  test('goes on in the same window also where it waits for one of its own, which it then does not get', async () => {
    const opened = openPage('one', 'next');
    opened.clock.hold();
    const outcome = await replace(opened);
    await opened.page.show('next', false);
    expect(opened.page.getState('next')).toBe('queued');
    expect(await opened.ask(await opened.follow(outcome))).toBe(question);
    expect(await opened.ask(outcome)).toBe(anew);
    await opened.clock.pass(30_000);
    expect(opened.files).toHaveLength(1);
  });

  test('stays in the window that it has', async () => {
    const opened = openPage('one', 'next');
    const outcome = await replace(opened);
    const entrance = await opened.show('next');
    expect(await opened.ask(outcome)).toBe('200 outcome: Asked anew.');
    expect(await opened.ask(outcome)).toBe(anew);
    expect(await opened.ask(entrance)).toBe(onward);
  });

  test('lets the next window open where it is answered already', async () => {
    const opened = openPage('one', 'next', 'other');
    opened.clock.hold();
    const outcome = await replace(opened);
    await opened.page.show('other', false);
    await opened.inbox.answer('next', { kind: 'decline' }, 'terminal');
    expect(opened.page.getState('other')).toBe('queued');
    await opened.send(outcome);
    expect(opened.page.getState('other')).toBe('opened');
  });

  test('leads to its outcome where it is answered already', async () => {
    const opened = openPage('one', 'next');
    const outcome = await replace(opened);
    await opened.inbox.answer('next', { kind: 'decline' }, 'terminal');
    expect(await opened.ask(outcome)).toBe('200 outcome: Asked anew.');
    expect(await opened.ask(outcome)).toBe(liftable);
  });

  test('is not found by who has only the way in that was used', async () => {
    const opened = openPage('one', 'next');
    const entrance = await opened.show('one');
    await opened.follow(entrance);
    const view = await opened.inbox.view('one');
    if (view !== undefined) opened.inbox.views.set('one', { ...view, state: 'ended', replacedBy: 'next' });
    expect(await opened.ask(`/q/${entrance.slice(-32)}/outcome`)).toBe('200 outcome: ');
  });

  test('keeps the others waiting until it is answered itself', async () => {
    const opened = openPage('one', 'next', 'other');
    opened.clock.hold();
    const outcome = await replace(opened);
    await opened.page.show('other', false);
    const next = await opened.follow(outcome);
    const secret = await opened.readSecret(next);
    await opened.ask(outcome);
    await opened.clock.pass(1_000);
    expect(opened.page.getState('other')).toBe('queued');
    await opened.send(await opened.follow(next, { ...decline, secret }));
    expect(opened.page.getState('other')).toBe('opened');
  });
});

import { describe, expect, test } from 'vitest';
import { SignInPage, serveSignInPage } from '../../../src/approval/channels/signin.ts';
import type { RequestView } from '../../../src/approval/inbox.ts';
import { type SignedInPerson, SignInRefused } from '../../../src/entra/signIn.ts';
import { ToolError } from '../../../src/errors.ts';
import { Secret } from '../../../src/secrets/secret.ts';
import { createVirtualClock } from '../../harness/clock.ts';
import { makeQuestion, makeTarget } from '../questions.ts';
import { createFakeInbox, makeView } from './inbox.ts';
import { listLines } from './pages.ts';

const tenantId = '8c157435-5df6-4f27-8379-39535f133377';
const alice: SignedInPerson = {
  tenantId,
  objectId: '0a11ce00-0000-4000-8000-000000000001',
  name: 'alice@contoso.com',
  roles: ['Sensors.Approver'],
  signedInAtMs: 5_000,
  accessToken: new Secret('a token'),
};
const carol: SignedInPerson = { ...alice, name: 'carol@contoso.com', roles: [] };
const byAlice = { typed: 'DC07.contoso.com', approver: alice };

const publicOrigin = 'https://mdi.contoso.test';
const minuteMs = 60_000;
const ended: Partial<RequestView> = { state: 'ended', sentence: 'Done.' };
const disclosed: Partial<RequestView> = { ...ended, disclosedKey: '3a0aac44' };

interface PageSetup {
  readonly origin?: string;
  readonly approvers?: 'requester' | 'other';
}

/** The page with one question of the id `q1` and the nonce `n1`, and an Entra at which whoever is `person` signs in. */
function openSignInPage({ origin = publicOrigin, approvers = 'requester' }: PageSetup = {}) {
  const clock = createVirtualClock();
  const inbox = createFakeInbox();
  const ask = (number: number, view: Partial<RequestView> = {}) =>
    void inbox.views.set(
      `n${number}`,
      makeView(`n${number}`, { id: `q${number}`, channel: 'signin', askedAtMs: 1_000 * number, ...view }),
    );
  ask(1);
  const entra: { person: SignedInPerson | Error; failure: Error | undefined; readonly calls: unknown[][] } = {
    person: alice,
    failure: undefined,
    calls: [],
  };
  const key: { value: Secret | Error; readonly readFor: unknown[][] } = { value: new Secret('the key'), readFor: [] };
  const page = new SignInPage({
    inbox,
    clock,
    approvers,
    getOrigin: async () => origin,
    signIn: {
      async begin(purpose) {
        entra.calls.push(['begin', purpose]);
        if (entra.failure !== undefined) throw entra.failure;
        return { address: 'https://login.contoso.test/authorize', sealed: `sealed.${purpose.subject}` };
      },
      async finish(...finished) {
        entra.calls.push(['finish', ...finished]);
        if (entra.person instanceof Error) throw entra.person;
        return entra.person;
      },
    },
    async readKey(...asked) {
      key.readFor.push(asked);
      if (key.value instanceof Error) throw key.value;
      return key.value;
    },
  });
  page.app.onError((error, c) => c.text(`thrown: ${error.message}`, 500));
  return { page, origin, clock, inbox, ask, entra, key };
}
type OpenedSignInPage = ReturnType<typeof openSignInPage>;

/** A browser with its cookies, which follows no redirect; what it was answered. */
function createCookieBrowser({ page, origin, clock }: OpenedSignInPage) {
  const cookies = new Map<string, string>();
  let secret = '';
  const send = async (path: string, fields?: string | Record<string, string>) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const form = { 'content-type': 'application/x-www-form-urlencoded', origin };
    const answer = await page.app.request(`${origin}${path}`, {
      headers: { host: new URL(origin).host, cookie, ...(fields !== undefined && form) },
      ...(fields !== undefined && { method: 'POST', body: new URLSearchParams(fields).toString() }),
    });
    const setCookies = answer.headers.getSetCookie();
    for (const line of setCookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (line.includes('Max-Age=0')) cookies.delete(name);
      else cookies.set(name, value);
    }
    const body = await answer.text();
    [, secret = ''] = /name="secret" value="([^"]+)"/.exec(body) ?? [];
    const { status, headers } = answer;
    return { status, headers, setCookies, body, location: headers.get('location'), lines: listLines(body) };
  };
  return {
    cookies,
    send,
    getSecret: () => secret,
    /** Begins a sign-in, and comes back from Entra. */
    async signIn(id = 'q1') {
      await send(`/approve/${id}/sign-in`);
      return send(`/approve/callback?state=${id}.x&code=c`);
    },
    /** Answers what was shown last, after a second. */
    async answer(fields: Record<string, string>, id = 'q1', waitMs = 1_000) {
      await clock.pass(waitMs);
      return send(`/approve/${id}`, { secret, ...fields });
    },
  };
}

/** A page, and a browser in which somebody signed in for its question. */
async function openSignedIn(setup: PageSetup = {}, view: Partial<RequestView> = {}) {
  const opened = openSignInPage(setup);
  opened.ask(1, view);
  const browser = createCookieBrowser(opened);
  return { ...opened, browser, shown: await browser.signIn() };
}

const approval = { decision: 'approve', typed: 'DC07.contoso.com' };
const declined = 'A person declined.';
const question = 'Delete sensor DC07.contoso.com?';
const overLines = [
  'Not signed in',
  'Not signed in',
  'Your sign-in for this question is over. Nothing was changed.',
  'Sign in again',
];

describe('the entrance of a question', () => {
  test('leads to the sign-in, and says nothing of the question', async () => {
    const { status, body, lines } = await createCookieBrowser(openSignInPage()).send('/approve/q1');
    expect([status, lines.at(-1)]).toEqual([200, 'Sign in to see the question']);
    expect(body).toContain('href="/approve/q1/sign-in"');
    expect(body).not.toMatch(/DC07|Contoso|Delete|n1/);
  });

  test('leads on to the question that took its place, as long as that is known', async () => {
    const opened = openSignInPage();
    const browser = createCookieBrowser(opened);
    opened.ask(1, { ...ended, replacedBy: 'n2' });
    expect((await browser.send('/approve/q1')).lines.at(-1)).toBe('Sign in to see the question');
    opened.ask(2);
    expect(await browser.send('/approve/q1')).toMatchObject({ status: 303, location: '/approve/q2' });
  });

  test.each([
    '/approve/q2',
    '/approve/n1',
    '/approve/q2/sign-in',
    '/approve/callback',
    '/approve/callback?state=q2.x',
    '/approve/q1/more',
  ])('does not exist at %s', async (path) => {
    const { status, headers, lines } = await createCookieBrowser(openSignInPage()).send(path);
    expect([status, lines]).toEqual([404, ['Not found', 'Not found', 'There is no question here.']]);
    expect(headers.get('x-frame-options')).toBe('DENY');
  });

  test.each(['/approve/q1', '/approve/q1/sign-in', '/approve/callback?state=q1.x'])(
    'is not for another host at %s',
    async (path) => {
      const { page, entra } = openSignInPage();
      const answer = await page.app.request(`${publicOrigin}${path}`, { headers: { host: 'evil.example' } });
      expect(answer.status).toBe(403);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(entra.calls).toEqual([]);
    },
  );
});

describe('a sign-in', () => {
  const redirectUri = 'https://mdi.contoso.test/approve/callback';

  test('is begun for its question, and bound to the browser by a cookie of its own', async () => {
    const opened = openSignInPage();
    const begun = await createCookieBrowser(opened).send('/approve/q1/sign-in');
    expect(begun).toMatchObject({
      status: 303,
      location: 'https://login.contoso.test/authorize',
      setCookies: ['__Host-signin-q1=sealed.q1; Max-Age=600; Path=/; HttpOnly; Secure; SameSite=Lax'],
    });
    expect(opened.entra.calls).toEqual([['begin', { subject: 'q1', redirectUri }]]);
  });

  test('is finished with that cookie, which is used up, and has to be later than the question', async () => {
    const { entra, shown } = await openSignedIn();
    const answer = { state: 'q1.x', code: 'c' };
    expect(entra.calls.slice(1)).toEqual([
      ['finish', answer, 'sealed.q1', { subject: 'q1', redirectUri, afterMs: 1_000 }],
    ]);
    expect(shown.setCookies.map((line) => line.replace(/=[\w-]{32};/, '=TOKEN;'))).toEqual([
      '__Host-signin-q1=; Max-Age=0; Path=/; Secure',
      '__Host-approver-q1=TOKEN; Max-Age=600; Path=/; HttpOnly; Secure; SameSite=Lax',
    ]);
    expect(shown.status).toBe(200);
    expect(shown.lines).toContain(question);
    expect(shown.lines).toContain('Signed in as alice@contoso.com');
    expect(shown.body).toContain('<form method="post" action="/approve/q1">');
  });

  test('has cookies without a prefix over http, where browsers refuse one', async () => {
    const opened = openSignInPage({ origin: 'http://localhost:5000' });
    const browser = createCookieBrowser(opened);
    const begun = await browser.send('/approve/q1/sign-in');
    expect(begun.setCookies).toEqual(['signin-q1=sealed.q1; Max-Age=600; Path=/; HttpOnly; SameSite=Lax']);
    const shown = await browser.send('/approve/callback?state=q1.x&code=c');
    expect(shown.setCookies.map((line) => line.replace(/=[\w-]{32};/, '=TOKEN;'))).toEqual([
      'signin-q1=; Max-Age=0; Path=/',
      'approver-q1=TOKEN; Max-Age=600; Path=/; HttpOnly; SameSite=Lax',
    ]);
    expect((await browser.answer(approval)).status).toBe(200);
    expect(opened.inbox.deeds).toHaveLength(1);
  });

  test('that was begun for another question brings no cookie for this one', async () => {
    const opened = openSignInPage();
    opened.ask(2);
    const browser = createCookieBrowser(opened);
    await browser.send('/approve/q2/sign-in');
    await browser.send('/approve/callback?state=q1.x&code=c');
    expect(opened.entra.calls.at(-1)).toMatchObject(['finish', { state: 'q1.x' }, undefined, { subject: 'q1' }]);
  });

  const failures = [
    ['refused', new SignInRefused('You signed in too early.')],
    ['without an answer of Entra', new ToolError('unavailable', 'You signed in too early.')],
  ] as const;
  const again = ['You signed in too early. Nothing was changed.', 'Sign in again'];

  test.each(failures)('that is %s says why, and where there is another', async (_, error) => {
    const opened = openSignInPage();
    opened.entra.person = error;
    const browser = createCookieBrowser(opened);
    const { status, lines, body } = await browser.signIn();
    expect([status, lines.slice(-2)]).toEqual([403, again]);
    expect(body).toContain('href="/approve/q1/sign-in"');
    expect([...browser.cookies]).toEqual([]);
  });

  test.each(failures)('that is %s before it has begun says so too', async (_, error) => {
    const opened = openSignInPage();
    opened.entra.failure = error;
    const { status, lines, setCookies } = await createCookieBrowser(opened).send('/approve/q1/sign-in');
    expect([status, lines.slice(-2), setCookies]).toEqual([403, again, []]);
  });

  test('that ends with a defect is not explained', async () => {
    const opened = openSignInPage();
    opened.entra.person = new Error('a defect');
    expect(await createCookieBrowser(opened).signIn()).toMatchObject({ status: 500, body: 'thrown: a defect' });
  });

  test('of somebody who may not answer is noted with who that was, and shows nothing', async () => {
    const opened = openSignInPage();
    opened.entra.person = carol;
    const browser = createCookieBrowser(opened);
    const { status, lines } = await browser.signIn();
    const objection = 'Only somebody with the app role Sensors.Approver may answer this, and you do not have it.';
    expect([status, lines]).toEqual([403, ['Not for you', 'Not for you', objection]]);
    expect(opened.inbox.deeds).toEqual([['objection', 'n1', objection, carol]]);
    expect([...browser.cookies]).toEqual([]);
  });

  test.each([
    ['requester', 200],
    ['other', 403],
  ] as const)('of the person who asked counts as the setting says: %s', async (approvers, status) => {
    const requester = { tenantId, objectId: alice.objectId };
    const { shown } = await openSignedIn({ approvers }, { question: makeQuestion({ context: { requester } }) });
    expect(shown.status).toBe(status);
  });
});

describe('an answer after a sign-in', () => {
  const wait = 'It is done as soon as the assistant calls again, within 5 minutes.';

  test.each([
    ['approves', approval, ['answer', 'n1', { kind: 'approve', ...byAlice }, 'signin'], `Approved. ${wait}`],
    ['declines', { decision: 'decline' }, ['answer', 'n1', { kind: 'decline', approver: alice }, 'signin'], declined],
    [
      'approves with a text that says no, and so declines',
      { decision: 'approve', typed: ' No ' },
      ['answer', 'n1', { kind: 'decline', approver: alice }, 'signin'],
      declined,
    ],
    [
      'approves without a text',
      { decision: 'approve' },
      ['answer', 'n1', { kind: 'approve', typed: '', approver: alice }, 'signin'],
      `Approved. ${wait}`,
    ],
  ])('%s', async (_, fields, deed, sentence) => {
    const { browser, inbox } = await openSignedIn();
    const { status, lines } = await browser.answer(fields);
    expect(inbox.deeds).toEqual([deed]);
    expect(status).toBe(200);
    expect(lines).toContain(sentence);
    expect(lines).toContain('Signed in as alice@contoso.com');
  });

  test('by Enter alone decides nothing', async () => {
    const { browser, inbox } = await openSignedIn();
    const { lines } = await browser.answer({ decision: 'neither', typed: 'DC07.contoso.com' });
    expect(inbox.deeds).toEqual([]);
    expect(lines).toContain('Choose Decline or Approve.');
    expect(lines).toContain(question);
  });

  test('that only looks decides nothing', async () => {
    const { browser, inbox } = await openSignedIn();
    const { lines, body } = await browser.answer({ decision: 'look' });
    expect(inbox.deeds).toEqual([]);
    expect(lines).toContain(question);
    expect(body).not.toContain('role="alert"');
  });

  test('within a second decides nothing, and the page has to be read again', async () => {
    const { browser, inbox } = await openSignedIn();
    const { lines } = await browser.answer(approval, 'q1', 999);
    expect(inbox.deeds).toEqual([]);
    expect(lines).toContain('That was too fast to have been read. Please read it and answer again.');
    await browser.answer(approval, 'q1', 999);
    expect(inbox.deeds).toEqual([]);
    await browser.answer(approval);
    expect(inbox.deeds).toHaveLength(1);
  });

  test('lets what was declined be asked again, with who did', async () => {
    const { browser, inbox } = await openSignedIn({}, { ...ended, sentence: declined, canBeLifted: true });
    const { lines } = await browser.answer({ decision: 'lift' });
    expect(inbox.deeds).toEqual([['lift', 'n1', alice]]);
    expect(lines).toContain('A person declined. It may be asked again.');
  });

  const broken: [string, string][] = [
    ['another secret', 'secret=other&decision=approve'],
    ['an empty secret', 'secret=&decision=approve'],
    ['no secret', 'decision=approve'],
    ['no decision', 'secret=SECRET'],
    ['another decision', 'secret=SECRET&decision=yes'],
    ['two decisions', 'secret=SECRET&decision=decline&decision=approve'],
    ['two texts', 'secret=SECRET&decision=approve&typed=a&typed=b'],
  ];
  test.each(broken)('with %s did not come from the page', async (_, body) => {
    const { browser, clock, inbox } = await openSignedIn();
    await clock.pass(1_000);
    const { status, lines } = await browser.send('/approve/q1', body.replace('SECRET', browser.getSecret()));
    expect([status, lines.at(-1)]).toEqual([
      403,
      'This answer did not come from the page itself. Nothing was changed.',
    ]);
    expect(inbox.deeds).toEqual([]);
  });

  test('of more than 8 KiB is too long', async () => {
    const { browser, inbox } = await openSignedIn();
    const { status, lines } = await browser.answer({ decision: 'approve', typed: 'a'.repeat(8 * 1024) });
    expect([status, lines.at(-1)]).toEqual([403, 'This answer is too long. Nothing was changed.']);
    expect(inbox.deeds).toEqual([]);
  });

  test('counts once, also while what became of it is not shown yet', async () => {
    const { browser, inbox, clock } = await openSignedIn();
    await clock.pass(1_000);
    const secret = browser.getSecret();
    const post = (used: string) => browser.send('/approve/q1', { ...approval, secret: used });
    const answers = await Promise.all([post(secret), post(secret), post('')]);
    expect(answers.map(({ status }) => status)).toEqual([200, 403, 403]);
    expect(inbox.deeds).toHaveLength(1);
  });
});

describe('a sign-in counts', () => {
  test('for ten minutes, and no longer', async () => {
    const late = await openSignedIn();
    expect((await late.browser.answer(approval, 'q1', 10 * minuteMs)).lines).toEqual(overLines);
    expect(late.inbox.deeds).toEqual([]);
    const early = await openSignedIn();
    await early.browser.answer(approval, 'q1', 10 * minuteMs - 1);
    expect(early.inbox.deeds).toHaveLength(1);
  });

  test('in the browser that has its cookie alone', async () => {
    const { browser, inbox } = await openSignedIn();
    browser.cookies.clear();
    const { status, lines, body } = await browser.answer(approval);
    expect([status, lines]).toEqual([403, overLines]);
    expect(body).toContain('href="/approve/q1"');
    expect(inbox.deeds).toEqual([]);
  });

  test('for its own question alone, also where that is another name of the cookie', async () => {
    const { browser, ask, inbox } = await openSignedIn();
    ask(2);
    browser.cookies.set('__Host-approver-q2', browser.cookies.get('__Host-approver-q1') ?? '');
    expect((await browser.answer(approval, 'q2')).lines).toEqual(overLines);
    expect(inbox.deeds).toEqual([]);
  });

  test('for as long as the question is known', async () => {
    const { browser, inbox } = await openSignedIn();
    inbox.views.clear();
    const { status, lines } = await browser.answer(approval);
    expect([status, lines]).toEqual([403, overLines]);
  });

  test('as one of the last 200', async () => {
    const opened = await openSignedIn();
    const { browser, inbox } = opened;
    const others = async (count: number) => {
      for (let other = 0; other < count; other++)
        await createCookieBrowser(opened).send('/approve/callback?state=q1.x');
    };
    await others(199);
    expect((await browser.answer({ decision: 'look' })).status).toBe(200);
    await others(1);
    expect((await browser.answer(approval)).lines).toEqual(overLines);
    expect(inbox.deeds).toEqual([]);
  });

  test('for two questions in one browser', async () => {
    const { browser, ask, inbox } = await openSignedIn();
    ask(2);
    await browser.signIn('q2');
    await browser.answer({ decision: 'decline' }, 'q2');
    const { lines } = await browser.answer(approval, 'q1');
    expect(lines.at(-1)).toBe('This answer did not come from the page itself. Nothing was changed.');
    expect(inbox.deeds.map(([deed, nonce]) => [deed, nonce])).toEqual([['answer', 'n2']]);
  });
});

describe('what became of a question', () => {
  test('is told at once to who signs in later', async () => {
    const { shown } = await openSignedIn({}, ended);
    expect(shown.status).toBe(200);
    expect(shown.lines.slice(-3)).toEqual(['Done.', 'Signed in as alice@contoso.com', 'You can close this page.']);
  });

  test('is told as soon as it was done, within two seconds', async () => {
    const { browser, clock, inbox, ask } = await openSignedIn();
    inbox.answer = async () => {
      ask(1, { state: 'acting' });
      clock.after(1_500, () => ask(1, ended));
      return { isApproved: true, view: undefined };
    };
    expect((await browser.answer(approval)).lines).toContain('Done.');
  });

  test('is not found where it is forgotten meanwhile', async () => {
    const { browser, inbox } = await openSignedIn();
    inbox.answer = async () => {
      inbox.views.clear();
      return { isApproved: true, view: undefined };
    };
    const { status, lines } = await browser.answer(approval);
    expect([status, lines.at(-1)]).toEqual([404, 'There is no question here.']);
  });

  /** The question is asked anew as `n2` when it is answered. */
  async function openAskedAnew(view: Partial<RequestView>) {
    const opened = await openSignedIn();
    const { inbox, ask } = opened;
    const { answer } = inbox;
    inbox.answer = async () => {
      ask(1, { ...ended, replacedBy: 'n2' });
      ask(2, view);
      inbox.answer = answer;
      return { isApproved: false, view: inbox.views.get('n1') };
    };
    return opened;
  }

  test('is the same question after a wrong text: it is shown after the same sign-in, whose cookie moves', async () => {
    const { browser, inbox } = await openAskedAnew({ note: ['That does not match.'] });
    const token = browser.cookies.get('__Host-approver-q1');
    const asked = await browser.answer({ ...approval, typed: 'DC70' });
    expect(asked.lines).toContain('That does not match.');
    expect(asked.body).toContain('action="/approve/q2"');
    expect(asked.setCookies.map((line) => line.replace(token ?? '', 'TOKEN'))).toEqual([
      '__Host-approver-q1=; Max-Age=0; Path=/; Secure',
      '__Host-approver-q2=TOKEN; Max-Age=600; Path=/; HttpOnly; Secure; SameSite=Lax',
    ]);
    await browser.answer(approval, 'q2');
    expect(inbox.deeds).toEqual([['answer', 'n2', { kind: 'approve', ...byAlice }, 'signin']]);
  });

  test('is the same question for who began to sign in before the wrong text of somebody else', async () => {
    const { browser, inbox, ask } = await openSignedIn();
    ask(1, { ...ended, replacedBy: 'n2' });
    ask(2);
    const shown = await browser.signIn();
    expect(shown.body).toContain('action="/approve/q2"');
    await browser.answer(approval, 'q2');
    expect(inbox.deeds).toEqual([['answer', 'n2', { kind: 'approve', ...byAlice }, 'signin']]);
  });

  test('is another question where that changed: it takes another sign-in', async () => {
    const changed = makeQuestion({ plan: { targets: [makeTarget(7, 'DC70')] } });
    const { browser, inbox } = await openAskedAnew({ question: changed });
    const answered = await browser.answer(approval);
    expect(answered).toMatchObject({ status: 303, location: '/approve/q2', setCookies: [] });
    const posted = await browser.answer({ ...approval, secret: 'none' }, 'q2');
    expect([posted.status, posted.lines]).toEqual([403, overLines]);
    const empty = await browser.answer({ ...approval, secret: '' }, 'q1');
    expect(empty.status).toBe(403);
    expect(inbox.deeds).toEqual([]);
  });

  test('is its end where what took its place is forgotten', async () => {
    const { browser, inbox, ask } = await openSignedIn();
    inbox.answer = async () => {
      ask(1, { ...ended, replacedBy: 'n2' });
      return { isApproved: false, view: undefined };
    };
    expect((await browser.answer(approval)).lines).toContain('Done.');
  });
});

describe('a key that was disclosed', () => {
  /** The key of a question that was approved in a browser, and done. */
  async function openDisclosed() {
    const opened = await openSignedIn();
    const { browser, inbox, ask } = opened;
    await browser.answer(approval);
    ask(1, disclosed);
    const outcome = await browser.answer({ decision: 'look' });
    inbox.deeds.length = 0;
    return { ...opened, outcome };
  }

  test('is shown to who approved it, between two records', async () => {
    const { browser, inbox, key, outcome } = await openDisclosed();
    expect(outcome.lines).toContain('Show the key');
    const { deeds } = inbox;
    key.readFor.push = (...asked) => deeds.push(['read', ...asked]);
    const shown = await browser.answer({ decision: 'show' });
    expect(shown.status).toBe(200);
    expect(shown.lines).toContain('the key');
    expect(shown.lines).toContain('Signed in as alice@contoso.com');
    expect(deeds).toEqual([
      ['showing', 'n1', alice],
      ['read', [makeQuestion(), alice]],
      ['shown', 'n1', { fingerprint: '3a0aac44' }],
    ]);
    const back = await browser.answer({ decision: 'look' });
    expect(back.lines).toContain('Show the key');
    expect(back.body).not.toContain('the key</code>');
  });

  test.each([
    [5_000, 'You can do that for 10 more minutes.'],
    [8 * minuteMs, 'You can do that for 2 more minutes.'],
    [9 * minuteMs - 1, 'You can do that for 2 more minutes.'],
    [9 * minuteMs, 'You can do that for 1 more minute.'],
  ])('can be shown as long as the sign-in counts: %i ms after it', async (momentMs, sentence) => {
    const { browser, clock } = await openDisclosed();
    const { lines } = await browser.answer({ decision: 'look' }, 'q1', momentMs - clock.monotonic());
    expect(lines.join('\n')).toContain(sentence);
  });

  test.each([
    ['before it was done', { state: 'acting' }],
    ['where none was disclosed', ended],
  ] as const)('is not shown %s', async (_, view) => {
    const { browser, inbox, key, ask } = await openDisclosed();
    ask(1, view);
    const { status, lines } = await browser.answer({ decision: 'show' });
    expect([status, lines.at(-1)]).toEqual([403, 'There is no key to be shown to you. Nothing was changed.']);
    expect([inbox.deeds, key.readFor]).toEqual([[], []]);
  });

  test.each([
    ['signed in only', undefined],
    ['declined', { decision: 'decline' }],
    ['approved too late', approval],
  ])('is not shown to who has %s', async (_, fields) => {
    const { browser, inbox, key, ask } = await openSignedIn();
    inbox.answer = async () => ({ isApproved: false, view: undefined });
    if (fields !== undefined) await browser.answer(fields);
    ask(1, disclosed);
    const { status, lines } = await browser.answer({ decision: 'show' });
    expect([status, lines.at(-1)]).toEqual([403, 'There is no key to be shown to you. Nothing was changed.']);
    expect([inbox.deeds, key.readFor]).toEqual([[], []]);
    expect((await browser.signIn()).body).not.toMatch(/Show the key|3a0aac44/);
  });

  test('is still shown to who approved it and answers once more', async () => {
    const { browser, inbox } = await openDisclosed();
    inbox.answer = async () => ({ isApproved: false, view: undefined });
    expect((await browser.answer({ decision: 'decline' })).lines).toContain('Show the key');
  });

  test('is not shown where it cannot be read, which is recorded and said', async () => {
    const { browser, inbox, key } = await openDisclosed();
    key.value = new ToolError('permission_missing', 'You may not read it.');
    const { status, lines } = await browser.answer({ decision: 'show' });
    expect(status).toBe(200);
    expect(lines.slice(-2)).toEqual(['The key cannot be shown. You may not read it.', 'Back']);
    expect(inbox.deeds).toEqual([
      ['showing', 'n1', alice],
      ['shown', 'n1', { error: 'permission_missing' }],
    ]);
    expect((await browser.answer({ decision: 'look' })).lines).toContain('Show the key');
  });

  test('is not even read where that cannot be recorded', async () => {
    const { browser, inbox, key } = await openDisclosed();
    inbox.noteShowing = async () => {
      throw new ToolError('audit_unavailable', 'The audit log cannot be written.');
    };
    const { lines } = await browser.answer({ decision: 'show' });
    expect(lines).toContain('The key cannot be shown. The audit log cannot be written.');
    expect(key.readFor).toEqual([]);
  });

  test('is not shown after a defect, which is not explained', async () => {
    const { browser, key } = await openDisclosed();
    key.value = new Error('a defect');
    expect(await browser.answer({ decision: 'show' })).toMatchObject({ status: 500, body: 'thrown: a defect' });
  });
});

test('on this machine it is served under localhost, as long as the server runs', async () => {
  const ending = new AbortController();
  const origin = await serveSignInPage(
    {
      inbox: createFakeInbox('one'),
      signIn: {
        begin: async ({ redirectUri }) => ({ address: redirectUri, sealed: 'sealed' }),
        finish: async () => alice,
      },
      approvers: 'requester',
      clock: createVirtualClock(),
      readKey: async () => new Secret('the key'),
    },
    ending.signal,
  );
  expect(origin).toMatch(/^http:\/\/localhost:\d+$/);
  expect(await (await fetch(`${origin}/approve/one`)).text()).toContain('href="/approve/one/sign-in"');
  const begun = await fetch(`${origin}/approve/one/sign-in`, { redirect: 'manual' });
  expect(begun.headers.get('location')).toBe(`${origin}/approve/callback`);
  // Nobody else can listen there under the other address of this name.
  const { port } = new URL(origin);
  expect((await fetch(`http://[::1]:${port}/approve/one`)).status).toBe(403);
  ending.abort();
  await expect(fetch(`${origin}/approve/one`)).rejects.toThrow('fetch failed');
});

import { describe, expect, test } from 'vitest';
import {
  createKeyPage,
  createMessagePage,
  createOutcomePage,
  createProblemPage,
  createQuestionPage,
  createRedirectFile,
  createSignInPage,
  createSignInProblemPage,
  styleSource,
} from '../../../src/approval/channels/pageHtml.ts';
import { inform, reassure, warn } from '../../../src/operations/consequences.ts';
import { Secret } from '../../../src/secrets/secret.ts';
import { makeQuestion, makeTarget } from '../questions.ts';
import { makeView } from './inbox.ts';
import { listLines } from './pages.ts';

type Page = ReturnType<typeof createMessagePage>;

const readText = async (page: Page) => listLines(String(await page));
const readBody = async (page: Page) => String(await page).replace(/^.*<body>/s, '');

const several = makeQuestion({
  plan: {
    types: 'count',
    targets: [makeTarget(1, 'DC1'), makeTarget(2, 'DC2', { majorVersion: '2' })],
    consequences: [
      inform('i', { text: 'It takes a minute.' }),
      reassure('r', { text: 'It is unreachable.' }),
      warn('w', { text: 'It still reports.', short: 'w' }),
    ],
    changes: [{ field: 'mode', before: 'a', after: 'b' }],
  },
  context: { simulated: true },
});
const tenant = ['Tenant', '"Contoso"', '8c157435-5df6-4f27-8379-39535f133377'];
const deletion = 'Delete sensor DC07.contoso.com';

describe('the page of a question', () => {
  test('says everything in its order', async () => {
    const view = makeView('n', { question: several, note: ['Look again.', 'It has changed.'], minutesLeft: 9 });
    expect(await readText(createQuestionPage(view, 'the secret'))).toEqual([
      'Approve: Delete 2 sensors? – "Contoso"',
      'Tenant',
      'SIMULATED "Contoso"',
      '8c157435-5df6-4f27-8379-39535f133377',
      'Look again.',
      'It has changed.',
      'Delete 2 sensors?',
      'Warning: It still reports.',
      'Safe: It is unreachable.',
      'Note: It takes a minute.',
      'On',
      'DC1.contoso.com',
      'id 77e0e32e-67e2-44ee-82da-000000000001',
      'DC2.contoso.com',
      'v2.x',
      'id 77e0e32e-67e2-44ee-82da-000000000002',
      'mode: "a" -&gt; "b"',
      'Details',
      'Request: DELETE https://graph.microsoft.com/v1.0/security/identities/sensors/77e0e32e-67e2-44ee-82da-000000000007',
      'The same in PowerShell: Remove-MgSecurityIdentitySensor',
      'Acts as: app "mdi" (6f8e8268-647e-4e82-85fa-b218e59f4840)',
      'Asked by: a client that says it is "claude-code 2.1.332"',
      'This question is open for 9 minutes. It can be answered here, or AT THE TERMINAL',
      'To approve, type: delete 2 Contoso',
      'Enter decides nothing',
      'Decline',
      'Approve',
    ]);
  });

  test('has no empty parts', async () => {
    const body = await readBody(
      createQuestionPage(makeView('n', { question: makeQuestion({ plan: { targets: [] } }) }), 's'),
    );
    expect(body).not.toMatch(/<ul|<ol|<h3>On|role="note"|role="alert"|aria-describedby|SIMULATED|Stryker/);
  });

  test('has the secret, one field, and Decline before Approve', async () => {
    const body = await readBody(createQuestionPage(makeView('n'), 'the secret'));
    expect(body.match(/<(input|button)[^>]*>/g)).toEqual([
      '<input type="hidden" name="secret" value="the secret">',
      '<input type="text" name="typed" autocomplete="off" autocapitalize="off" spellcheck="false">',
      '<button name="decision" value="neither" hidden tabindex="-1">',
      '<button name="decision" value="decline">',
      '<button name="decision" value="approve">',
    ]);
  });

  test('says why the last answer did not count, also to who does not see the page', async () => {
    const body = await readBody(createQuestionPage(makeView('n'), 's', 'Too <fast>.'));
    expect(body).toContain('<p class="error" id="problem" role="alert">Too &lt;fast&gt;.</p>');
    expect(body).toContain('spellcheck="false" aria-describedby="problem">');
  });

  test('keeps what has a hyphen in one line, and sets a request and a cmdlet as code', async () => {
    const body = await readBody(createQuestionPage(makeView('n'), 's'));
    expect(body).toContain('<small><span class="whole">8c157435-5df6-4f27-8379-39535f133377</span></small>');
    expect(body).toContain(
      'Request: <code>DELETE https://graph.microsoft.com/v1.0/security/identities/sensors/<span class="whole">77e0e32e-67e2-44ee-82da-000000000007</span></code>',
    );
    expect(body).toContain(
      'The same in PowerShell: <code><span class="whole">Remove-MgSecurityIdentitySensor</span></code>',
    );
    expect(body).toContain(
      '<p class="facts">Acts as: app "mdi" (<span'.replaceAll('"mdi" (<span', '&quot;mdi&quot; <span'),
    );
    expect(body).toContain('<h2 id="act">Delete sensor DC07.contoso.com?</h2>');
  });

  test('sets nothing as code that a client calls itself', async () => {
    const question = makeQuestion({ context: { clientName: 'x Request: y' } });
    const body = await readBody(createQuestionPage(makeView('n', { question }), 's'));
    expect(body).toContain('<p class="facts">Asked by: a client that says it is &quot;x Request: y&quot;</p>');
  });

  test('marks each consequence as what it is', async () => {
    const body = await readBody(createQuestionPage(makeView('n', { question: several }), 's'));
    expect(body.match(/<li class="\w+"><strong>\w+/g)).toEqual([
      '<li class="warning"><strong>Warning',
      '<li class="reassurance"><strong>Safe',
      '<li class="info"><strong>Note',
    ]);
    expect(body).toContain('<span class="simulated">SIMULATED</span>');
  });
});

describe('the page of an outcome', () => {
  const close = 'You can close this page.';
  const again = 'Look again';
  const lines = ['waiting', 'approved', 'acting', 'ended'] as const;
  test.each([
    [lines[0], 'Asked anew', 'This was asked anew in another window.', again],
    [lines[1], 'Approved', 'Approved. It is done as soon as the assistant calls again, within 5 minutes.', again],
    [lines[2], 'Approved', 'Approved. It is being done now.', again],
    [lines[3], 'Answered', 'Deleted.', close],
  ])('of a question that is %s', async (state, title, sentence, footer) => {
    const view = makeView('n', { state, minutesLeft: 5, sentence: 'Deleted.' });
    expect(await readText(createOutcomePage(view))).toEqual([
      `${title}: ${deletion} – "Contoso"`,
      ...tenant,
      deletion,
      sentence,
      footer,
    ]);
  });

  test('says one minute of the last one', async () => {
    const approved = makeView('n', { state: 'approved', minutesLeft: 1 });
    expect(await readText(createOutcomePage(approved))).toContain(
      'Approved. It is done as soon as the assistant calls again, within 1 minute.',
    );
  });

  test('names the targets that the act does not, the file of a key and the audit record', async () => {
    const view = makeView('n', {
      state: 'ended',
      sentence: 'Done.',
      question: several,
      secretFile: '/home/ann/key-1.json',
      auditRecord: 17,
    });
    expect((await readText(createOutcomePage(view))).slice(4)).toEqual([
      'Delete 2 sensors',
      'DC1.contoso.com',
      'DC2.contoso.com',
      'Done.',
      'The key is in this file: /home/ann/key-1.json',
      'Audit record 17',
      close,
    ]);
  });

  test('lets what was declined be asked again with its secret, and else at the terminal', async () => {
    const view = makeView('n', { state: 'ended', sentence: 'A person declined.', canBeLifted: true });
    expect((await readText(createOutcomePage(view, 'the secret'))).slice(6)).toEqual([
      'The assistant cannot ask for this again for some minutes.',
      'Let it be asked again',
      close,
    ]);
    expect(await readBody(createOutcomePage(view, 'the secret'))).toContain(
      '<form method="post"><input type="hidden" name="secret" value="the secret">',
    );
    expect((await readText(createOutcomePage(view))).slice(6)).toEqual([
      'You can still let it be asked again AT THE TERMINAL',
      close,
    ]);
  });

  test('has no empty parts', async () => {
    const body = await readBody(createOutcomePage(makeView('n', { state: 'ended', sentence: 'Done.' }), 's'));
    expect(body).not.toMatch(/<ol|<form|class="facts"|Stryker/);
  });
});

describe('a page after a sign-in', () => {
  const signedIn = { name: 'alice@contoso.com', action: '/approve/a1b2c3d4', minutesLeft: 8 };
  const ended = { state: 'ended', sentence: 'Done.' } as const;
  const form =
    '<form method="post" action="/approve/a1b2c3d4">\n<input type="hidden" name="secret" value="the secret">';
  const key = new Secret('the key');

  test('of a question names who signed in and no terminal, and its form goes to that question', async () => {
    const page = createQuestionPage(makeView('n'), 'the secret', undefined, signedIn);
    expect((await readText(page)).slice(-6)).toEqual([
      'This question is open for 10 minutes.',
      'Signed in as alice@contoso.com',
      'To approve, type: DC07.contoso.com',
      'Enter decides nothing',
      'Decline',
      'Approve',
    ]);
    const body = await readBody(page);
    expect(body).toContain(
      '<p class="facts">This question is open for 10 minutes.</p>\n<p class="facts">Signed in as ',
    );
    expect(body).toContain(form);
    expect(body).not.toContain('role="alert"');
  });

  test('of a question says why the last answer did not count', async () => {
    const body = await readBody(createQuestionPage(makeView('n'), 's', 'Choose Decline or Approve.', signedIn));
    expect(body).toContain('<p class="error" id="problem" role="alert">Choose Decline or Approve.</p>');
  });

  test.each([
    ['with unseen signs', 'a\u202eb', String.raw`a\u{202e}b`],
    ['with markup', '<b>a</b>', '&lt;b&gt;a&lt;/b&gt;'],
    ['of 256 signs', 'a'.repeat(256), 'a'.repeat(256)],
    ['of 257 signs', 'a'.repeat(257), `${'a'.repeat(255)}…`],
  ])('shows a name %s as a text, and of a long one the beginning', async (_, name, shown) => {
    const lines = await readText(createQuestionPage(makeView('n'), 's', undefined, { ...signedIn, name }));
    expect(lines.at(-5)).toBe(`Signed in as ${shown}`);
  });

  test.each<[string, Parameters<typeof makeView>[1], string[]]>([
    ['is approved', { state: 'approved', minutesLeft: 5 }, ['Look again', 'Signed in as alice@contoso.com']],
    ['is carried out', { state: 'acting' }, ['Look again', 'Signed in as alice@contoso.com']],
    ['is over', ended, ['Signed in as alice@contoso.com', 'You can close this page.']],
    [
      'was declined',
      { ...ended, canBeLifted: true },
      [
        'The assistant cannot ask for this again for some minutes.',
        'Let it be asked again',
        'Signed in as alice@contoso.com',
        'You can close this page.',
      ],
    ],
    [
      'disclosed a key',
      { ...ended, disclosedKey: 'abcd1234' },
      [
        'The key has the fingerprint abcd1234. It is kept nowhere: it is read again when you press Show. You can do that for 8 more minutes.',
        'Show the key',
        'Signed in as alice@contoso.com',
      ],
    ],
  ])('of a question that %s offers what can be done next', async (_, view, lines) => {
    const page = createOutcomePage(makeView('n', view), 'the secret', signedIn);
    expect((await readText(page)).slice(6)).toEqual(lines);
    const body = await readBody(page);
    const buttons = lines.filter((line) => /^(Look|Let|Show)/.test(line));
    const values = { 'Look again': 'look', 'Let it be asked again': 'lift', 'Show the key': 'show' };
    expect(body.match(/<button[^>]*>[^<]+/g) ?? []).toEqual(
      Object.entries(values).flatMap(([text, value]) =>
        buttons.includes(text) ? [`<button name="decision" value="${value}">${text}`] : [],
      ),
    );
    expect(body.includes(form)).toBe(buttons.length > 0);
    expect(body).not.toMatch(/Stryker|href/);
  });

  test('counts one minute more as one', async () => {
    const view = makeView('n', { ...ended, disclosedKey: 'abcd1234' });
    expect(await readBody(createOutcomePage(view, 's', { ...signedIn, minutesLeft: 1 }))).toContain(
      'You can do that for 1 more minute.',
    );
  });

  test('offers nothing without a secret for its form', async () => {
    const view = makeView('n', { ...ended, disclosedKey: 'abcd1234' });
    expect(await readBody(createOutcomePage(view, undefined, signedIn))).not.toMatch(/<form|<button/);
  });

  test('shows the key that was approved, and a way back', async () => {
    const page = createKeyPage(makeView('n', { ...ended, disclosedKey: '3a0aac44' }), key, 'the secret', signedIn);
    expect(await readText(page)).toEqual([
      'Deployment access key',
      ...tenant,
      'Deployment access key',
      'the key',
      'Its fingerprint is 3a0aac44.',
      'Copy it, and close this page. It is neither in a file nor in the history of this browser.',
      'Back',
      'Signed in as alice@contoso.com',
    ]);
    const body = await readBody(page);
    expect(body).toContain('<p><code>the key</code></p>');
    expect(body).toContain(form);
    expect(body).toContain('<button name="decision" value="look">Back</button>');
    expect(body).not.toMatch(/role="note"|Stryker/);
  });

  test('tells a key that somebody replaced since from the one that was approved', async () => {
    const page = createKeyPage(makeView('n', { ...ended, disclosedKey: 'abcd1234' }), key, 'the secret', signedIn);
    expect((await readText(page)).slice(7, 8)).toEqual([
      'This is another key than the one that was approved: that had the fingerprint abcd1234, and was replaced since.',
    ]);
    expect(await readBody(page)).toContain('<p class="note" role="note">This is another key');
  });

  test('says what could not be done, and has a way back', async () => {
    const page = createProblemPage(makeView('n'), 'The key <cannot> be shown.', 'the secret', signedIn);
    expect(await readText(page)).toEqual([
      'Not done',
      ...tenant,
      'Not done',
      'The key &lt;cannot&gt; be shown.',
      'Back',
    ]);
    const body = await readBody(page);
    expect(body).toContain('<p role="alert">');
    expect(body).toContain(form);
  });
});

test('the page before a sign-in says nothing of the question', async () => {
  const page = createSignInPage('/approve/a1b2c3d4/sign-in');
  expect(await readText(page)).toEqual([
    'Approval',
    'Approval',
    'An assistant asks for an approval. You see what it asks when you have signed in with Microsoft Entra.',
    'Sign in to see the question',
  ]);
  expect(await readBody(page)).toContain('<a class="button" href="/approve/a1b2c3d4/sign-in">');
});

test('the page of a sign-in that did not count says why, that nothing was changed, and where there is another', async () => {
  const page = createSignInProblemPage('Your sign-in is <over>.', '/approve/a1b2c3d4');
  expect(await readText(page)).toEqual([
    'Not signed in',
    'Not signed in',
    'Your sign-in is &lt;over&gt;. Nothing was changed.',
    'Sign in again',
  ]);
  const body = await readBody(page);
  expect(body).toContain('<p role="alert">');
  expect(body).toContain('<a class="button" href="/approve/a1b2c3d4">');
});

test('a page of one sentence is one', async () => {
  expect(await readText(createMessagePage('Not found', 'There is <none>.'))).toEqual([
    'Not found',
    'Not found',
    'There is &lt;none&gt;.',
  ]);
  expect(await createMessagePage('Not found', 'x')).not.toContain('http-equiv');
});

test('the file that a browser is given leads on by itself, and by a link', async () => {
  const page = String(await createRedirectFile('http://127.0.0.1:9/open/a'));
  expect(page).toContain(
    '<meta http-equiv="refresh" content="0;url=http://127.0.0.1:9/open/a"><title>Approval</title>',
  );
  expect(page).toContain('<h1>Approval</h1><p><a href="http://127.0.0.1:9/open/a">Go to the question</a></p>');
});

test('the one style sheet is what the policy allows', async () => {
  const style = /<style>(.*)<\/style>/s.exec(String(await createMessagePage('a', 'b')))?.[1] ?? '';
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style));
  expect(styleSource).toBe(`'sha256-${Buffer.from(digest).toString('base64')}'`);
});

import { describe, expect, test } from 'vitest';
import {
  createMessagePage,
  createOutcomePage,
  createQuestionPage,
  createRedirectFile,
  styleSource,
} from '../../../src/approval/channels/pageHtml.ts';
import { approveCommand, hostName } from '../../../src/command.ts';
import { inform, reassure, warn } from '../../../src/operations/consequences.ts';
import { makeQuestion, makeTarget } from '../questions.ts';
import { makeView } from './inbox.ts';

type Page = ReturnType<typeof createMessagePage>;

const atTerminal = `at a terminal on ${hostName}: ${approveCommand}`;
/** The words of a page in lines, without its style sheet; what is drawn in one line stands in one. */
async function readText(page: Page): Promise<string[]> {
  const text = String(await page)
    .replace(/<style>.*<\/style>/s, '')
    .replace(/<br>|<\/?(p|h\d|li|small|title|label|button)\b[^>]*>/g, '\n')
    .replace(/<[^>]+>/g, '')
    .replaceAll('&quot;', '"')
    .replaceAll(atTerminal, 'AT THE TERMINAL');
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
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

import { describe, expect, test } from 'vitest';
import { approvalErrors, endSentence, restoreError, storeError } from '../../src/approval/errors.ts';
import { terminalPlace } from '../../src/command.ts';
import { SignInNeeded, ToolError } from '../../src/errors.ts';

const askedAnew = 'Call the tool again without the old answer; the person is asked anew.';
const onPageOrTerminal = `Stop, and tell the user what was declined. Only they can let it be asked again: on the approval page, or ${terminalPlace}.`;
const onSignedInPage =
  'Stop, and tell the user what was declined. Only they can let it be asked again: on the approval page, after a sign-in.';
const withPerson =
  'Tell the user to run this in a session with a person, or to do it in the Microsoft Defender portal.';

type No = [keyof typeof approvalErrors, string, ToolError, string, string, string | undefined];
const noes: No[] = [
  ['invalid', 'to an answer', approvalErrors.invalid('It is void.'), 'approval_invalid', 'It is void.', askedAnew],
  [
    'notPending',
    'to an answer that comes too late',
    approvalErrors.notPending(),
    'approval_invalid',
    'The question was answered already, has expired, or was asked before this server started.',
    askedAnew,
  ],
  [
    'expired',
    'after the time is over',
    approvalErrors.expired('It is over'),
    'approval_expired',
    'It is over.',
    askedAnew,
  ],
  [
    'declined',
    'where the person does',
    approvalErrors.declined(),
    'declined',
    'A person declined.',
    'Do not repeat the call unless the person asks for it.',
  ],
  [
    'closed',
    'where nobody answers',
    approvalErrors.closed(),
    'question_closed',
    'The question was closed without an answer, by the person or by the host.',
    'Ask the person how to go on.',
  ],
  [
    'mistyped',
    'to another text',
    approvalErrors.mistyped(),
    'mistyped',
    'What was answered is not what was asked for.',
    askedAnew,
  ],
  [
    'targetChanged',
    'to what has changed',
    approvalErrors.targetChanged(['DC07 is new', 'the requests are no longer the same']),
    'target_changed',
    'What was approved is no longer what would happen: DC07 is new; the requests are no longer the same.',
    askedAnew,
  ],
  [
    'cancelled',
    'to a call that is no more',
    approvalErrors.cancelled(),
    'cancelled',
    'The client cancelled the call.',
    undefined,
  ],
  [
    'tooManyPending',
    'to a fourth question',
    approvalErrors.tooManyPending(3),
    'approval_busy',
    '3 questions already wait for an answer.',
    'Let the person answer or close them first; unanswered ones end after 10 minutes.',
  ],
  [
    'noRoom',
    'without room',
    approvalErrors.noRoom(),
    'approval_busy',
    'Too much was asked and done in the last ten minutes to keep track of more.',
    'Wait ten minutes.',
  ],
  [
    'shownTooOften',
    'to a third look',
    approvalErrors.shownTooOften(),
    'approval_busy',
    'The question of this call is open already, and it was shown several times.',
    'Let the person answer it; an unanswered one ends after 10 minutes.',
  ],
  [
    'declinedRecently',
    'to what was declined',
    approvalErrors.declinedRecently('19:32 UTC', 'auto'),
    'approval_busy',
    'A person declined this, or a part of it; it is not asked again before 19:32 UTC.',
    onPageOrTerminal,
  ],
  [
    'declinedRecently',
    'to what was declined after a sign-in',
    approvalErrors.declinedRecently('19:32 UTC', 'signin'),
    'approval_busy',
    'A person declined this, or a part of it; it is not asked again before 19:32 UTC.',
    onSignedInPage,
  ],
  [
    'declinedTooOften',
    'to everything after three declines',
    approvalErrors.declinedTooOften(3, 'page'),
    'approval_busy',
    'A person declined 3 times in a row, so nothing is asked any more.',
    onPageOrTerminal,
  ],
  [
    'declinedTooOften',
    'to everything after three declines with a sign-in',
    approvalErrors.declinedTooOften(3, 'signin'),
    'approval_busy',
    'A person declined 3 times in a row, so nothing is asked any more.',
    onSignedInPage,
  ],
  [
    'underway',
    'to what is being done',
    approvalErrors.underway(),
    'outcome_unknown',
    'The same call was approved and is being carried out right now.',
    'Call again with the same arguments in a minute: that tells its outcome and sends nothing.',
  ],
  [
    'alreadyDone',
    'to what was done',
    approvalErrors.alreadyDone('a1b2', '19:22:30 UTC', 'DC07 was deleted'),
    'already_done',
    'The same call was carried out at 19:22:30 UTC, and nothing was sent now. Its outcome: DC07 was deleted.',
    'Only if the user wants it once more, call with repeatOf "a1b2"; what needs an approval then is asked for again.',
  ],
  [
    'stillPending',
    'as long as the page waits',
    approvalErrors.stillPending('page', 'on the approval page', 9, false),
    'approval_pending',
    'A person is asked on the approval page; the question is open for 9 minutes.',
    'Tell the user where, and call again with the same arguments when they have answered. Only the person answers: the command is theirs, in a terminal of their own.',
  ],
  [
    'stillPending',
    'as long as the page behind a sign-in waits',
    approvalErrors.stillPending('signin', 'at https://mdi.contoso.com/approve', 9, false),
    'approval_pending',
    'A person is asked at https://mdi.contoso.com/approve; the question is open for 9 minutes.',
    'Tell the user where, and call again with the same arguments when they have answered. Only the person answers: it takes their own sign-in.',
  ],
  [
    'stillPending',
    'where the host ends the server after each call',
    approvalErrors.stillPending('terminal', 'at a terminal', 1, true),
    'approval_pending',
    'A person is asked at a terminal; the question is open for 1 minute.',
    'Tell the user where, and call again with the same arguments when they have answered. Only the person answers: the command is theirs, in a terminal of their own. The servers before this one ended with their questions open, as this one would: tell the user as well that the host has to keep the server running between calls.',
  ],
  [
    'noChannel',
    'where nothing can ask',
    approvalErrors.noChannel(),
    'approval_unavailable',
    'This needs a human approval, and here is no way to ask: the client cannot show a form (MCP elicitation), and with CI set nobody is asked outside of it.',
    withPerson,
  ],
  [
    'notOutside',
    'with CI set',
    approvalErrors.notOutside('page'),
    'approval_unavailable',
    'This needs a human approval outside of the client (--approval page), and with CI set nobody is asked outside of it.',
    withPerson,
  ],
  [
    'withoutEntra',
    'over HTTP without Entra',
    approvalErrors.withoutEntra(),
    'approval_unavailable',
    'This needs a human approval, and over HTTP a person is asked by a sign-in at Microsoft Entra, which does not stand in front of this server.',
    'Tell the user to let the operator start the server with --public-url, or use a server on stdin and stdout, or to do it in the Microsoft Defender portal.',
  ],
  [
    'manyProcesses',
    'beside siblings',
    approvalErrors.manyProcesses(),
    'approval_unavailable',
    'This needs a human approval, and this server may have siblings that do not know of each other.',
    'Tell the user to let the operator start the server with --single-process where no other process serves its address, or to do it in the Microsoft Defender portal.',
  ],
  [
    'tooLargeForForm',
    'to what no form holds',
    approvalErrors.tooLargeForForm(),
    'approval_unavailable',
    'This needs a human approval, and its question is too large for a form of the client, the only way to ask here.',
    'Tell the user to make smaller calls, to start the server where a browser or a terminal of the person can be used, or with --approval form if the client draws whole forms, or to do it in the Microsoft Defender portal.',
  ],
  [
    'channelFailed',
    'where no page can be opened',
    approvalErrors.channelFailed('page', 'EACCES'),
    'approval_unavailable',
    'This needs a human approval, and the approval page could not be opened (EACCES).',
    "Tell the user to look into the server's log, to start the server with --approval terminal, or to do it in the Microsoft Defender portal.",
  ],
  [
    'channelFailed',
    'where the terminal cannot be reached',
    approvalErrors.channelFailed('terminal', 'EACCES'),
    'approval_unavailable',
    'This needs a human approval, and the way to the terminal could not be opened (EACCES).',
    "Tell the user to look into the server's log, to start the server with --approval page, or to do it in the Microsoft Defender portal.",
  ],
  [
    'channelFailed',
    'where no page behind a sign-in can be opened',
    approvalErrors.channelFailed('signin', 'EACCES'),
    'approval_unavailable',
    'This needs a human approval, and the approval page could not be opened (EACCES).',
    "Tell the user to look into the server's log, or to do it in the Microsoft Defender portal.",
  ],
  [
    'clientWithoutForms',
    'in a client without forms',
    approvalErrors.clientWithoutForms(),
    'approval_unavailable',
    'This needs a human approval in a form (--approval form), and this client cannot show one (MCP elicitation).',
    'Tell the user to start the server with --approval auto, or to do it in the Microsoft Defender portal.',
  ],
  [
    'tooManyTargets',
    'to more machines than a form shows',
    approvalErrors.tooManyTargets(20, 21),
    'approval_unavailable',
    'A form shows at most 20 machines, and this call names 21.',
    'Make several calls of at most 20, or let the operator start the server with --approval page.',
  ],
  [
    'unattended',
    'to a client that answers by itself',
    approvalErrors.unattended(),
    'client_unattended',
    'The client answered the approval question by itself, without a person.',
    'Tell the user to run this in a session where a person can answer, or to do it in the Microsoft Defender portal.',
  ],
];

describe('the gate says no', () => {
  test.each(noes)('%s: %s, and what to do about it', (_, _when, { code, message, next }, ...told) => {
    expect([code, message, next]).toEqual(told);
  });

  test('in no way that is not in this table', () => {
    expect(new Set(Object.keys(approvalErrors))).toEqual(new Set(noes.map(([name]) => name)));
  });
});

test.each([
  ['DC07 was deleted', 'DC07 was deleted.'],
  ['DC07 was deleted.', 'DC07 was deleted.'],
  ['v2.x stays on DC07', 'v2.x stays on DC07.'],
  ['Two lines.\nThe last is open', 'Two lines.\nThe last is open.'],
  ['', ''],
])('a sentence ends with one full stop: %j', (text, ended) => {
  expect(endSentence(text)).toBe(ended);
});

describe('an error that is kept with its request, as text,', () => {
  const keep = (error: ToolError) => restoreError(JSON.parse(JSON.stringify(storeError(error))));

  test.each([
    ['what it is and what to do', new ToolError('declined', 'No.', 'Stop.'), ['declined', 'No.', 'Stop.']],
    ['that there is nothing to do', new ToolError('cancelled', 'Over.'), ['cancelled', 'Over.', undefined]],
  ])('tells again %s', (_, error, told) => {
    const kept = keep(error);
    expect([kept.code, kept.message, kept.next]).toEqual(told);
    expect(kept).not.toBeInstanceOf(SignInNeeded);
  });

  test.each([
    ['its address', 'https://login.contoso.com/go'],
    ['no address where it had none', undefined],
  ])('is still a sign-in that waits for a person, with %s', (_, url) => {
    const kept = keep(new SignInNeeded('Sign in first.', url));
    expect(kept).toBeInstanceOf(SignInNeeded);
    expect(kept).toMatchObject({ code: 'sign_in_pending', message: 'Sign in first.', url });
  });
});

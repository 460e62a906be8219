import { countColumns, escapeMarkup, formatCount, wrapText } from '../text.ts';
import { formatHead, formColumns, type HeadContext } from './head.ts';
import type { ApprovalSetting } from './inbox.ts';
import type { Question } from './question.ts';
import { describeQuestion, formatQuestion } from './questionText.ts';
import type { ApprovalRequest } from './requestStore.ts';

/** So narrow a window may be, in which the first row has to be among the last ones still. */
const narrowColumns = 60;
const mostFormRows = 12;
/** A line ends as one only with two blanks where a host draws Markdown. */
const rowEnd = '  \n';

/** Whether a form has room for every target, every warning and every written value. */
export const canFitForm = (question: Question, context: HeadContext) => formatEnds(question, context) !== undefined;

/** What hosts draw that show the first or the last rows only: the head, and tenant and text to type. */
function formatEnds(question: Question, context: HeadContext) {
  const head = formatHead(question, context);
  const { tenant, tenantId, typed } = describeQuestion(question);
  const end = [`Tenant ${tenant} (${tenantId})`, `To approve, type: ${typed}`];
  const fits = end.every((row) => countColumns(row) <= formColumns);
  return head !== undefined && fits ? { head, end } : undefined;
}

/** What a person should read before the question, on page and terminal. */
export const listNotes = ({
  note,
  follows,
  question,
  declined,
}: Omit<ApprovalRequest, 'state' | 'nonce'>): string[] => [
  ...note,
  ...(declined === undefined ? [] : [`You declined ${declined} a moment ago; some of those are among these.`]),
  ...(follows === 'mistyped' ? [describeMistyped(question)] : []),
];

const describeMistyped = ({ typed }: Question) => `That does not match. To approve, type exactly: ${typed}`;

/**
 * The message of a form. Hosts draw its first or its last rows, so the head comes first, and tenant and text to type come
 * last. With `--approval form` the host is known to draw all of it: then it is the whole question.
 */
export function formatFormMessage(request: ApprovalRequest, approval: ApprovalSetting): string {
  const { question } = request;
  const ends = approval === 'form' ? undefined : formatEnds(question, request);
  if (ends === undefined) return formatQuestion(question, listNotes(request));
  const { head, end } = ends;
  const room = mostFormRows - [...head, ...end].flatMap((row) => wrapText(row, narrowColumns)).length;
  const rows = describeQuestion(question).consequences.flatMap(({ text }) => wrapText(text, narrowColumns));
  const middle =
    rows.length <= room ? rows : [...rows.slice(0, Math.max(0, room - 1)), 'There is more than fits here.'];
  return [...head, ...middle, ...end].join(rowEnd);
}

/** What stands beside the field: at most two rows. */
export function describeField({ follows, question }: ApprovalRequest, { minutes, command }: FieldContext): string {
  const problem = follows === 'mistyped' ? `${describeMistyped(question)}. ` : '';
  const short = `${problem}Valid for ${formatCount(minutes, 'minute')}`;
  const whole = `${short}; the whole question: ${escapeMarkup(command)}`;
  return countColumns(whole) <= 2 * formColumns ? whole : `${short}.`;
}

interface FieldContext {
  readonly minutes: number;
  readonly command: string;
}

import * as z from 'zod';
import { ToolError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { splitMachineNames } from '../operations/machineNames.ts';
import type { Operation } from '../operations/operation.ts';
import { quoteText } from '../text.ts';

/** What arguments are read for: a tool, or a prompt. */
export type Callable = Pick<Operation, 'name' | 'effect' | 'input'>;

/** A write can be asked for a second time by naming the outcome of the first, which its `already_done` tells. */
export const extendInput = ({ effect, input }: Omit<Callable, 'name'>) =>
  effect === 'read' ? input : input.safeExtend({ repeatOf });
const repeatOf = z.string().max(20).optional().describe('Only as already_done says');

/** What Gemini CLI, Cline, Cursor and n8n add to a call of themselves, beside keys that begin with `_`. */
export const hostKeys: readonly string[] = [
  ...['wait_for_previous', 'task_progress', 'random_string'],
  ...['tool', 'toolCallId', 'sessionId', 'chatInput'],
];
const isHostKey = (key: string) => key.startsWith('_') || hostKeys.includes(key);

/**
 * Reads the arguments of a call as models and hosts send them, by what the schema says of each: what is empty is absent,
 * one value stands for a list of one, and text is taken for the word, list, number or boolean that it can only mean.
 * @throws ToolError `invalid_input` that says what is wrong about them and what would be right.
 */
export function readInput(callable: Callable, args: unknown): Record<string, unknown> {
  const { input, properties } = describeInput(callable);
  const values = Object.entries(args ?? {}).flatMap(([name, sent]) => {
    if (isHostKey(name)) return [];
    const key = isIdForIds(name, properties, args) ? 'ids' : name;
    const value = Object.hasOwn(properties, key) ? readValue(sent, toSchema(properties[key])) : sent;
    return isEmpty(value) ? [] : [[key, value]];
  });
  const result = input.safeParse(Object.fromEntries(values), { reportInput: true });
  if (result.success) return result.data;
  const issues = result.error.issues.toSorted((a, b) => Number(isUnknownKey(b)) - Number(isUnknownKey(a)));
  const problems = issues.slice(0, 5).flatMap((issue) => explain(issue, callable, properties));
  const next = `Correct this and call ${callable.name} again.`;
  throw new ToolError('invalid_input', `${problems.slice(0, 5).join('. ')}.`, next);
}

/** One id stands for a list of one, under its own name too. */
const isIdForIds = (name: string, properties: Schemas, args: unknown) =>
  name === 'id' && !('id' in properties) && 'ids' in properties && !Object.hasOwn(Object(args), 'ids');

type Schema = z.core.JSONSchema.JSONSchema;
type Schemas = Readonly<Record<string, Schema | boolean>>;

interface DescribedInput {
  readonly input: Callable['input'];
  readonly properties: Schemas;
}
const describedInputs = new WeakMap<Callable, DescribedInput>();

function describeInput(callable: Callable): DescribedInput {
  const known = describedInputs.get(callable);
  if (known !== undefined) return known;
  const input = extendInput(callable);
  const { properties = {} } = z.toJSONSchema(input, { io: 'input' });
  const described = { input, properties };
  describedInputs.set(callable, described);
  return described;
}

const toSchema = (schema: Schema['items']): Schema =>
  typeof schema === 'object' && !Array.isArray(schema) ? schema : {};

/** A word, number or name without the blanks, quotes and brackets around it. */
function unwrap(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && wrapping.has(text.charAt(start))) start += 1;
  while (end > start && wrapping.has(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}
const wrapping: ReadonlySet<string> = new Set('"\'`()[]{} \t\r\n\u00a0\u3000\ufeff');
const isNoValue = (value: unknown) =>
  value === null ||
  value === undefined ||
  (typeof value === 'string' && ['', 'null', 'undefined'].includes(unwrap(value)));
const isEmpty = (value: unknown) => (Array.isArray(value) ? value.every(isNoValue) : isNoValue(value));

function readValue(value: unknown, schema: Schema): unknown {
  if (schema.type === 'array') return readList(value, toSchema(schema.items));
  return readOne(Array.isArray(value) && value.length === 1 ? value[0] : value, schema);
}

/** An empty id stays, to be refused: a write is not to happen to fewer objects than somebody believes. */
function readList(value: unknown, items: Schema): unknown[] {
  const list = toList(value, items).map((one) => readOne(one, items));
  return items.format === 'uuid' ? list : list.filter((one) => !isNoValue(one));
}

/** Between values; a blank is between them only where nothing else is, since the words of a portal have blanks. */
const separator = /[\r\n\t,;]+/;
const bullet = /^[ \t]*(?:[-*•]|\d+[.)])[ \t]+/gm;

function toList(value: unknown, items: Schema): unknown[] {
  const isOfNames = items.format === 'hostname';
  const split = (text: string) => (isOfNames ? splitNames(text) : splitText(text, separator));
  if (Array.isArray(value)) return value.flatMap((one) => (typeof one === 'string' ? split(one) : [one]));
  if (typeof value !== 'string') return [value];
  const parsed = parseJson(value);
  if (Array.isArray(parsed)) return toList(parsed, items);
  if (isOfNames && !isOnlyBlanksBetween(value)) return splitNames(value.replace(bullet, ''));
  const isOne = separator.test(value) || items.enum?.includes(String(readOne(value, items)));
  return splitText(value.replace(bullet, ''), isOne ? separator : /\s+/);
}

/** Not one name that has blanks in it, such as a distinguished one. */
const isOnlyBlanksBetween = (text: string) => !separator.test(text) && !/=|\[|Site:/i.test(text);

const splitNames = (text: string) => {
  const names = splitMachineNames(text);
  return names.length === 0 ? [text] : names;
};

const splitText = (text: string, between: RegExp) => {
  const parts = text.split(between).filter((part) => part.trim() !== '');
  return parts.length === 0 ? [text] : parts;
};

const isFreeText = ({ type, enum: words, format }: Schema) =>
  type === 'string' && words === undefined && format === undefined;

function readOne(value: unknown, schema: Schema): unknown {
  if (schema.type === 'string' && Number.isSafeInteger(value)) return String(value);
  if (typeof value !== 'string') return value;
  if (isFreeText(schema)) return value.trim();
  const word = unwrap(value);
  if (schema.enum !== undefined) return schema.enum.find((one) => simplify(String(one)) === simplify(word)) ?? word;
  if (schema.type === 'boolean') return booleans.get(word.toLowerCase()) ?? word;
  if (schema.type === 'integer') return /^-?\d{1,15}(\.0+)?$/.test(word) ? Number(word) : word;
  return schema.format === 'hostname' ? word.replace(/\.$/, '') : word;
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);
/** `upToDate`, `Up to date` and `up_to_date` are one word; what stands before a word may negate it. */
const simplify = (word: string) => word.toLowerCase().replace(/(?<=\w)[\s_()-]+(?=\w)/g, '');

const isUnknownKey = ({ code }: z.core.$ZodIssue) => code === 'unrecognized_keys';

/** The sentences for one thing that is wrong: where, what would be right, and what there is. */
function explain(issue: z.core.$ZodIssue, callable: Callable, properties: Schemas): string[] {
  const { code, path, input, message } = issue;
  const name = path.join('.');
  if (code === 'unrecognized_keys') {
    const sent = new Map<unknown, unknown>(Object.entries(input ?? {}));
    return issue.keys.slice(0, 5).map((key) => explainUnknown(key, sent.get(key), callable, properties));
  }
  if (name === '') return [`${callable.name} ${message}`];
  const { enum: words, description } = toSchema(properties[String(path[0])]);
  if (input === undefined) return [`${name} is missing (${words === undefined ? description : joinWords(words)})`];
  const right = describeRight(issue);
  return [right === undefined ? `${name} ${message}` : `${name} takes ${right}, not ${describeSent(input)}`];
}

const joinWords = (words: readonly unknown[]) => words.join(', ').replace(/, (?=[^,]*$)/, ' or ');

function describeRight(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code === 'invalid_type') return typeNames.get(issue.expected);
  if (issue.code === 'invalid_value') return joinWords(issue.values);
  const unit = 'origin' in issue ? units.get(issue.origin) : undefined;
  if (issue.code === 'too_small') return `at least ${issue.minimum}${unit ?? ''}`;
  if (issue.code === 'too_big') return `at most ${issue.maximum}${unit ?? ''}`;
  return undefined;
}

const typeNames: ReadonlyMap<string, string> = new Map([
  ['string', 'text'],
  ['number', 'a whole number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
]);
const units: ReadonlyMap<string, string> = new Map([
  ['string', ' characters'],
  ['array', ' values'],
]);

function describeSent(value: unknown): string {
  if (typeof value === 'string') return value.length > 60 ? `${value.length} characters` : quoteText(value);
  if (Array.isArray(value)) return value.length === 1 ? 'a list' : `a list of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** The arguments that there are: first those that could hold the value, then by likeness of the name. */
function explainUnknown(key: string, value: unknown, { name, input }: Callable, properties: Schemas): string {
  const arguments_ = Object.entries(input.shape).map(([known, type]) => {
    const schema = toSchema(properties[known]);
    const read = readValue(value, schema);
    const isNumber = schema.type === 'integer' && Number.isInteger(read);
    const canHold = isNumber || (!holdsAnyText(schema) && z.safeParse(type, read).success);
    return { known, score: Number(canHold) + measureLikeness(key, known) };
  });
  if (arguments_.length === 0) return `${name} takes no arguments; leave out ${quoteText(key, 40)}`;
  const nearest = arguments_.sort((a, b) => b.score - a.score).map(({ known }) => known);
  return `${name} has no argument ${quoteText(key, 40)}; nearest first, it takes ${nearest.join(', ')}`;
}

function holdsAnyText(schema: Schema): boolean {
  const { items } = schema;
  const isText = isFreeText(schema) || schema.format === 'hostname' || schema.format === 'word';
  return items === undefined ? isText : holdsAnyText(toSchema(items));
}

/** From 0 to 1: the pairs of letters that both names have. */
function measureLikeness(one: string, other: string): number {
  const [pairs, others] = [one, other].map((name) => {
    const letters = simplify(name);
    return new Set(Array.from(letters.slice(1), (letter, index) => `${letters[index]}${letter}`));
  });
  if (pairs === undefined || others === undefined || pairs.size + others.size === 0) return 0;
  return (2 * [...pairs].filter((pair) => others.has(pair)).length) / (pairs.size + others.size);
}

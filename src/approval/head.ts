import { groupBy, nameTarget } from '../operations/machines.ts';
import type { Target, ValueChange } from '../operations/operation.ts';
import { countColumns, formatCount, isPlainName, quoteName, quoteText, quoteUnlessPlain } from '../text.ts';
import type { Question } from './question.ts';

/** The narrowest form that was measured is so wide. */
export const formColumns = 76;
const mostHeadRows = 3;

/** What a head says beside the question itself. */
export interface HeadContext {
  /** What a person should read before the question, in a few words each. */
  readonly remarks: readonly string[];
  /** How many objects a person declined a moment ago, of which this names some. */
  readonly declined?: number;
}

/**
 * The question in at most three rows, which every host that was measured draws: tenant, act and how many warnings, then every
 * target, every written value and every warning. Undefined where that has no room.
 */
export function formatHead(question: Question, context: HeadContext): string[] | undefined {
  const { targets, changes } = question.plan;
  const names = targets.map((target) => quoteUnlessPlain(nameTarget(target)));
  const [name] = names;
  const values = fillRows(listWrittenValues(changes), '; ');
  const warnings = fillRows(listShortWarnings(question, context), ' ');
  const formatTitle = (act: string) => [`${formatPlace(question)}: ${act}`, ...countWarnings(question)].join(', ');
  const heads = [
    ...(name !== undefined && isNamedByAct(question)
      ? [[formatTitle(nameAct(question, name)), ...values, ...warnings]]
      : []),
    [formatTitle(nameAct(question)), ...fillRows(names, ', '), ...values, ...warnings],
  ];
  const fits = (rows: string[]) => rows.length <= mostHeadRows && rows.every((row) => countColumns(row) <= formColumns);
  return heads.find(fits);
}

function formatPlace({ context }: Question): string {
  const { simulated, tenantLabel, nameInGraph, identity } = context;
  const isPlain = nameInGraph === undefined && /^[A-Za-z0-9 -]+$/.test(tenantLabel);
  const tenant = isPlain ? tenantLabel : describeTenantNames(context);
  return [...(simulated ? ['SIMULATED'] : []), tenant, identity.tenantId.slice(0, 8)].join(' ');
}

/** The tenant's label in quotes, with the name that Graph has for it where that is another. */
export const describeTenantNames = ({ tenantLabel, nameInGraph }: Question['context']): string =>
  [quoteName(tenantLabel), ...(nameInGraph === undefined ? [] : [`Microsoft Graph: ${quoteName(nameInGraph)}`])].join(
    ', ',
  );

/** The one target is named in the first row, where it cannot be taken for words of ours. */
function isNamedByAct({ plan: { act, targets } }: Question): boolean {
  const [only, ...others] = targets;
  return act.noun !== undefined && only !== undefined && others.length === 0 && isPlainName(nameTarget(only));
}

/** What is done to how many: `Delete 1 sensor`, `Activate v3.x on 3 servers`, `Rotate the access key` */
export const describeAct = ({ act: { verb, noun, how }, targets }: Question['plan']): string =>
  [verb, noun && formatCount(targets.length, noun), how].filter(Boolean).join(' ');

/** The same within a sentence: to the one with this name, else to how many. */
function nameAct({ plan }: Question, name?: string): string {
  const { act, targets } = plan;
  const text = name === undefined ? describeAct(plan) : `${act.verb} ${name}`;
  const isCounted = act.noun !== undefined || targets.length === 0;
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}${isCounted ? '' : `, ${formatCount(targets.length, 'target')}`}`;
}

function countWarnings({ plan }: Question): string[] {
  const { length } = plan.consequences.filter(({ kind }) => kind === 'warning');
  return length === 0 ? [] : [formatCount(length, 'warning')];
}

/** Every value that is written and that the act does not say, equal ones once. */
function listWrittenValues(changes: readonly ValueChange[]): string[] {
  return [
    ...new Set(changes.flatMap((change) => (change.label === undefined ? [] : [formatWritten(change.label, change)]))),
  ];
}

function formatWritten(label: string, { before, after }: ValueChange): string {
  if (Array.isArray(after)) return `${label}: ${formatListChange(before, after)}`;
  return `${label}: ${typeof after === 'string' ? quoteText(after) : String(after)}`;
}

/** What a list gains and loses: `adds dc5.contoso.com; drops dc1.contoso.com`. */
export function formatListChange(before: unknown, after: readonly unknown[]): string {
  const [old, next] = [Array.isArray(before) ? before.map(String) : [], after.map(String)];
  const describe = (verb: string, names: readonly string[]) =>
    names.length === 0 ? [] : [`${verb} ${names.map(quoteUnlessPlain).join(', ')}`];
  const added = next.filter((name) => !old.includes(name));
  const removed = old.filter((name) => !next.includes(name));
  const parts = [...describe('adds', added), ...describe('drops', removed)];
  return parts.length === 0 ? 'as it is' : parts.join('; ');
}

/** What a person should read first, and every warning in its short form: equal ones once. */
function listShortWarnings(
  { plan: { consequences, targets } }: Question,
  { remarks, declined }: HeadContext,
): string[] {
  const warnings = consequences.flatMap((one) => (one.kind === 'warning' ? [one] : []));
  const items = [...groupBy(warnings, ({ short }) => short)].map(([short, equal]) => {
    const concerned = targets.filter(({ id }) => equal.some(({ about }) => about === id));
    const isOfAll = concerned.length === targets.length || concerned.length < equal.length;
    if (isOfAll) return equal.length > 1 ? `${short} (each)` : short;
    return `${concerned.map((target) => shortenName(target, targets)).join(', ')}: ${short}`;
  });
  const first = [...(declined === undefined ? [] : [`you declined ${declined}`]), ...remarks];
  return [...first, ...items].map((item) => `! ${item}`);
}

const getHost = ({ name, fqdn = name }: Target) => {
  const host = fqdn.split('.')[0] ?? fqdn;
  return isPlainName(fqdn) ? (host.toLowerCase() === name.toLowerCase() ? name : host) : name;
};

/** The host where it stands for one target only, else the whole name. */
function shortenName(target: Target, targets: readonly Target[]): string {
  const host = getHost(target);
  const isShared = targets.some((other) => other !== target && getHost(other).toLowerCase() === host.toLowerCase());
  return quoteUnlessPlain(isShared ? nameTarget(target) : host);
}

/** Items in rows that are as full as they can be; one that is too long for a row stays in one. */
function fillRows(items: readonly string[], separator: string): string[] {
  const rows: string[] = [];
  for (const item of items) {
    const last = rows.at(-1);
    const longer = `${last}${separator}${item}`;
    if (last === undefined || countColumns(longer) > formColumns) rows.push(item);
    else rows.splice(-1, 1, longer);
  }
  return rows;
}

import { ToolError } from '../errors.ts';
import type { Outcome } from '../graph/client/outcome.ts';
import type { Reader } from '../graph/client/reader.ts';
import { escapeInvisible } from '../text.ts';
import { nameTarget } from './machines.ts';
import type { Target, ValueChange, Verdict } from './operation.ts';
import { catchToolError } from './partial.ts';

/** What was seen of one part of an act after it. */
export interface Observation {
  /** A short phrase that is true. */
  readonly state: string;
  /** Whether it took effect: `accepted` is Graph's word for it where nothing can be seen yet, undefined what nobody knows. */
  readonly effective: boolean | 'accepted' | undefined;
}

/** The head of a write's result. What was seen counts, whatever Graph's answers said. */
export const summarize = (observations: readonly Observation[]) => ({
  outcome: describeStates(observations.map(({ state }) => state)),
  verdict: toVerdict(observations),
});

/** Each target, with what was seen of it where that differs: what was seen of all is the outcome. */
export function listStates(targets: readonly Target[], observations: readonly Observation[]) {
  const differs = new Set(observations.map(({ state }) => state)).size > 1;
  return targets.map((target, index) => ({
    id: target.id,
    name: escapeInvisible(nameTarget(target), 100),
    ...(differs && { state: observations[index]?.state }),
  }));
}

/** What was seen of a target, with its fields as a read after the act gave them; without those where nothing could be read. */
interface SeenTarget {
  readonly observation: Observation;
  readonly current?: ReadonlyMap<string, unknown> | undefined;
}

/** The result of a write that sets values: of each target those before and after; `after` stands once where it is the same for all. */
export function reportValues(targets: readonly Target[], changes: readonly ValueChange[], seen: readonly SeenTarget[]) {
  const observations = seen.map(({ observation }) => observation);
  const states = listStates(targets, observations);
  const all = states.map((state, index) => {
    const own = changes.filter(({ targetId }) => targetId === state.id);
    const current = seen[index]?.current;
    const toValues = (read: (change: ValueChange) => unknown) =>
      Object.fromEntries(own.map((change) => [change.field, toShownValue(read(change))]));
    const after = current && toValues(({ field }) => current.get(field));
    return { state, before: toValues(({ before }) => before), after };
  });
  const [first] = all;
  const isSameForAll = all.every(({ after }) => JSON.stringify(after) === JSON.stringify(first?.after));
  return {
    ...summarize(observations),
    ...(isSameForAll && first?.after !== undefined && { after: first.after }),
    rows: all.map(({ state, before, after }) => ({
      ...state,
      before,
      ...(!isSameForAll && after !== undefined && { after }),
    })),
  };
}

/** A value that Graph does not state is null; a text of the tenant is whole, with nothing hidden in it. */
const toShownValue = (value: unknown): unknown =>
  typeof value === 'string'
    ? escapeInvisible(value, Number.POSITIVE_INFINITY)
    : Array.isArray(value)
      ? value.map(toShownValue)
      : (value ?? null);

function toVerdict(observations: readonly Observation[]): Verdict {
  if (observations.some(({ effective }) => effective === undefined)) return 'outcome_unknown';
  if (observations.every(({ effective }) => effective)) return 'done';
  return observations.some(({ effective }) => effective) ? 'partly_done' : 'not_done';
}

export const nothingToDo = { outcome: 'nothing to do' } as const;

function describeStates(states: readonly string[]): string {
  const [only] = states;
  if (only === undefined) return nothingToDo.outcome;
  if (states.length === 1) return only.charAt(0).toUpperCase() + only.slice(1);
  return [...new Set(states)]
    .map((state) => `${states.filter((other) => other === state).length} of ${states.length}: ${state}`)
    .join('. ');
}

/** What is known without a read: a request that Graph refused or never got changed nothing. */
export function observeNoEffect(outcome: Outcome | undefined): Observation | undefined {
  if (outcome?.state === 'failed') return { state: 'failed; nothing was changed', effective: false };
  if (outcome?.isDoneAlready) return { state: 'so already; nothing was sent', effective: true };
  if (outcome === undefined || outcome.state === 'not_sent')
    return { state: `not sent${explainNotSent(outcome?.error)}; nothing was changed`, effective: false };
  return undefined;
}

const explainNotSent = (error: ToolError | undefined) =>
  error === undefined ? '' : `: ${error.message.charAt(0).toLowerCase()}${error.message.slice(1).replace(/\.$/, '')}`;

/** How to see whether a value was set. */
interface ValueCheck<T> {
  readonly read: () => Promise<T>;
  readonly isApplied: (current: T) => boolean;
  /** The value in a sentence, as `current` shows it where that could be read. */
  readonly describe: (current: T | undefined) => string;
  /** The tool that decides later. */
  readonly readTool: string;
}

/** What is known of a value that was to be set, and what a read after the act gave. */
export async function observeValue<T>(
  outcome: Outcome | undefined,
  graph: Reader,
  { read, isApplied, describe, readTool }: ValueCheck<T>,
): Promise<{ readonly observation: Observation; readonly current?: T }> {
  const noEffect = observeNoEffect(outcome);
  if (noEffect !== undefined) return { observation: noEffect };
  const { confirmed, ...seen } = await readAfterWrite(graph, read, isApplied);
  const value = describe(seen.current);
  const see = (state: string, effective: Observation['effective']) => ({ ...seen, observation: { state, effective } });
  if (confirmed === true) return see(`${value}, as read back from Graph`, true);
  if (outcome?.state === 'unknown') return see(`unknown whether ${value} took effect; ${readTool} decides`, undefined);
  return confirmed === false
    ? see(`Graph accepted the request but does not show ${value}; ${readTool} decides`, undefined)
    : see(`Graph accepted the request; it could not be read back yet, use ${readTool}`, 'accepted');
}

/** Graph may lag behind what it has confirmed. */
const secondReadDelayMs = 2_000;

/**
 * Looks after the act, once more a little later where the first read does not show it. `confirmed` is whether a read
 * shows the act, or why none could be had.
 */
export async function readAfterWrite<T>(graph: Reader, read: () => Promise<T>, isApplied: (current: T) => boolean) {
  const readOnce = async (): Promise<{ readonly current?: T; readonly confirmed: boolean | ToolError }> => {
    const current = await catchToolError(read());
    return current instanceof ToolError ? { confirmed: current } : { current, confirmed: isApplied(current) };
  };
  const first = await readOnce();
  if (first.confirmed !== false || (await catchToolError(graph.pause(secondReadDelayMs))) instanceof ToolError)
    return first;
  return readOnce();
}

import { ToolError } from '../errors.ts';
import type { Outcome } from '../graph/client/outcome.ts';
import type { Reader } from '../graph/client/reader.ts';
import type { WriteVerdict } from './operation.ts';

/** What was seen of one part of an act after it. */
export interface Observation {
  /** A short phrase that is true. */
  readonly state: string;
  /** Whether it took effect: `accepted` is Graph's word for it where nothing can be seen yet, undefined what nobody knows. */
  readonly effective: boolean | 'accepted' | undefined;
}

/** The head of a write's result. What was seen counts, whatever Graph's answers said. */
export function summarizeObservations(observations: readonly Observation[]): {
  outcome: string;
  verdict: WriteVerdict;
} {
  return { outcome: describeStates(observations.map(({ state }) => state)), verdict: toVerdict(observations) };
}

function toVerdict(observations: readonly Observation[]): WriteVerdict {
  if (observations.some(({ effective }) => effective === undefined)) return 'outcome_unknown';
  if (observations.every(({ effective }) => effective)) return 'done';
  return observations.some(({ effective }) => effective) ? 'partly_done' : 'not_done';
}

export const nothingToDo = { outcome: 'nothing to do' } as const;

function describeStates(states: readonly string[]): string {
  const [only, ...others] = [...new Set(states)];
  if (only === undefined) return nothingToDo.outcome;
  if (states.length === 1) return only.charAt(0).toUpperCase() + only.slice(1);
  return [only, ...others]
    .map((state) => `${states.filter((other) => other === state).length} of ${states.length}: ${state}`)
    .join('. ');
}

/** What is known without a read: a request that Graph refused or never got changed nothing. */
export function observeNoEffect(outcome: Outcome | undefined): Observation | undefined {
  if (outcome?.state === 'failed') return { state: 'failed; nothing was changed', effective: false };
  if (outcome === undefined || outcome.state === 'not_sent') {
    return { state: 'not sent; nothing was changed', effective: false };
  }
  return undefined;
}

/** What a read after the act says of a value that was to be set. */
export function describeReadBack(
  outcome: Outcome | undefined,
  confirmed: boolean | ToolError,
  value: string,
  readTool: string,
): Observation {
  if (confirmed === true) return { state: `${value}, as read back from Graph`, effective: true };
  if (outcome?.state === 'unknown') {
    return { state: `unknown whether ${value} took effect; ${readTool} decides`, effective: undefined };
  }
  if (confirmed === false) {
    return {
      state: `Graph accepted the request but does not show ${value}; ${readTool} decides`,
      effective: undefined,
    };
  }
  return { state: `Graph accepted the request; it could not be read back yet, use ${readTool}`, effective: 'accepted' };
}

/** Graph may lag behind what it has confirmed. */
const secondReadDelayMs = 2_000;

/** What a read after the act gave, and whether that shows the act, or why it could not be had. */
interface ReadAfterWrite<T> {
  readonly current?: T;
  readonly confirmed: boolean | ToolError;
}

/** Looks after the act, once more a little later where the first read does not show it. */
export async function readAfterWrite<T>(
  graph: Reader,
  read: () => Promise<T>,
  isApplied: (current: T) => boolean,
): Promise<ReadAfterWrite<T>> {
  const readOnce = async (): Promise<ReadAfterWrite<T>> => {
    const current = await catchToolError(read());
    return current instanceof ToolError ? { confirmed: current } : { current, confirmed: isApplied(current) };
  };
  const first = await readOnce();
  if (first.confirmed !== false || (await catchToolError(graph.pause(secondReadDelayMs))) instanceof ToolError)
    return first;
  return readOnce();
}

/** A read: what it gave, or why it could not be had. */
export function catchToolError<T>(read: Promise<T>): Promise<T | ToolError> {
  return read.catch((error: unknown) => {
    if (error instanceof ToolError) return error;
    throw error;
  });
}

import { ToolError } from '../errors.ts';
import type { Outcome } from '../graph/client/outcome.ts';
import type { Reader } from '../graph/client/reader.ts';
import type { Verdict } from './operation.ts';

/** What was seen of one part of an act after it. */
export interface Seen {
  /** A short phrase that is true. */
  readonly state: string;
  /** Whether it took effect: `accepted` is Graph's word for it where nothing can be seen yet, undefined what nobody knows. */
  readonly took: boolean | 'accepted' | undefined;
}

/** The head of a write's result. What was seen counts, whatever Graph's answers said. */
export function concluded(seen: readonly Seen[]): { outcome: string; verdict: Verdict } {
  return { outcome: sentence(seen.map(({ state }) => state)), verdict: verdictOf(seen) };
}

function verdictOf(seen: readonly Seen[]): Verdict {
  if (seen.some(({ took }) => took === undefined)) return 'outcome_unknown';
  if (seen.every(({ took }) => took)) return 'done';
  return seen.some(({ took }) => took) ? 'partly_done' : 'not_done';
}

export const nothingToDo = { outcome: 'nothing to do' } as const;

function sentence(states: readonly string[]): string {
  const [only, ...others] = [...new Set(states)];
  if (only === undefined) return nothingToDo.outcome;
  if (states.length === 1) return only.charAt(0).toUpperCase() + only.slice(1);
  return [only, ...others]
    .map((state) => `${states.filter((other) => other === state).length} of ${states.length}: ${state}`)
    .join('. ');
}

/** What is known without a read: a request that Graph refused or never got changed nothing. */
export function withoutEffect(outcome: Outcome | undefined): Seen | undefined {
  if (outcome?.state === 'failed') return { state: 'failed; nothing was changed', took: false };
  if (outcome === undefined || outcome.state === 'not_sent') {
    return { state: 'not sent; nothing was changed', took: false };
  }
  return undefined;
}

/** What a read after the act says of a value that was to be set. */
export function readBack(outcome: Outcome | undefined, is: boolean | ToolError, value: string, tool: string): Seen {
  if (is === true) return { state: `${value}, as read back from Graph`, took: true };
  if (outcome?.state === 'unknown') {
    return { state: `unknown whether ${value} took effect; ${tool} decides`, took: undefined };
  }
  if (is === false) {
    return { state: `Graph accepted the request but does not show ${value}; ${tool} decides`, took: undefined };
  }
  return { state: `Graph accepted the request; it could not be read back yet, use ${tool}`, took: 'accepted' };
}

/** In milliseconds: Graph may lag behind what it has confirmed. */
const settling = 2_000;

/** What a read after the act gave, and whether that shows the act, or why it could not be had. */
interface Look<T> {
  readonly now?: T;
  readonly is: boolean | ToolError;
}

/** Looks after the act, once more a little later where the first read does not show it. */
export async function looked<T>(graph: Reader, read: () => Promise<T>, shows: (now: T) => boolean): Promise<Look<T>> {
  const look = async (): Promise<Look<T>> => {
    const now = await tried(read());
    return now instanceof ToolError ? { is: now } : { now, is: shows(now) };
  };
  const first = await look();
  if (first.is !== false || (await tried(graph.pause(settling))) instanceof ToolError) return first;
  return look();
}

/** A read: what it gave, or why it could not be had. */
export function tried<T>(read: Promise<T>): Promise<T | ToolError> {
  return read.catch((error: unknown) => {
    if (error instanceof ToolError) return error;
    throw error;
  });
}

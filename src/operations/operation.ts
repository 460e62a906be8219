import type * as z from 'zod';
import type { Outcome } from '../graph/client/outcome.ts';
import type { Reader } from '../graph/client/reader.ts';
import type { Endpoint, GraphRequest, Permission } from '../graph/endpoint.ts';
import type { DisclosedSecret } from '../secrets/file.ts';
import type { Secret } from '../secrets/secret.ts';
import type { Typed, WriteEffect } from './effects.ts';

interface OperationBase<I extends z.ZodObject, O extends z.ZodObject, N extends string> {
  readonly name: N;
  readonly title: string;
  readonly description: string;
  readonly input: I;
  readonly output: O;
  /** Every endpoint that the operation reads. */
  readonly uses: readonly Endpoint[];
  /** Endpoints that it reads where it may; without them the answer names what is missing. */
  readonly usesIfAllowed?: readonly Endpoint[];
}

/** A tool that reads the tenant. */
export interface Read<
  I extends z.ZodObject = z.ZodObject,
  O extends z.ZodObject = z.ZodObject,
  N extends string = string,
> extends OperationBase<I, O, N> {
  readonly effect: 'read';
  run(input: z.output<I>, graph: Reader): Promise<z.input<O>>;
}

/** A tool that reads the tenant into a file of the operator's. */
export interface Export<
  I extends z.ZodObject = z.ZodObject,
  O extends z.ZodObject = z.ZodObject,
  N extends string = string,
> extends OperationBase<I, O, N> {
  readonly effect: 'read';
  run(input: z.output<I>, graph: Reader, saveFile: SaveFile): Promise<z.input<O>>;
}

/**
 * Writes a new file into the operator's folder for exports, once `makeText` has made what is in it; nothing is left of one
 * that fails. @throws ToolError `file_not_written`
 */
export type SaveFile = (kind: string, extension: string, makeText: () => Promise<string>) => Promise<SavedFile>;
export interface SavedFile {
  readonly file: string;
  readonly folder: string;
}

/** A tool that writes or discloses: `plan` decides everything from reads, a person approves it, `finish` looks at what happened. */
export interface Write<
  I extends z.ZodObject = z.ZodObject,
  O extends z.ZodObject = z.ZodObject,
  E extends WriteEffect = WriteEffect,
  N extends string = string,
> extends OperationBase<I, O, N> {
  readonly effect: E;
  /** True where its targets are sensors that are gone afterwards: other plans count them as gone while it waits. */
  readonly removesSensors?: true;
  /** The endpoints that an approved plan may send to. */
  readonly sends: readonly Endpoint[];
  plan(input: z.output<I>, graph: Reader): Promise<Plan<E>>;
  /** Called when at least one request may have taken effect or found done what it is for, or the plan sends nothing. */
  finish(input: z.output<I>, plan: Plan, outcomes: readonly Outcome[], graph: Finisher): Promise<FinishResult<O>>;
}

/** What `finish` tells: the result, and what it saw of the whole act where it looked. */
export type FinishResult<O extends z.ZodType> = z.input<O> & { readonly verdict?: Verdict };
export type Verdict = 'done' | 'partly_done' | 'not_done' | 'outcome_unknown';

export type Operation = Read | Export | Write;

/** The endpoints without which an operation does not work. */
export const listNeededEndpoints = (operation: Operation): readonly Endpoint[] =>
  operation.effect === 'read' ? operation.uses : [...operation.uses, ...operation.sends];

/** What would happen, decided from reads. The person who is asked sees all of it. */
export interface Plan<E extends WriteEffect = WriteEffect> {
  /**
   * What is done, in our words. `Migrate`, `sensor` and `from v2.x to v3.x` make `Migrate 2 sensors from v2.x to v3.x`;
   * without a noun it happens to the tenant, and the verb says it all.
   */
  readonly act: Act;
  /** The machines or objects it happens to; empty where it is the tenant itself. */
  readonly targets: readonly Target[];
  readonly changes: readonly ValueChange[];
  readonly consequences: readonly Consequence[];
  /** What a person types to approve it; the effect says what is allowed. */
  readonly types: Typed<E>;
  /** The exact requests, in order. Empty: there is nothing to do, and nothing is asked. */
  readonly requests: readonly GraphRequest[];
  /**
   * Where each target has a request of its own: plans one of them again, from reads by id of what its part of the plan
   * rests on, and lists that are less than a minute old. It has no request where there is nothing left to do.
   */
  readonly recheck?: (targetId: string, graph: Reader) => Promise<Plan<E>>;
}

/** `word` is the one that a person types, together with what it happens to. */
export interface Act {
  readonly word: string;
  readonly verb: string;
  readonly noun?: string;
  readonly how?: string;
}

/** What a plan has nothing of, unless it says otherwise. */
export const emptyPlan = { targets: [], changes: [], consequences: [], requests: [] } as const;

/** One machine or object. Everything but `details` is bound: a difference at the second plan voids the approval. */
export interface Target {
  readonly id: string;
  /** As the tenant spells it: untrusted. */
  readonly name: string;
  readonly domain?: string;
  /** In DNS, in lower case, where that is certain. */
  readonly fqdn?: string;
  readonly type?: string;
  readonly majorVersion?: string;
  readonly createdDateTime?: string;
  /** A sensor's list of domain controllers, sorted, in lower case. */
  readonly domainControllers?: readonly string[];
  /** What flaps, label to value: health, statuses, build number, open issues. */
  readonly details: Readonly<Record<string, string>>;
}

/** A value that is written; both sides are bound. */
export interface ValueChange {
  readonly targetId?: string;
  readonly field: string;
  /** What the field is called where there is little room: `DC list`. Absent where the act itself says the new value. */
  readonly label?: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Names, or a number. */
export type ConsequenceFact = readonly string[] | number;

/**
 * What follows from the act, in one sentence. It is bound with its facts, in one direction: a new warning, a new name, a
 * larger number or a lost reassurance voids an approval; a warning that went away or became smaller does not.
 */
export type Consequence = Warning | Note;

interface ConsequenceBase {
  readonly code: string;
  /** The id of the target that it is about. */
  readonly about?: string;
  readonly text: string;
  /** Every name and number that the sentence is made of, by what they are: `domains`, `days`. */
  readonly facts?: Readonly<Record<string, ConsequenceFact>>;
}

export interface Warning extends ConsequenceBase {
  readonly kind: 'warning';
  /** The same in at most 40 columns, for a head. */
  readonly short: string;
}

/** What is no reason to say no: it calms, or only tells. */
interface Note extends ConsequenceBase {
  readonly kind: 'reassurance' | 'info';
}

/** What an operation may do after sending: read, put a secret into its file, repeat an approved GET. Where the client cancels the call, only its pauses end. */
export interface Finisher extends Reader {
  /** Puts the secret where the person who approved finds it, such as the file that was created before the request left. */
  saveSecret(secret: Secret): Promise<DisclosedSecret>;
  /** Repeats a GET of the approved plan, such as reading the key again after an ambiguous answer. */
  repeat(request: GraphRequest): Promise<Outcome>;
}

/** The permission by whose token it shows who acts. */
export function getActingPermission([first]: readonly Endpoint[]): Permission {
  if (first === undefined) throw new Error('an operation has at least one endpoint');
  return first.permission;
}

export function read<I extends z.ZodObject, O extends z.ZodObject, N extends string>(
  operation: Omit<Read<I, O, N>, 'effect'>,
): Read<I, O, N> {
  return { ...operation, effect: 'read' };
}

export function readIntoFile<I extends z.ZodObject, O extends z.ZodObject, N extends string>(
  operation: Omit<Export<I, O, N>, 'effect'>,
): Export<I, O, N> {
  return { ...operation, effect: 'read' };
}

export function write<I extends z.ZodObject, O extends z.ZodObject, E extends WriteEffect, N extends string>(
  operation: Write<I, O, E, N>,
): Write<I, O, E, N> {
  return operation;
}

import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Caller } from '../entra/callers.ts';
import type { Identity } from '../graph/client/identity.ts';
import { type Cloud, type GraphVersion, requireVersion } from '../graph/clouds.ts';
import { formatPath, type GraphRequest, parseMethod } from '../graph/endpoint.ts';
import type { WriteEffect } from '../operations/effects.ts';
import { nameTarget } from '../operations/machines.ts';
import type { Consequence, ConsequenceFact, Plan } from '../operations/operation.ts';
import { escapeMarkup, isPlainName, quoteText, quoteUnlessPlain } from '../text.ts';

/** Where and for whom a call would act. */
export interface CallContext {
  readonly cloud: Cloud;
  readonly graphRoot: string;
  readonly graphVersion: GraphVersion;
  readonly tenantLabel: string;
  /** What Graph calls the tenant, where its label is another. */
  readonly nameInGraph?: string | undefined;
  readonly simulated: boolean;
  readonly identity: Identity;
  /** Who asks, as far as this process can tell: OS user, process and Graph identity. */
  readonly principal: string;
  /** Who called over HTTP. */
  readonly caller?: Caller | undefined;
  /** The person who asks, as Entra knows them; undefined where an app acts for whoever uses this machine. */
  readonly requester?: { readonly tenantId: string; readonly objectId: string } | undefined;
  /** What the client calls itself; shown, trusted for nothing. Empty where it does not say. */
  readonly clientName: string;
  /** Safety settings that differ from their defaults. */
  readonly settings: readonly string[];
  /** Where a disclosed secret goes: into a file of this folder, which only the person is shown, or onto the page. */
  readonly disclosesTo?: { readonly folder: string } | 'page' | undefined;
}

/** One request of a plan, as a person sees it and an approval binds it. */
export interface PlannedRequest {
  /** Method and address, `DELETE https://…`: first on the documented route, then on those tried where Graph lacks that. */
  readonly addresses: readonly string[];
  readonly body?: unknown;
  readonly cmdlet?: string;
}

/** What a person is asked: the plan of one call in one place, and what counts as a yes. All of it is data that survives JSON. */
export interface Question {
  readonly tool: string;
  readonly plan: Omit<Plan, 'requests' | 'recheck'>;
  readonly requests: readonly PlannedRequest[];
  readonly context: CallContext;
  /** The text to type. */
  readonly typed: string;
}

/** What of a question is about one of its targets. */
export function selectTarget({ plan, requests, ...question }: Question, targetId: string): Question {
  return {
    ...question,
    plan: {
      ...plan,
      targets: plan.targets.filter(({ id }) => id === targetId),
      changes: plan.changes.filter((change) => change.targetId === targetId),
      consequences: plan.consequences.filter(({ about }) => about === targetId),
    },
    requests: requests.filter(({ addresses }) => addresses.some((address) => address.endsWith(`/${targetId}`))),
    // How many there are is no part of one.
    typed: '',
  };
}

/** Texts that say no, in letters of any case. */
const refusals: readonly string[] = ['no', 'n', 'decline', 'cancel', 'stop'];
export const isRefusal = (typed: string) => refusals.includes(typed.trim().toLowerCase());

/** What a host has room for in the title of a field, less the words around it. */
const maxTypedLength = 44;
/** From so many objects on, the tenant is typed as well. */
const manyObjects = 10;

const shortenId = (id: string) => id.slice(0, 8);

/** A name as a person types it; the beginning of the id where it is none that every keyboard has. */
function chooseName(name: string, id: string): string {
  return isPlainName(name) && !isRefusal(name) && name.length <= maxTypedLength ? name : shortenId(id);
}

/** What names act and object, so that no text stands for two acts. */
function chooseTyped(effect: WriteEffect, { act, targets, types }: Plan, context: CallContext): string {
  const { tenantLabel, identity } = context;
  const tenant = chooseName(tenantLabel, identity.tenantId);
  const [only] = targets;
  if (types === 'tenant' || only === undefined) return `${act.word} ${tenant}`;
  if (types === 'count') {
    const isTenantTyped = effect === 'destroy' || targets.length >= manyObjects;
    return [act.word, targets.length, ...(isTenantTyped ? [tenant] : [])].join(' ');
  }
  return effect === 'destroy' ? chooseName(nameTarget(only), only.id) : `${act.word} ${chooseName(only.name, only.id)}`;
}

export function createQuestion(tool: string, effect: WriteEffect, plan: Plan, context: CallContext): Question {
  const { requests, recheck: _, ...shownPlan } = plan;
  return {
    tool,
    plan: shownPlan,
    requests: requests.map((request) => describeRequest(request, context)),
    context,
    typed: chooseTyped(effect, plan, context),
  };
}

function describeRequest({ endpoint, params, body }: GraphRequest, context: CallContext): PlannedRequest {
  const version = requireVersion(endpoint, context.graphVersion, context.cloud);
  const cmdlet = endpoint.cmdlets?.[version];
  return {
    addresses: [endpoint.route, ...(endpoint.alternatives ?? [])].map(
      (route) => `${parseMethod(route)} ${context.graphRoot}/${version}${formatPath(route, params)}`,
    ),
    ...(body !== undefined && { body }),
    ...(cmdlet !== undefined && { cmdlet }),
  };
}

/** Letter case and surrounding blanks do not matter. */
export const isTypedRight = ({ typed }: Question, text: string) => text.trim().toLowerCase() === typed.toLowerCase();

/** Method, address and body exactly as they would leave, one text for each address. */
export function formatRequest({ addresses, body }: PlannedRequest): string[] {
  const content = body === undefined ? '' : ` ${JSON.stringify(body)}`;
  return addresses.map((address) => `${address}${content}`);
}

/** What an approval is bound to, part by part; health, statuses and build numbers are not in it. */
function collectBound({ tool, plan, requests, context, typed }: Question) {
  return {
    v: 1,
    place: {
      tenant: context.identity.tenantId,
      cloud: context.cloud,
      'Graph version': context.graphVersion,
      'acting identity': `${context.identity.kind} ${context.identity.id}, app ${context.identity.appId}`,
      principal: context.principal,
      tool,
      'text to type': typed,
    },
    requests: requests.flatMap(formatRequest),
    targets: plan.targets.map(({ details, ...facts }) => facts).sort((a, b) => a.id.localeCompare(b.id, 'en')),
    changes: plan.changes.map(({ targetId = null, before = null, field, after }) => ({
      targetId,
      field,
      before,
      after,
    })),
    consequences: plan.consequences
      .map(({ kind, code, about = null, facts = {} }) => ({ kind, code, about, facts }))
      .sort((a, b) => formatCode(a).localeCompare(formatCode(b), 'en')),
  };
}

const formatCode = ({ code, about, kind }: Pick<Consequence, 'code' | 'kind'> & { about?: string | null }) =>
  [kind, code, about ?? ''].join(' ');
const isSame = (a: unknown, b: unknown) => canonicalize(a) === canonicalize(b);

/** SHA-256 over the canonical JSON (RFC 8785) of everything that is bound. */
export function computeDigest(question: Question): string {
  const bound = canonicalize(collectBound(question)) ?? '';
  return createHash('sha256').update(bound).digest('hex');
}

/** What makes `now` another act than the one approved, in words; no warning that went away, no reassurance that came. */
export function describeDifferences(approved: Question, now: Question): string[] {
  const was = collectBound(approved);
  const is = collectBound(now);
  const place = Object.entries(is.place).flatMap(([part, value]) => {
    const old = Object.entries(was.place).find(([name]) => name === part)?.[1];
    return old === value
      ? []
      : [`${part}: approved for ${quoteText(String(old), 200)}, now ${quoteText(String(value), 200)}`];
  });
  const targets = approved.plan.targets.flatMap((target) => {
    const { details: _, ...old } = target;
    const next = is.targets.find(({ id }) => id === target.id);
    // What a setting of the tenant reaches is a consequence of it: less of it is no other act.
    if (next === undefined)
      return now.plan.types === 'tenant'
        ? []
        : [`${quoteUnlessPlain(nameTarget(target))} is no longer among the targets`];
    return Object.entries({ ...old, ...next }).flatMap(([fact]) => {
      const [before, after] = [formatFact(old, fact), formatFact(next, fact)];
      if (before === after) return [];
      const name = quoteUnlessPlain(nameTarget(target));
      return [`${name}: ${fact} was ${quoteText(before, 200)}, now ${quoteText(after, 200)}`];
    });
  });
  const added = now.plan.targets.filter(({ id }) => !was.targets.some((target) => target.id === id));
  const changes = isSame(was.changes, is.changes) ? [] : ['the values that would be replaced are no longer the same'];
  const requests = isSame(was.requests, is.requests) ? [] : ['the requests are no longer the same'];
  const consequences = [
    ...describeUnmatched(now.plan.consequences, approved.plan.consequences, ['warning', 'info'], 'new'),
    ...describeUnmatched(approved.plan.consequences, now.plan.consequences, ['reassurance'], 'no longer true'),
  ];
  const precise = [
    ...place,
    ...targets,
    ...added.map((target) => `${quoteUnlessPlain(nameTarget(target))} is new`),
    ...changes,
  ];
  return [...precise, ...(precise.length === 0 ? requests : []), ...consequences];
}

const formatFact = (facts: object, name: string) =>
  String(Object.entries(facts).find(([fact]) => fact === name)?.[1] ?? 'nothing');

/** The consequences of these kinds that the others do not contain: not there, or with fewer names or a smaller number. */
function describeUnmatched(
  of: Plan['consequences'],
  others: Plan['consequences'],
  kinds: readonly string[],
  what: string,
): string[] {
  const unmatched = of.filter((one) => kinds.includes(one.kind) && !others.some((other) => isContained(one, other)));
  return unmatched.map(({ text }) => `${what}: ${escapeMarkup(text)}`);
}

/** Whether every name of a consequence is in the other one as well, and no number of it is larger. */
function isContained(one: Consequence, other: Consequence): boolean {
  const { facts = {} } = other;
  return (
    formatCode(one) === formatCode(other) &&
    Object.entries(one.facts ?? {}).every(([name, fact]) => isFactContained(fact, facts[name]))
  );
}

const isFactContained = (fact: ConsequenceFact, other: ConsequenceFact | undefined) =>
  typeof fact === 'number' ? typeof other === 'number' && fact <= other : isSubset(fact, other);

const isSubset = (names: readonly string[], others: ConsequenceFact | undefined) =>
  Array.isArray(others) && names.every((name) => others.includes(name));

import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Identity } from '../graph/client/identity.ts';
import type { GraphVersion } from '../graph/clouds.ts';
import { type Cloud, requireVersion } from '../graph/clouds.ts';
import { formatPath, type GraphRequest, parseMethod } from '../graph/endpoint.ts';
import type { Consequence, Plan } from '../operations/operation.ts';
import { fullName, isPlain, quoted, shownName, words } from './shown.ts';

/** Where and for whom an act would happen. */
export interface Place {
  readonly cloud: Cloud;
  readonly graphRoot: string;
  readonly graphVersion: GraphVersion;
  readonly tenantLabel: string;
  readonly simulated: boolean;
  readonly identity: Identity;
  /** Who asks, as far as this process can tell: OS user, process and Graph identity. */
  readonly principal: string;
  /** What the client calls itself; shown, trusted for nothing. */
  readonly clientName: string;
  /** Safety settings that differ from their defaults. */
  readonly settings: readonly string[];
  /** Where a disclosed secret goes: shown to the person only. */
  readonly secretsFolder: string | undefined;
}

/** What a person is asked: the plan of one call in one place, and what counts as a yes. */
export interface Question {
  readonly tool: string;
  readonly plan: Plan;
  readonly place: Place;
  /** The text to type; without one an explicit choice is enough. */
  readonly typed?: string;
}

/** The tenant's name as a person types it; the beginning of its id where it has none, or one that cannot be typed. */
const tenantWord = ({ tenantLabel, identity: { tenantId } }: Place) =>
  tenantLabel !== tenantId && /^[A-Za-z0-9][A-Za-z0-9 .&-]{0,63}$/.test(tenantLabel)
    ? tenantLabel
    : tenantId.slice(0, 8);

function typedText(plan: Plan, place: Place): string | undefined {
  const [only, ...others] = plan.targets;
  if (plan.confirm === 'choice') return undefined;
  if (plan.confirm === 'tenant' || only === undefined) return tenantWord(place);
  if (others.length > 0) {
    const [word = ''] = plan.act.verb.toLowerCase().split(' ');
    return `${word} ${plan.targets.length} ${tenantWord(place)}`;
  }
  return isPlain(only) ? fullName(only) : only.id.slice(0, 8);
}

export function questionOf(tool: string, plan: Plan, place: Place): Question {
  const typed = typedText(plan, place);
  return { tool, plan, place, ...(typed !== undefined && { typed }) };
}

/** True where nothing is to be typed, or this is it: letter case and surrounding blanks do not matter. */
export const isTyped = ({ typed }: Question, said = '') =>
  typed === undefined || said.trim().toLowerCase() === typed.toLowerCase();

/** Method, address and body of a request exactly as it would leave: first on its route, then on those tried where Graph lacks that. */
export function wiresOf({ endpoint, params, body }: GraphRequest, place: Place): string[] {
  const version = requireVersion(endpoint, place.graphVersion, place.cloud);
  const content = body === undefined ? '' : ` ${JSON.stringify(body)}`;
  return [endpoint.route, ...(endpoint.alternatives ?? [])].map(
    (route) => `${parseMethod(route)} ${place.graphRoot}/${version}${formatPath(route, params)}${content}`,
  );
}

const byKey =
  <T>(key: (item: T) => string) =>
  (a: T, b: T) =>
    key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;

/** What an approval is bound to, part by part; health, statuses and build numbers are not in it. */
function bound({ tool, plan, place, typed }: Question) {
  return {
    v: 1,
    place: {
      tenant: place.identity.tenantId,
      cloud: place.cloud,
      'Graph version': place.graphVersion,
      'acting identity': `${place.identity.kind} ${place.identity.id}, app ${place.identity.appId}`,
      principal: place.principal,
      tool,
      'text to type': typed ?? null,
    },
    requests: plan.requests.flatMap((request) => wiresOf(request, place)),
    targets: plan.targets.map(({ details, ...facts }) => facts).sort(byKey(({ id }) => id)),
    changes: plan.changes.map(({ targetId, field, before, after }) => ({
      targetId: targetId ?? null,
      field,
      before: before ?? null,
      after,
    })),
    consequences: plan.consequences.map(codeOf).sort(),
  };
}

const codeOf = ({ code, about, kind }: Consequence) => [kind, code, about ?? ''].join(' ');
const same = (a: unknown, b: unknown) => canonicalize(a) === canonicalize(b);

/** SHA-256 over the canonical JSON (RFC 8785) of everything that is bound. */
export function digestOf(question: Question): string {
  return createHash('sha256')
    .update(canonicalize(bound(question)) ?? '')
    .digest('hex');
}

/**
 * What makes `now` another act than the one approved, in words; empty when the approval holds. A warning that went away
 * and a reassurance that came do not count.
 */
export function differences(approved: Question, now: Question): string[] {
  const was = bound(approved);
  const is = bound(now);
  const place = Object.entries(is.place).flatMap(([part, value]) => {
    const old = Object.entries(was.place).find(([name]) => name === part)?.[1];
    return old === value ? [] : [`${part}: approved for ${quoted(String(old))}, now ${quoted(String(value))}`];
  });
  const targets = approved.plan.targets.flatMap((target) => {
    const { details: _, ...old } = target;
    const next = is.targets.find(({ id }) => id === target.id);
    if (next === undefined) return [`${shownName(target)} is no longer among the targets`];
    return Object.entries({ ...old, ...next }).flatMap(([fact]) => {
      const [before, after] = [textOfFact(old, fact), textOfFact(next, fact)];
      return before === after ? [] : [`${shownName(target)}: ${fact} was ${quoted(before)}, now ${quoted(after)}`];
    });
  });
  const added = now.plan.targets.filter(({ id }) => !was.targets.some((target) => target.id === id));
  const changes = same(was.changes, is.changes) ? [] : ['the values that would be replaced are no longer the same'];
  const requests = same(was.requests, is.requests) ? [] : ['the requests are no longer the same'];
  const consequences = [
    ...lost(now.plan.consequences, approved.plan.consequences, ['warning', 'info'], 'new'),
    ...lost(approved.plan.consequences, now.plan.consequences, ['reassurance', 'info'], 'no longer true'),
  ];
  const precise = [...place, ...targets, ...added.map((target) => `${shownName(target)} is new`), ...changes];
  return [...precise, ...(precise.length === 0 ? requests : []), ...consequences];
}

const textOfFact = (facts: object, name: string) =>
  String(Object.entries(facts).find(([fact]) => fact === name)?.[1] ?? 'nothing');

const lost = (of: readonly Consequence[], from: readonly Consequence[], kinds: readonly string[], what: string) =>
  of
    .filter(({ kind }) => kinds.includes(kind))
    .filter((consequence) => !from.some((other) => codeOf(other) === codeOf(consequence)))
    .map(({ text }) => `${what}: ${words(text)}`);

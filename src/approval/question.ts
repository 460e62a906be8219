import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { visible } from '../display.ts';
import { type GraphVersion, methodOf, pathOf, type Request, versionOf } from '../graph/endpoint.ts';
import type { Identity } from '../graph/identity.ts';
import type { Change, Consequence, Plan, Target } from '../operations/operation.ts';

/** Where and for whom an act would happen. */
export interface Place {
  readonly cloud: string;
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

/** Markup and links that a host would draw, spelled out; what is spelled out already stays. */
const words = (text: string) =>
  text
    .replace(/[`*[\]<>#|~!]|\\(?!u\{)/g, (sign) => `\\u{${sign.charCodeAt(0).toString(16)}}`)
    .replace(/:\/\//g, ':\\u{2f}/')
    .replace(/\bwww\./gi, 'www\\u{2e}');

/** Text of a tenant, client or model for a person's eyes: cut, nothing hidden, no markup or link that a host would draw. */
export function quoted(text: string, most = 200): string {
  return `"${words(visible(text, most)).replaceAll('"', "'")}"`;
}

/** A short fact, such as a status or a version: bare where nothing in it could be taken for our words. */
const fact = (text: string) => (/^[\w.:-]{1,60}$/.test(text) ? text : quoted(text, 60));

const plainLabel = /^[A-Za-z0-9-]{1,63}$/;

/** A machine's name for a person's eyes; letters that are not ASCII are also spelled out, since some look alike. */
function shownName(target: Target): string {
  if (isPlain(target)) return fullName(target);
  const spelled = fullName(target).replace(/[^\x20-\x7e]/gu, (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`);
  const [name, inLetters] = [quoted(fullName(target)), quoted(spelled)];
  return inLetters === name ? name : `${name} (${inLetters})`;
}

const fullName = ({ name, domain }: Target) => (domain === undefined ? name : `${name}.${domain}`);
const isPlain = (target: Target) =>
  fullName(target).length <= 200 &&
  fullName(target)
    .split('.')
    .every((label) => plainLabel.test(label));

const tenantWord = ({ tenantLabel, identity }: Place) =>
  /^[A-Za-z0-9][A-Za-z0-9 .&-]{0,63}$/.test(tenantLabel) ? tenantLabel : identity.tenantId.slice(0, 8);

function typedText(plan: Plan, place: Place): string | undefined {
  const [only, ...others] = plan.targets;
  if (plan.type === undefined) return undefined;
  if (plan.type === 'tenant' || only === undefined) return tenantWord(place);
  if (others.length > 0) return `${plan.type} ${plan.targets.length} ${tenantWord(place)}`;
  return isPlain(only) ? fullName(only) : only.id.slice(0, 8);
}

export function questionOf(tool: string, plan: Plan, place: Place): Question {
  const typed = typedText(plan, place);
  return { tool, plan, place, ...(typed !== undefined && { typed }) };
}

/** Method, address and body of a request exactly as it would leave. */
export function wireOf({ endpoint, params, body }: Request, place: Place): string {
  const address = `${place.graphRoot}/${versionOf(endpoint, place.graphVersion)}${pathOf(endpoint.route, params)}`;
  return `${methodOf(endpoint.route)} ${address}${body === undefined ? '' : ` ${JSON.stringify(body)}`}`;
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
    requests: plan.send.map((request) => wireOf(request, place)),
    targets: plan.targets.map(({ shown, ...facts }) => facts).sort(byKey(({ id }) => id)),
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
    const { shown: _, ...old } = target;
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

/** The parts of a question for a person's eyes, in their order; every string is safe to show. */
export interface QuestionParts {
  readonly tenant: string;
  readonly simulated: boolean;
  /** `Delete 1 sensor?` */
  readonly action: string;
  /** The worst first. */
  readonly consequences: readonly Pick<Consequence, 'kind' | 'text'>[];
  readonly targets: readonly { readonly name: string; readonly facts: readonly string[] }[];
  /** Values of the tenant itself that are replaced, and where a secret goes. */
  readonly changes: readonly string[];
  /** Requests, cmdlets, who acts, who asks, unusual settings. */
  readonly details: readonly string[];
  readonly typed?: string;
}

export function partsOf({ plan, place, typed }: Question): QuestionParts {
  const cmdlets = plan.send.flatMap(({ endpoint }) => {
    const cmdlet = endpoint.cmdlets?.[versionOf(endpoint, place.graphVersion)];
    return cmdlet === undefined ? [] : [cmdlet];
  });
  return {
    tenant: `${quoted(place.tenantLabel)} (${place.identity.tenantId})`,
    simulated: place.simulated,
    action: `${plan.action}?`,
    consequences: [...plan.consequences]
      .sort(byKey(({ kind }) => 'wri'.indexOf(kind.charAt(0)).toString()))
      .map(({ kind, text }) => ({ kind, text: words(text) })),
    targets: plan.targets.map((target) => ({ name: shownName(target), facts: factsOf(target, plan.changes) })),
    changes: [
      ...plan.changes.filter(({ targetId }) => targetId === undefined).map(changeLine),
      ...(place.secretsFolder === undefined ? [] : [`The key goes into a file in ${place.secretsFolder}`]),
    ],
    details: [
      ...plan.send.map((request) => `Request: ${wireForEyes(request, place)}`),
      ...[...new Set(cmdlets)].map((cmdlet) => `The same in PowerShell: ${cmdlet}`),
      `Acts as: ${place.identity.kind} ${quoted(place.identity.name)} (${place.identity.id})`,
      `Asked by: a client that says it is ${quoted(place.clientName, 60)}`,
      ...(place.settings.length === 0 ? [] : [`Settings other than the default: ${place.settings.join(', ')}`]),
    ],
    ...(typed !== undefined && { typed }),
  };
}

const marks = { warning: '⚠', reassurance: '✓', info: '·' } as const;

/** The question as text: tenant first, then what will happen and its consequences, then the facts, the tenant's words quoted. */
export function questionText(question: Question, minutes: number, note: readonly string[] = []): string {
  const { tenant, simulated, action, consequences, targets, changes, details, typed } = partsOf(question);
  return [
    `${simulated ? 'SIMULATED ' : ''}TENANT ${tenant}`,
    ...note,
    '',
    action,
    '',
    ...consequences.map(({ kind, text }) => `${marks[kind]} ${text}`),
    ...targets.flatMap(({ name, facts }, index) => ['', `${index + 1}. ${name}`, ...facts.map((fact) => `   ${fact}`)]),
    ...(changes.length === 0 ? [] : ['', ...changes]),
    '',
    ...details,
    `Valid for ${minutes} minutes.`,
    ...(typed === undefined ? [] : ['', `To approve, type: ${typed}`]),
  ].join('\n');
}

/** The request for a person's eyes: what the model or the tenant wrote in its body is neutralised, the rest is as it leaves. */
const wireForEyes = (request: Request, place: Place) =>
  visible(wireOf({ ...request, body: neutral(request.body) }, place), 2000);

const neutral = (body: unknown): unknown =>
  body === undefined
    ? undefined
    : JSON.parse(JSON.stringify(body), (key, value: unknown) =>
        typeof value === 'string' && !key.startsWith('@odata') ? words(value) : value,
      );

function factsOf({ id, type, majorVersion, createdDateTime, shown }: Target, changes: readonly Change[]): string[] {
  const facts = [
    type === undefined ? undefined : fact(type),
    majorVersion === undefined ? undefined : `v${majorVersion}.x`,
    createdDateTime === undefined ? undefined : `created ${fact(createdDateTime.slice(0, 10))}`,
  ].filter((fact) => fact !== undefined);
  const now = Object.entries(shown).map(([label, value]) => `${label} ${fact(value)}`);
  return [
    ...(facts.length === 0 ? [] : [facts.join(', ')]),
    ...(now.length === 0 ? [] : [`now: ${now.join(', ')}`]),
    `id ${id}`,
    ...changes.filter(({ targetId }) => targetId === id).map(changeLine),
  ];
}

const changeLine = ({ field, before, after }: Change) =>
  `${field}: ${quoted(textOf(before), 300)} -> ${quoted(textOf(after), 300)}`;

const textOf = (value: unknown) =>
  value === undefined || value === null ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);

import { nameTarget } from '../operations/machines.ts';
import type { Consequence, Target, ValueChange } from '../operations/operation.ts';
import {
  escapeInvisible,
  escapeMarkup,
  isPlainName,
  quoteFact,
  quoteName,
  quoteText,
  quoteUnlessPlain,
} from '../text.ts';
import { describeAct, describeTenantNames, formatListChange } from './head.ts';
import { type CallContext, formatRequest, type PlannedRequest, type Question } from './question.ts';

/** The parts of a question for a person's eyes, in their order; every string is safe to show. */
export interface QuestionParts {
  readonly tenant: string;
  readonly tenantId: string;
  readonly simulated: boolean;
  /** `Delete sensor DC07.contoso.com?`, or `Delete 2 stale sensors?` */
  readonly action: string;
  /** The worst first. */
  readonly consequences: readonly Pick<Consequence, 'kind' | 'text'>[];
  readonly targets: readonly { readonly name: string; readonly facts: readonly string[] }[];
  /** Values of the tenant itself that are replaced, and where a secret goes. */
  readonly changes: readonly string[];
  /** Requests, cmdlets, who acts, who asks, unusual settings. */
  readonly details: readonly string[];
  readonly typed: string;
}

const worstFirst: readonly Consequence['kind'][] = ['warning', 'reassurance', 'info'];

export function describeQuestion({ plan, requests, context, typed }: Question): QuestionParts {
  const cmdlets = requests.flatMap(({ cmdlet }) => (cmdlet === undefined ? [] : [cmdlet]));
  return {
    tenant: describeTenantNames(context),
    tenantId: context.identity.tenantId,
    simulated: context.simulated,
    action: `${formatTitle(plan)}?`,
    consequences: [...plan.consequences]
      .sort((a, b) => worstFirst.indexOf(a.kind) - worstFirst.indexOf(b.kind))
      .map(({ kind, text }) => ({ kind, text: escapeMarkup(text) })),
    targets: plan.targets.map((target) => ({
      name: quoteUnlessPlain(nameTarget(target)),
      facts: describeFacts(target, plan.changes),
    })),
    changes: [
      ...plan.changes.filter(({ targetId }) => targetId === undefined).map(formatChange),
      ...describeDisclosure(context),
    ],
    details: [
      ...requests.flatMap((request) =>
        formatForEyes(request).map(
          (text, index) => `${index === 0 ? 'Request' : 'Or, where Graph lacks that'}: ${text}`,
        ),
      ),
      ...[...new Set(cmdlets)].map((cmdlet) => `The same in PowerShell: ${cmdlet}`),
      `Acts as: ${context.identity.kind} ${quoteName(context.identity.name)} (${context.identity.id})`,
      `Asked by: ${describeRequester(context)}${describeClientName(context)}`,
      ...(context.settings.length === 0
        ? []
        : [
            `Settings other than the default: ${escapeInvisible(context.settings.join(', '), Number.POSITIVE_INFINITY)}`,
          ]),
    ],
    typed,
  };
}

function describeRequester({ caller }: CallContext): string {
  return caller === undefined ? '' : `${caller.kind} ${quoteName(caller.name)} (${caller.id}), through `;
}

function describeClientName({ clientName }: CallContext): string {
  return clientName === ''
    ? 'a client that does not say what it is'
    : `a client that says it is ${quoteText(clientName)}`;
}

function describeDisclosure({ disclosesTo }: CallContext): string[] {
  if (disclosesTo === undefined) return [];
  if (disclosesTo === 'page') return ['The key is shown on this page, to you alone, once it was done'];
  return [`The key goes into a file in ${escapeInvisible(disclosesTo.folder, Number.POSITIVE_INFINITY)}`];
}

/** The names of the targets that the act itself does not name. */
export const listUnnamedTargets = ({ action, targets }: QuestionParts): string[] =>
  targets.map(({ name }) => name).filter((name) => !action.includes(name));

/** The act with its one target by name, where that cannot be taken for words of ours: `Delete sensor DC07.contoso.com`. */
function formatTitle(plan: Question['plan']): string {
  const { verb, noun, how } = plan.act;
  const [only, ...others] = plan.targets;
  if (noun === undefined || only === undefined || others.length > 0 || !isPlainName(nameTarget(only)))
    return describeAct(plan);
  return [verb, noun, nameTarget(only), how].filter(Boolean).join(' ');
}

const marks = { warning: '⚠', reassurance: '✓', info: '·' } as const;

/** The question as text: tenant first, then what will happen and its consequences, then the facts, the tenant's words quoted. */
export function formatQuestion(question: Question, note: readonly string[] = []): string {
  const { tenant, tenantId, simulated, action, consequences, targets, changes, details, typed } =
    describeQuestion(question);
  return [
    `${simulated ? 'SIMULATED ' : ''}TENANT ${tenant} (${tenantId})`,
    ...note,
    '',
    action,
    '',
    ...consequences.map(({ kind, text }) => `${marks[kind]} ${text}`),
    ...targets.flatMap(({ name, facts }, index) => ['', `${index + 1}. ${name}`, ...facts.map((fact) => `   ${fact}`)]),
    ...(changes.length === 0 ? [] : ['', ...changes]),
    '',
    ...details,
    '',
    `To approve, type: ${typed}`,
  ].join('\n');
}

/** The request for a person's eyes: what the model or the tenant wrote in its body is neutralised, the rest is as it leaves. */
const formatForEyes = (request: PlannedRequest) =>
  formatRequest({ ...request, body: neutralize(request.body) }).map((text) =>
    escapeInvisible(text, Number.POSITIVE_INFINITY),
  );

const neutralize = (body: unknown): unknown =>
  body === undefined
    ? undefined
    : JSON.parse(JSON.stringify(body), (key, value: unknown) =>
        typeof value === 'string' && !key.startsWith('@odata') ? escapeMarkup(value) : value,
      );

function describeFacts(
  { id, type, majorVersion, createdDateTime, domainControllers = [], details }: Target,
  changes: readonly ValueChange[],
): string[] {
  const facts = [
    type === undefined ? undefined : quoteFact(spellOut(type)),
    majorVersion === undefined ? undefined : `v${majorVersion}.x`,
    createdDateTime === undefined ? undefined : `created ${quoteFact(createdDateTime.slice(0, 10))}`,
  ].filter((fact) => fact !== undefined);
  const now = Object.entries(details).map(([label, value]) => `${label} ${quoteFact(spellOut(value))}`);
  return [
    ...(facts.length === 0 ? [] : [facts.join(', ')]),
    ...(now.length === 0 ? [] : [`now: ${now.join(', ')}`]),
    // A domain controller's own sensor lists itself.
    ...(domainControllers.length === 0 || type === 'domainControllerIntegrated'
      ? []
      : [`its domain controllers: ${domainControllers.map(quoteUnlessPlain).join(', ')}`]),
    `id ${id}`,
    ...changes.filter(({ targetId }) => targetId === id).map(formatChange),
  ];
}

/** A member of an enum as a person reads it, and still one word: `upToDate` is up-to-date. */
const spellOut = (text: string) =>
  /^[a-z]+([A-Z][a-z]+)+$/.test(text) ? text.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`) : text;

/** The whole of both values: what is written is never cut. */
const formatChange = ({ field, before, after }: ValueChange) =>
  Array.isArray(after)
    ? `${field}: ${formatListChange(before, after)}`
    : `${field}: ${quoteWhole(before)} -> ${quoteWhole(after)}`;

const quoteWhole = (value: unknown) => quoteText(formatValue(value));

const formatValue = (value: unknown) =>
  value === undefined || value === null ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);

import { createHash } from 'node:crypto';
import type { CallToolResult, InputRequiredResult, McpServer, ServerContext } from '@modelcontextprotocol/server';
import canonicalize from 'canonicalize';
import * as z from 'zod';
import type { Act } from '../approval/gate.ts';
import type { Entry } from '../approval/ledger.ts';
import { type Question, questionOf } from '../approval/question.ts';
import { listUnusualSafetySettings } from '../config.ts';
import { SignInNeeded, ToolError } from '../errors.ts';
import type { Graph } from '../graph/client/client.ts';
import { createCancelledError } from '../graph/client/errors.ts';
import type { Identity } from '../graph/client/identity.ts';
import type { Outcome } from '../graph/client/outcome.ts';
import type { ProgressReporter } from '../graph/client/reader.ts';
import { pause } from '../graph/client/timing.ts';
import { parseMethod } from '../graph/endpoint.ts';
import { effects, isPersonAsked } from '../operations/effects.ts';
import { operations } from '../operations/index.ts';
import {
  type Finisher,
  getActingPermission,
  type Plan,
  type Write,
  type WriteVerdict,
} from '../operations/operation.ts';
import { createSecretFile, type SecretFile } from '../secrets/file.ts';
import { describeTenant, done, failed, otherVersion } from './results.ts';
import type { Process } from './runtime.ts';

const millisecondsToWrite = 60_000;
const millisecondsToFinish = 40_000;
const readFirst = 'Read the current state before doing anything else.';

/** One call of a tool. */
export interface Call {
  readonly own: Process;
  readonly server: McpServer;
  readonly graph: Graph;
  readonly context: ServerContext;
  readonly progress: ProgressReporter | undefined;
}

/** The one path of a write: plan, gate, plan again, take, send, finish. */
export async function write(
  operation: Write,
  { repeatOf: repeated, ...input }: Record<string, unknown>,
  call: Call,
): Promise<CallToolResult | InputRequiredResult> {
  const { own, server, graph, context, progress } = call;
  const { gate } = own;
  const { tenantId } = await actingIdentity(operation, graph, context.mcpReq.signal);
  const caller = { context, tool: operation.name, tenantId, progress };
  const canonical = canonicalize([own.principal, operation.name, input]) ?? '';
  const key = createHash('sha256').update(canonical).digest('hex');

  const repeatOf = z.string().optional().parse(repeated);

  let verdict = await gate.enter(key, repeatOf, caller);
  if (verdict.kind === 'new') {
    const leaving = gate.targetsOf(removing);
    const first = await ready(operation, input, call, leaving);
    if (first.plan.requests.length === 0) return nothingToDo(first);
    if (!isPersonAsked(operation.effect, first.plan.consequences.length, own.config.confirmChanges)) {
      await authorize(first, call);
      return (await send(operation, call, first, millisecondsToWrite)).result;
    }
    const { question } = first;
    const client = gate.client(server, context);
    verdict = await gate.ask({ key, question, leaving, note: verdict.note, repeatOf }, client, caller);
  }
  while (verdict.kind === 'approved') {
    const { entry } = verdict;
    const act = await gate.act(entry, async () => {
      const now = await ready(operation, input, call, entry.leaving);
      if (now.plan.requests.length === 0)
        return { kind: 'result', result: await nothingToDo(now), requestIds: [], changed: false };
      return actOn(entry, operation, call, now);
    });
    verdict = act.kind === 'asked' ? await gate.present(act.entry, caller) : act;
  }
  if (verdict.kind === 'new') throw new Error('a question was neither asked nor refused');
  return verdict.result;
}

/** Everything that an act needs, as it is now: what would happen, as whom, and the question that asks for it. */
interface Ready {
  readonly plan: Plan;
  readonly identity: Identity;
  readonly question: Question;
  readonly place: ReturnType<typeof describeTenant>;
  finish(outcomes: readonly Outcome[], file?: SecretFile): ReturnType<Write['finish']>;
}

async function ready(
  operation: Write,
  input: Record<string, unknown>,
  call: Call,
  pendingDeletions: ReadonlySet<string>,
): Promise<Ready> {
  const { own, server, graph, context, progress: reportProgress } = call;
  const { signal } = context.mcpReq;
  const plan = await operation.plan(input, graph.createReader({ signal, reportProgress, pendingDeletions }));
  check(operation, plan, own.config.maxMachines);
  const identity = await actingIdentity(operation, graph, signal);
  const place = describeTenant(graph.tenant, identity, await graph.getTenantName());
  const question = questionOf(operation.name, plan, {
    cloud: graph.tenant.cloud,
    graphRoot: graph.tenant.graphRoot,
    graphVersion: own.config.graphVersion,
    tenantLabel: place.label,
    simulated: graph.tenant.simulated,
    identity,
    principal: own.principal,
    clientName: own.gate.client(server, context).name,
    settings: listUnusualSafetySettings(own.config),
    secretsFolder: disclosing(operation) ? own.secretsFolder : undefined,
  });
  const finish = async (outcomes: readonly Outcome[], file?: SecretFile) => ({
    ...otherVersion(operation, graph.tenant, own.config),
    ...(await operation.finish(input, plan, outcomes, finisher(call, plan, identity, file))),
  });
  return { plan, identity, question, place, finish };
}

async function nothingToDo({ place, finish }: Ready): Promise<CallToolResult> {
  const { verdict: _, ...nothing } = await finish([]);
  return done(nothing, place);
}

/** The tokens come before the approval is taken: a person may have to sign in for one that writes. */
const authorize = ({ plan, identity }: Ready, { graph, context }: Call) =>
  graph.authorize(plan.requests, identity, context.mcpReq.signal);

/** Takes the approval for what is ready now, and sends it. */
async function actOn(approval: Entry, operation: Write, call: Call, now: Ready): Promise<Act> {
  const { own } = call;
  await authorize(now, call);
  const file = disclosing(operation)
    ? await createSecretFile(own.secretsFolder, now.identity.tenantId, own.config.revealSecrets)
    : undefined;
  try {
    const taken = own.gate.take(approval, now.question);
    if (taken.kind === 'asked') return taken;
    const time = Math.min(millisecondsToWrite, taken.milliseconds);
    return { kind: 'result', ...(await send(operation, call, now, time, file)) };
  } finally {
    await file?.discard().catch(() => undefined);
  }
}

async function send(operation: Write, call: Call, ready: Ready, time: number, file?: SecretFile) {
  const { own, graph } = call;
  const { place, finish } = ready;
  const outcomes = await sendAll(ready, call, time);
  const requestIds = outcomes.filter(({ state }) => state !== 'not_sent').map(({ requestId }) => requestId ?? null);
  const acted = outcomes.filter(({ state }) => state === 'done' || state === 'gone' || state === 'unknown');
  const changed = acted.some((outcome) => operation.effect === 'disclose' || !isGet(outcome));
  if (!changed) {
    const refusal = outcomes.find((outcome) => outcome.error)?.error ?? createCancelledError();
    if (refusal instanceof SignInNeeded) throw refusal;
    return { result: failed(refusal, { simulated: graph.tenant.simulated, unchanged: true }), requestIds, changed };
  }
  const result = await report(outcomes, place, () => finish(outcomes, file), own);
  return { result, requestIds, changed };
}

const isGet = ({ request }: Outcome) => parseMethod(request.endpoint.route) === 'GET';

/** Sends the plan's requests in their order; the first that fails ends the sending, and so does who cancels the call. */
async function sendAll({ plan, identity: actingAs }: Ready, { graph, context, progress }: Call, time: number) {
  const { signal } = context.mcpReq;
  const until = performance.now() + time;
  const outcomes: Outcome[] = [];
  for (const [index, request] of plan.requests.entries()) {
    if (signal.aborted || outcomes.some(({ state }) => state === 'failed' || state === 'unknown')) {
      outcomes.push({ request, state: 'not_sent', readAnswer: () => undefined });
      continue;
    }
    progress?.(`Sending request ${index + 1} of ${plan.requests.length}`, index, plan.requests.length);
    const timeoutMs = Math.max(1, until - performance.now());
    outcomes.push(await graph.send(request, { actingAs, timeoutMs, signal }));
  }
  return outcomes;
}

/** Tells what happened as far as it was seen: a request that took effect never reads as one that did not. */
async function report(
  outcomes: readonly Outcome[],
  place: ReturnType<typeof describeTenant>,
  finish: () => ReturnType<Write['finish']>,
  { config, log }: Process,
): Promise<CallToolResult> {
  const simulated = config.simulate !== undefined;
  const refusal = outcomes.find((outcome) => outcome.error)?.error;
  try {
    // Who has not looked has only the word of Graph, for every request.
    const { verdict = refusal === undefined ? 'done' : 'outcome_unknown', ...seen } = await finish();
    if (verdict === 'done') return done(seen, place);
    return failed(toldOf(verdict, refusal), { simulated, seen: { ...seen, tenant: place.text } });
  } catch (error) {
    const code = error instanceof ToolError && error.code === 'secret_not_kept' ? 'secret_not_kept' : 'outcome_unknown';
    const why = error instanceof ToolError ? error.message : 'This server has a defect.';
    const sent = refusal?.message ?? 'Graph confirmed the request, but what came of it could not be read:';
    const next = error instanceof ToolError ? error.next : undefined;
    if (!(error instanceof ToolError)) log.error('a defect', { error });
    const refused = new ToolError(code, `${sent} ${why}`, next ?? readFirst);
    return failed(refused, { simulated });
  }
}

/** What was seen decides: a request whose answer was lost is unknown only as long as no read told what it did. */
function toldOf(verdict: Exclude<WriteVerdict, 'done'>, refusal: ToolError | undefined): ToolError {
  if (verdict === 'outcome_unknown') {
    const message = refusal?.message ?? 'Graph confirmed the request, but does not show what came of it.';
    return new ToolError(verdict, message, refusal?.next ?? readFirst);
  }
  const seen = refusal?.cause instanceof ToolError ? refusal.cause : refusal;
  const part = verdict === 'not_done' ? 'nothing' : 'not all';
  return new ToolError(verdict, seen?.message ?? `Graph confirmed the request, but ${part} of it took effect.`);
}

function finisher(call: Call, plan: Plan, actingAs: Identity, file: SecretFile | undefined): Finisher {
  const { graph, context, progress: reportProgress = () => undefined } = call;
  return Object.assign(graph.createReader({ signal: AbortSignal.timeout(millisecondsToFinish) }), {
    reportProgress,
    pause: (milliseconds: number) => pause(milliseconds, context.mcpReq.signal),
    saveSecret: (secret: Parameters<SecretFile['keep']>[0]) => {
      if (file === undefined) throw new Error('the operation discloses nothing');
      return file.keep(secret);
    },
    repeat: (request: Outcome['request']) => {
      if (!plan.requests.includes(request) || parseMethod(request.endpoint.route) !== 'GET') {
        throw new Error('only a GET of the approved plan may be repeated');
      }
      return graph.send(request, { actingAs, timeoutMs: millisecondsToFinish });
    },
  });
}

function check(operation: Write, plan: Plan, most: number): void {
  if (!plan.requests.every(({ endpoint }) => operation.sends.includes(endpoint))) {
    throw new Error(`${operation.name} plans a request that it does not declare`);
  }
  const confirms: readonly string[] = effects[operation.effect].confirms;
  if (!confirms.includes(plan.confirm)) {
    throw new Error(`${operation.name} would be approved by less than its effect asks for`);
  }
  if (plan.targets.length > most) {
    throw new ToolError(
      'invalid_input',
      `One approval covers at most ${most} machines here, and this call names ${plan.targets.length}.`,
      'Make several calls, or let the operator raise --max-machines.',
    );
  }
}

/** The tools whose targets are sensors that are gone afterwards. */
const removing = operations.filter((operation) => 'removesSensors' in operation).map(({ name }) => name);

const disclosing = (operation: Write) => operation.sends.some(({ discloses }) => discloses);

const actingIdentity = ({ sends }: Write, graph: Graph, signal: AbortSignal): Promise<Identity> =>
  graph.getIdentity(getActingPermission(sends), signal);

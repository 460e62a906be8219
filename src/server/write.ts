import { createHash } from 'node:crypto';
import type { McpServer, ServerContext } from '@modelcontextprotocol/server';
import canonicalize from 'canonicalize';
import * as z from 'zod';
import { describeClient } from '../approval/channels/form.ts';
import type { ExecutionOutcome, GateResponse } from '../approval/gate.ts';
import { type CallContext, createQuestion, type Question, selectTarget } from '../approval/question.ts';
import type { ApprovalRequest, TextResult } from '../approval/requestStore.ts';
import type { Execution } from '../approval/requests.ts';
import { abortAfter } from '../clock.ts';
import { type Config, listUnusualSafetySettings } from '../config.ts';
import type { Caller } from '../entra/callers.ts';
import { SignInNeeded, ToolError } from '../errors.ts';
import type { Graph } from '../graph/client/client.ts';
import { createCancelledError, isWrite } from '../graph/client/errors.ts';
import type { Identity } from '../graph/client/identity.ts';
import type { Outcome } from '../graph/client/outcome.ts';
import type { ProgressReporter, ReadOptions } from '../graph/client/reader.ts';
import type { Freshness, RefreshTerms } from '../graph/client/retry.ts';
import { pause } from '../graph/client/timing.ts';
import type { GraphRequest } from '../graph/endpoint.ts';
import { inform, warn } from '../operations/consequences.ts';
import { effects, isPersonAsked } from '../operations/effects.ts';
import {
  type Finisher,
  getActingPermission,
  type Plan,
  type Verdict,
  type Warning,
  type Write,
} from '../operations/operation.ts';
import { checkSecretsFolder, createSecretFile, createShownSecret, type SecretKeeper } from '../secrets/file.ts';
import { traceApproval } from '../tracing.ts';
import { createFreshness } from './freshness.ts';
import { describeOtherVersion, describeTenant, formatFailure, formatSuccess } from './results.ts';
import type { Runtime } from './runtime.ts';
import { sendRequests } from './send.ts';

const writeWindowMs = 60_000;
/** What a batch gets on top of that for each of its requests. */
const batchRequestMs = 3_000;
const finishWindowMs = 40_000;
const readFirst = 'Read the current state before doing anything else.';

/** One call of a tool. */
export interface ToolCall {
  readonly runtime: Runtime;
  readonly server: McpServer;
  readonly graph: Graph;
  readonly context: ServerContext;
  readonly progress: ProgressReporter | undefined;
}

/** The one path of a write: plan, gate, plan again, consume the approval, send, finish. */
export async function handleWrite(operation: Write, { repeatOf: repeated, ...input }: Input, call: ToolCall) {
  const { runtime, server, graph, context, progress } = call;
  const { gate } = runtime;
  const canonical = canonicalize([runtime.principal, operation.name, input]) ?? '';
  const key = createHash('sha256').update(canonical).digest('hex');
  const repeatOf = z.string().optional().parse(repeated);
  const client = describeClient(server, context);
  const readTenantId = async () => (await readActingIdentity(operation, graph, context.mcpReq.signal)).tenantId;
  const gatedCall = { context, tool: operation.name, readTenantId, client, progress, key, repeatOf };

  const readKind = ({ kind }: GateResponse) => kind;
  let response = await traceApproval(operation.name, readKind, () => gate.receive(gatedCall));
  for (;;) {
    if (response.kind === 'result') return response.result;
    if (response.kind === 'approved') {
      const outcome = await carryOut(response.request, operation, input, call);
      response = outcome.kind === 'asked' ? await gate.show(outcome.request, gatedCall) : outcome;
      continue;
    }
    const pendingDeletions = await gate.listGone();
    const first = await prepare(operation, input, call, pendingDeletions);
    if (first.plan.requests.length === 0) return reportNothingToDo(first);
    if (!isPersonAsked(operation.effect, first.plan, runtime.config.confirmChanges)) {
      await authorize(operation, first.identity, call);
      return (await send(first, first.question, getWindowMs(first.plan))).result;
    }
    if (isDisclosing(operation) && !isKeyShown(runtime.config)) await checkSecretsFolder(runtime.secretsFolder);
    const { note, remarks } = response;
    const asked = { question: first.question, pendingDeletions, note, remarks };
    response = await traceApproval(operation.name, readKind, () => gate.ask(asked, gatedCall));
  }
}

/** Carries out an approved call, where it is still what was approved. */
function carryOut(request: ApprovalRequest, operation: Write, input: Input, call: ToolCall): Promise<ExecutionOutcome> {
  const { gate } = call.runtime;
  return gate.execute(request, async () => {
    // A person may have to sign in for the token that writes: that comes before the reading, which would be old then.
    await authorize(operation, await readActingIdentity(operation, call.graph, call.context.mcpReq.signal), call);
    const now = await prepare(operation, input, call, await gate.listGone(request));
    if (now.plan.requests.length > 0) return executeApproved(request, now);
    return { kind: 'result', result: await reportNothingToDo(now), requestIds: [], changed: false, actedOn: [] };
  });
}

type PreparedWrite = Awaited<ReturnType<typeof prepare>>;
type Input = Record<string, unknown>;

/** Everything that a write needs, as it is now: what would happen, as whom, and the question that asks for it. */
async function prepare(
  operation: Write,
  input: Input,
  call: ToolCall,
  pending: readonly string[],
  options?: Partial<ReadOptions>,
) {
  const { runtime, server, graph, context } = call;
  // What it reads is not counted: a call that may wait for a person counts the seconds of that.
  const readOptions = { signal: context.mcpReq.signal, pendingDeletions: new Set(pending), ...options };
  const { signal } = readOptions;
  const reader = graph.createReader(readOptions);
  const plan = await operation.plan(input, reader);
  const readAt = reader.lastAnswerAt();
  checkPlan(operation, plan, runtime.config.maxMachines);
  const identity = await readActingIdentity(operation, graph, signal);
  const tenant = describeTenant(graph.tenant, identity, await graph.getTenantNames());
  const consequences = [
    ...plan.consequences,
    ...(isDisclosing(operation) ? [describeKeyPlace(runtime.config)] : []),
    ...warnOfSettings(operation, runtime.config),
  ];
  const question = createQuestion(
    operation.name,
    operation.effect,
    { ...plan, consequences },
    {
      cloud: graph.tenant.cloud,
      graphRoot: graph.tenant.graphRoot,
      graphVersion: runtime.config.graphVersion,
      tenantLabel: tenant.label,
      nameInGraph: tenant.nameInGraph,
      simulated: graph.tenant.simulated,
      identity,
      principal: runtime.principal,
      caller: runtime.caller,
      requester: findRequester(runtime.caller ?? identity),
      clientName: describeClient(server, context).name,
      settings: listUnusualSafetySettings(runtime.config),
      disclosesTo: isDisclosing(operation) ? findKeyPlace(runtime) : undefined,
    },
  );
  const finish = async (outcomes: readonly Outcome[], keeper?: SecretKeeper) => {
    const finishWindow = abortAfter(runtime.clock, finishWindowMs);
    const finisher = createFinisher(call, plan, identity, finishWindow.signal, keeper);
    try {
      const seen = await operation.finish(input, plan, outcomes, finisher);
      return { ...describeOtherVersion(operation, graph.tenant, runtime.config), ...seen };
    } finally {
      finishWindow.callOff();
    }
  };
  return { operation, input, call, pending, plan, readAt, identity, question, tenant, finish };
}

async function reportNothingToDo({ tenant, finish }: PreparedWrite): Promise<TextResult> {
  const { verdict: _, ...nothing } = await finish([]);
  return formatSuccess(nothing, tenant);
}

const authorize = ({ sends }: Write, actingAs: Identity, { graph, context }: ToolCall) =>
  graph.authorize(sends, actingAs, context.mcpReq.signal);

/** Whether each target has a request of its own, that is checked by itself. */
const isBatch = ({ requests, recheck }: Plan) => recheck !== undefined && requests.length > 1;

const getWindowMs = (plan: Plan) => writeWindowMs + (isBatch(plan) ? plan.requests.length * batchRequestMs : 0);

/** Consumes the approval for what would happen now, and sends it. */
async function executeApproved(request: ApprovalRequest, now: PreparedWrite): Promise<ExecutionOutcome> {
  const { gate, secretsFolder, config } = now.call.runtime;
  const createKeeper = () =>
    isKeyShown(config)
      ? createShownSecret(config.revealSecrets)
      : createSecretFile(secretsFolder, now.identity.tenantId, config.revealSecrets);
  const keeper = isDisclosing(now.operation) ? await createKeeper() : undefined;
  try {
    const consumption = await gate.consume(request, now.question);
    if (consumption.kind === 'asked') return consumption;
    const windowMs = Math.min(getWindowMs(now.plan), consumption.remainingMs);
    return { kind: 'result', ...(await send(now, request.question, windowMs, keeper)) };
  } finally {
    await keeper?.discard().catch(() => undefined);
  }
}

/** Sends what was planned, as long as it is what was approved. */
async function send(
  prepared: PreparedWrite,
  approved: Question,
  windowMs: number,
  keeper?: SecretKeeper,
): Promise<Execution> {
  const { operation, call, plan, identity: actingAs } = prepared;
  const { runtime, graph, context, progress } = call;
  const { signal } = context.mcpReq;
  const getFreshness = watchReadings(prepared, approved);
  const options = { clock: runtime.clock, graph, actingAs, signal, progress, windowMs, getFreshness };
  const outcomes = await sendRequests(plan.requests, options);
  const requestIds = outcomes.flatMap(({ state, requestId }) =>
    state === 'not_sent' && requestId === undefined ? [] : [requestId ?? null],
  );
  const acted = outcomes.filter(({ state }) => state === 'done' || state === 'gone' || state === 'unknown');
  const changed = acted.some(({ request }) => operation.effect === 'disclose' || isWrite(request.endpoint));
  if (!changed && !outcomes.some(({ isDoneAlready }) => isDoneAlready)) {
    const refusal = findRefusal(outcomes) ?? createCancelledError();
    if (refusal instanceof SignInNeeded) throw refusal;
    const result = formatFailure(refusal, { simulated: graph.tenant.simulated, unchanged: true });
    return { result, requestIds, changed, actedOn: [] };
  }
  const actedOn = acted.flatMap(({ request }) => Object.values(request.params));
  return { result: await report(prepared, outcomes, keeper), requestIds, changed, actedOn };
}

/** The readings that the requests of a plan rest on: one for all of them, in a batch one for each. */
function watchReadings(prepared: PreparedWrite, approved: Question): (request: GraphRequest) => Freshness {
  const { operation, input, call, pending, plan, readAt, question } = prepared;
  const { recheck } = plan;
  const toOptions = ({ mayHaveRun, timeoutMs }: RefreshTerms) => ({
    signal: mayHaveRun ? new AbortController().signal : call.context.mcpReq.signal,
    timeoutMs,
    pendingDeletions: new Set(pending),
  });
  if (recheck === undefined || !isBatch(plan)) {
    const planAgain = (terms: RefreshTerms) => prepare(operation, input, call, pending, toOptions(terms));
    const freshness = createFreshness({ question: approved, readAt }, planAgain);
    return () => freshness;
  }
  return ({ params }) => {
    const [targetId = ''] = Object.values(params);
    const select = (whole: Question) => selectTarget(whole, targetId);
    return createFreshness({ question: select(approved), readAt }, async (terms) => {
      const reader = call.graph.createReader(toOptions(terms));
      const now = createQuestion(operation.name, operation.effect, await recheck(targetId, reader), question.context);
      return { question: select(now), readAt: reader.lastAnswerAt() };
    });
  };
}

/** Why not all of it was sent: the end of the sending, else everything that was found changed. */
function findRefusal(outcomes: readonly Outcome[]): ToolError | undefined {
  const refused = outcomes.filter(({ error }) => error !== undefined);
  const ending = refused.find(({ state }) => state !== 'not_sent') ?? refused[0];
  if (ending?.error === undefined || ending.state !== 'not_sent' || refused.length === 1) return ending?.error;
  const messages = refused.flatMap(({ error }) => error?.message ?? []);
  return new ToolError(ending.error.code, messages.join(' '), ending.error.next);
}

/** Tells what happened as far as it was seen: a request that took effect never reads as one that did not. */
async function report({ call, tenant, finish }: PreparedWrite, outcomes: readonly Outcome[], keeper?: SecretKeeper) {
  const { config, log } = call.runtime;
  const simulated = config.simulate !== undefined;
  const refusal = findRefusal(outcomes);
  try {
    // Who has not looked has only the word of Graph, for every request.
    const { verdict = refusal === undefined ? 'done' : 'outcome_unknown', ...seen } = await finish(outcomes, keeper);
    if (verdict === 'done') return formatSuccess(seen, tenant);
    return formatFailure(describeVerdict(verdict, refusal), { simulated, seen: { ...seen, tenant: tenant.text } });
  } catch (error) {
    if (!(error instanceof ToolError)) log.error('a defect', { error });
    const why = error instanceof ToolError ? error : new ToolError('outcome_unknown', 'This server has a defect.');
    const code = why.code === 'secret_not_kept' ? why.code : 'outcome_unknown';
    const sent = refusal?.message ?? 'Graph confirmed the request, but what came of it could not be read:';
    return formatFailure(new ToolError(code, `${sent} ${why.message}`, why.next ?? readFirst), { simulated });
  }
}

/** What was seen decides: a request whose answer was lost is unknown only as long as no read told what it did. */
function describeVerdict(verdict: Exclude<Verdict, 'done'>, refusal: ToolError | undefined): ToolError {
  if (verdict === 'outcome_unknown') {
    const message = refusal?.message ?? 'Graph confirmed the request, but does not show what came of it.';
    return new ToolError(verdict, message, refusal?.next ?? readFirst);
  }
  const seen = refusal?.cause instanceof ToolError ? refusal.cause : refusal;
  const part = verdict === 'not_done' ? 'nothing' : 'not all';
  return new ToolError(verdict, seen?.message ?? `Graph confirmed the request, but ${part} of it took effect.`);
}

function createFinisher(
  call: ToolCall,
  plan: Plan,
  actingAs: Identity,
  signal: AbortSignal,
  keeper?: SecretKeeper,
): Finisher {
  const { runtime, graph, context, progress = () => undefined } = call;
  const { clock } = runtime;
  return Object.assign(graph.createReader({ signal }), {
    reportProgress: progress,
    pause: (milliseconds: number) => pause(clock, milliseconds, context.mcpReq.signal),
    saveSecret: (secret: Parameters<SecretKeeper['keep']>[0]) => {
      if (keeper === undefined) throw new Error('the operation discloses nothing');
      return keeper.keep(secret);
    },
    repeat: (request: Outcome['request']) => {
      if (!plan.requests.includes(request) || isWrite(request.endpoint))
        throw new Error('only a GET of the approved plan may be repeated');
      return graph.send(request, { actingAs, timeoutMs: finishWindowMs });
    },
  });
}

function checkPlan(operation: Write, plan: Plan, most: number): void {
  if (!plan.requests.every(({ endpoint }) => operation.sends.includes(endpoint)))
    throw new Error(`${operation.name} plans a request that it does not declare`);
  const types: readonly string[] = effects[operation.effect].types;
  if (!types.includes(plan.types))
    throw new Error(`${operation.name} would be approved by less than its effect asks for`);
  if (plan.types !== 'tenant' && plan.targets.length > most) {
    const why = `One approval covers at most ${most} machines here, and this call names ${plan.targets.length}.`;
    throw new ToolError('invalid_input', why, 'Make several calls, or let the operator raise --max-machines.');
  }
}

/** Where people sign in to approve, the key is shown to whoever did, and kept nowhere. */
const isKeyShown = ({ approval }: Config) => approval === 'signin';

/** An app asks for whoever uses it. */
const findRequester = ({ kind, tenantId, id }: Caller | Identity): CallContext['requester'] =>
  kind === 'person' ? { tenantId, objectId: id } : undefined;

function findKeyPlace({ config, secretsFolder: folder }: Runtime): CallContext['disclosesTo'] {
  if (isKeyShown(config)) return 'page';
  return folder === undefined ? undefined : { folder };
}

const describeKeyPlace = (config: Config) =>
  isKeyShown(config)
    ? inform('key_shown_on_page', {
        text: 'The key is shown to you on this page, for 10 minutes after your sign-in, and kept nowhere; the assistant gets a fingerprint.',
      })
    : inform('key_goes_to_file', {
        text: 'The key is written into a file on this machine; the assistant gets the name of the file and a fingerprint.',
      });

/** Settings that take away what protects an act are warnings of it. */
function warnOfSettings(operation: Write, { revealSecrets, auditLog }: Config): Warning[] {
  const revealed = warn('key_revealed', {
    text: 'This server runs with --reveal-secrets: the key goes to the model as well.',
    short: 'the key goes to the model as well',
  });
  const unrecorded = warn('not_recorded', {
    text: 'This server runs with --audit-log off: nothing records this question, its answer or the act.',
    short: 'nothing records it: --audit-log off',
  });
  return [...(revealSecrets && isDisclosing(operation) ? [revealed] : []), ...(auditLog === 'off' ? [unrecorded] : [])];
}

const isDisclosing = (operation: Write) => operation.sends.some(({ discloses }) => discloses);

const readActingIdentity = ({ sends }: Write, graph: Graph, signal: AbortSignal): Promise<Identity> =>
  graph.getIdentity(getActingPermission(sends), signal);

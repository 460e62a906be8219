import { createHash } from 'node:crypto';
import {
  type CallToolResult,
  type InputRequiredResult,
  McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import canonicalize from 'canonicalize';
import type { Gate, Verdict } from './approval/gate.ts';
import { type Question, questionOf } from './approval/question.ts';
import { type Config, unusualSafetySettings } from './config.ts';
import type { Graph } from './graph/client.ts';
import { methodOf } from './graph/endpoint.ts';
import type { Identity } from './graph/identity.ts';
import type { Outcome } from './graph/reader.ts';
import type { Log } from './log.ts';
import { operations } from './operations/index.ts';
import type { Finisher, Operation, Plan, Write } from './operations/operation.ts';
import { Refusal } from './refusal.ts';
import { describeTenant, done, failed, instructions, published, readInput } from './results.ts';
import { createSecretFile, type SecretFile } from './secretFile.ts';
import type { Tenant } from './tenants/tenant.ts';

/** What one process has once, however many servers the SDK makes of it. */
export interface Process {
  readonly version: string;
  readonly config: Config;
  readonly tenant: Tenant;
  /** Loaded with the first call: a host starts servers that are never called. */
  readonly graph: () => Promise<Graph>;
  readonly gate: Gate;
  readonly log: Log;
  /** OS user and a random id of this process. */
  readonly principal: string;
  readonly secretsFolder: string;
}

const millisecondsToWrite = 60_000;
const millisecondsToFinish = 40_000;

/** An MCP server with every operation as a tool. */
export function createServer(own: Process): McpServer {
  const server = new McpServer(
    { name: 'mdi-sensors-mcp', title: 'Microsoft Defender for Identity sensors', version: own.version },
    {
      capabilities: { tools: { listChanged: false } },
      instructions,
      cacheHints: { 'tools/list': { ttlMs: 60_000, cacheScope: 'public' } },
      jsonSchemaValidator: { getValidator: () => trusting },
      ...own.gate.serverOptions,
    },
  );
  for (const operation of operations) {
    if (own.config.readOnly && operation.effect !== 'read') continue;
    server.registerTool(operation.name, published(operation), (args, context) =>
      call(own, server, operation, args, context),
    );
  }
  return server;
}

/** Answers of a form are judged by the gate alone: a validator in front of it would turn a wrong one into a protocol error. */
function trusting<T>(data: unknown) {
  const anything = (_: unknown): _ is T => true;
  return anything(data)
    ? { valid: true as const, data, errorMessage: undefined }
    : { valid: false as const, data: undefined, errorMessage: '' };
}

async function call(
  own: Process,
  server: McpServer,
  operation: Operation,
  args: unknown,
  context: ServerContext,
): Promise<CallToolResult | InputRequiredResult> {
  try {
    const input = readInput(operation, args);
    const graph = await own.graph();
    if (operation.effect !== 'read') return await write(own, server, operation, input, graph, context);
    const output = await operation.run(input, graph.reader(readOptions(context)));
    const permission = operation.uses[0]?.permission;
    const identity = permission && (await graph.identity(permission, context.mcpReq.signal));
    return done(output, describeTenant(own.tenant, identity));
  } catch (error) {
    if (!(error instanceof Refusal)) own.log.error('a defect', { tool: operation.name, error });
    return failed(error, operation.effect === 'read' ? undefined : 'Nothing was changed.');
  }
}

/** The one path of a write: plan, gate, plan again, send, finish. */
async function write(
  own: Process,
  server: McpServer,
  operation: Write,
  input: Record<string, unknown>,
  graph: Graph,
  context: ServerContext,
): Promise<CallToolResult | InputRequiredResult> {
  const key = createHash('sha256')
    .update(canonicalize([own.principal, operation.name, input]) ?? '')
    .digest('hex');
  const verdict = own.gate.enter(key, context);
  if (verdict.kind === 'ask') return own.gate.show(verdict.entry, verdict.note, context);

  const act = async () => {
    const leaving = verdict.kind === 'approved' ? verdict.entry.leaving : own.gate.leaving();
    const plan = await operation.plan(input, graph.reader({ ...readOptions(context), leaving }));
    const identity = await actingIdentity(operation, graph, context.mcpReq.signal);
    const place = describeTenant(own.tenant, identity);
    const finish = (outcomes: readonly Outcome[], file?: SecretFile) =>
      operation.finish(input, plan, outcomes, finisher(graph, plan, identity, file, context));
    if (plan.send.length === 0) return done(await finish([]), place);
    check(operation, plan, own.config.maxMachines);

    const client = own.gate.client(server, context);
    const question = questionOf(operation.name, plan, {
      cloud: own.tenant.cloud,
      graphRoot: own.tenant.graphRoot,
      graphVersion: own.config.graphVersion,
      tenantLabel: place.label,
      simulated: own.tenant.simulated,
      identity,
      principal: own.principal,
      clientName: client.name,
      settings: unusualSafetySettings(own.config),
      secretsFolder: disclosing(operation) ? own.secretsFolder : undefined,
    });
    if (verdict.kind === 'new' && asksFirst(operation, plan, own.config)) {
      return own.gate.ask({ key, question, leaving }, client.canAsk, context);
    }
    return send(own, operation, graph, context, { plan, identity, question, verdict, finish, place });
  };
  if (verdict.kind === 'new') return act();
  return own.gate.alone(act).finally(() => own.gate.close(verdict.entry));
}

interface Ready {
  readonly plan: Plan;
  readonly identity: Identity;
  readonly question: Question;
  readonly verdict: Extract<Verdict, { kind: 'new' | 'approved' }>;
  readonly place: ReturnType<typeof describeTenant>;
  finish(outcomes: readonly Outcome[], file?: SecretFile): Promise<Record<string, unknown>>;
}

async function send(
  own: Process,
  operation: Write,
  graph: Graph,
  context: ServerContext,
  { plan, identity, question, verdict, place, finish }: Ready,
): Promise<CallToolResult | InputRequiredResult> {
  const { tenantId } = identity;
  const file = disclosing(operation)
    ? await createSecretFile(own.secretsFolder, tenantId, own.config.revealSecrets)
    : undefined;
  try {
    if (verdict.kind === 'approved') {
      const taken = own.gate.take(verdict.entry, question);
      if (taken.kind === 'ask') return await own.gate.show(taken.entry, taken.note, context);
    }
    const outcomes = await sendAll(plan, graph, identity);
    const acted = outcomes.filter(({ state }) => state === 'done' || state === 'gone' || state === 'unknown');
    const changing = acted.filter((outcome) => operation.effect === 'disclose' || !isGet(outcome));
    if (changing.length === 0) throw outcomes.find(({ refusal }) => refusal)?.refusal ?? notSent();
    return await report(outcomes, place, () => finish(outcomes, file));
  } finally {
    await file?.discard();
  }
}

const isGet = ({ request }: Outcome) => methodOf(request.endpoint.route) === 'GET';
const notSent = () => new Refusal('internal_error', 'No request was sent.');

/** Sends the plan's requests in their order; the first that fails ends the sending. */
async function sendAll(plan: Plan, graph: Graph, as: Identity): Promise<Outcome[]> {
  const until = performance.now() + millisecondsToWrite;
  const outcomes: Outcome[] = [];
  for (const request of plan.send) {
    const stopped = outcomes.some(({ state }) => state === 'failed' || state === 'unknown');
    outcomes.push(
      stopped
        ? { request, state: 'not_sent', answer: () => undefined }
        : await graph.send(request, { as, timeoutMilliseconds: Math.max(1, until - performance.now()) }),
    );
  }
  return outcomes;
}

/** Tells what happened as far as it was seen: a request that took effect never reads as one that did not. */
async function report(
  outcomes: readonly Outcome[],
  place: ReturnType<typeof describeTenant>,
  finish: () => Promise<Record<string, unknown>>,
): Promise<CallToolResult> {
  const refusal = outcomes.find((outcome) => outcome.refusal)?.refusal;
  try {
    const output = await finish();
    if (refusal === undefined || output.decided === true) return done(output, place);
    const unknown = outcomes.some(({ state }) => state === 'unknown');
    const code = unknown ? 'outcome_unknown' : 'partly_done';
    return failed(new Refusal(code, refusal.message, refusal.next), undefined, { ...output, tenant: place.text });
  } catch (error) {
    const code = error instanceof Refusal && error.code === 'secret_not_kept' ? 'secret_not_kept' : 'outcome_unknown';
    const why = error instanceof Refusal ? error.message : 'a defect of this server';
    const sent =
      refusal === undefined ? 'Graph confirmed the request, but what came of it could not be read' : refusal.message;
    const next = error instanceof Refusal ? error.next : undefined;
    return failed(new Refusal(code, `${sent}: ${why}`, next ?? 'Read the current state before doing anything else.'));
  }
}

function finisher(
  graph: Graph,
  plan: Plan,
  as: Identity,
  file: SecretFile | undefined,
  context: ServerContext,
): Finisher {
  const signal = AbortSignal.timeout(millisecondsToFinish);
  return Object.assign(graph.reader({ ...readOptions(context), signal }), {
    keep: (secret: Parameters<SecretFile['keep']>[0]) => {
      if (file === undefined) throw new Error('the operation discloses nothing');
      return file.keep(secret);
    },
    again: (request: Outcome['request']) => {
      if (!plan.send.includes(request) || methodOf(request.endpoint.route) !== 'GET') {
        throw new Error('only a GET of the approved plan may be repeated');
      }
      return graph.send(request, { as, timeoutMilliseconds: millisecondsToFinish });
    },
  });
}

function check(operation: Write, plan: Plan, most: number): void {
  if (!plan.send.every(({ endpoint }) => operation.sends.includes(endpoint))) {
    throw new Error(`${operation.name} plans a request that it does not declare`);
  }
  if (plan.targets.length > most) {
    throw new Refusal(
      'invalid_input',
      `One approval covers at most ${most} machines here, and this call names ${plan.targets.length}.`,
      'Make several calls, or let the operator raise --max-machines.',
    );
  }
}

const asksFirst = (operation: Write, plan: Plan, config: Config) =>
  operation.effect !== 'change' || plan.consequences.length > 0 || config.confirmChanges;

const disclosing = (operation: Write) => operation.sends.some(({ discloses }) => discloses);

async function actingIdentity(operation: Write, graph: Graph, signal: AbortSignal): Promise<Identity> {
  const [endpoint] = operation.sends;
  if (endpoint === undefined) throw new Error(`${operation.name} declares no endpoint to send to`);
  return graph.identity(endpoint.permission, signal);
}

function readOptions(context: ServerContext) {
  const token = context.mcpReq._meta?.progressToken;
  let last = 0;
  const progress = (message: string, done?: number, total?: number) => {
    if (token === undefined) return;
    last = Math.max(last + 1, done ?? 0);
    const params = {
      progressToken: token,
      progress: last,
      message,
      ...(total !== undefined && total >= last && { total }),
    };
    context.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  };
  return { signal: context.mcpReq.signal, progress };
}

import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type VerifiedFile, verifyFolder } from '../../src/audit/verify.ts';
import { createCandidate } from '../../src/tenants/simulated/state.ts';
import type { LoggedRequest } from '../../src/tenants/simulated/tenant.ts';
import { PersonsBrowser } from '../approval/signInScene.ts';
import type { EntraUser } from '../entra/entra.ts';
import { findFreePort } from '../entra/loopback.ts';
import { sleep } from '../harness/clients.ts';
import { type Cut, type CuttingMoment, startCuttingProxy } from '../harness/cuttingProxy.ts';
import { isGatedRequest } from '../harness/gated.ts';
import { startHttp } from '../harness/http.ts';
import { callTool, startContoso } from '../harness/team.ts';
import { createTrustingFetch } from '../harness/trustingFetch.ts';
import { secret } from '../tenants/world.ts';

/** What breaks, and how. */
export interface TrafficFault {
  readonly moment: CuttingMoment;
  readonly how: Cut['how'] | 'kill';
}

/** A request by its number since the question, which is 0 for the call that asks: `Graph DELETE sensors/{id} 1`. */
export type TrafficPoint = string;

export interface PlannedRun {
  readonly act: ActName;
  /** Without one nothing breaks. */
  readonly fault?: TrafficFault & { readonly point: TrafficPoint };
}

/** How a run came out, by what Graph counted and what was told. */
export interface RunReport {
  readonly ending: 'done once' | 'not done' | 'unknown';
  /** Whether the fault was met. */
  readonly isMet: boolean;
  /** What was told that did not happen, and what happened and was not told; sentences. */
  readonly wrongClaims: readonly string[];
  /** How often something took effect that had done so already. */
  readonly duplicates: number;
  /** What was told, in its order. */
  readonly told: readonly string[];
  /** Every request since the question, in its order. */
  readonly points: readonly TrafficPoint[];
}

/** An act with objects of its own in each run. */
interface FaultedAct {
  readonly tool: string;
  /** What Graph carries out for it; that many requests take effect. */
  readonly request: RegExp;
  readonly effects: number;
  /** Whether it changes nothing, so that a request whose answer was lost may be sent again under the same approval. */
  readonly isReading?: true;
  prepare(world: Contoso, number: number): Readonly<Record<string, unknown>>;
}
type Contoso = Awaited<ReturnType<typeof startContoso>>;

const sensorPath = /^DELETE .+\/sensors\/[0-9a-f-]+$/;
const makeId = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

/** Adds a sensor like this one, under another name; its id. */
function addSensorLike(name: string, { tenant: { sensors } }: Contoso, number: number): string {
  const like = sensors.find(({ displayName }) => displayName === name);
  if (like === undefined) throw new Error(`no sensor ${name}`);
  const [id, displayName] = [makeId(number), `${name}-${number}`];
  sensors.push({ ...structuredClone(like), id, displayName, machine: { fqdn: displayName, candidateId: id } });
  return id;
}

function addCandidate({ tenant }: Contoso, number: number): string {
  const id = makeId(number);
  const seen = new Date(tenant.now()).toISOString();
  tenant.candidates.push(createCandidate(id, `new-dc${number}.contoso.com`, seen));
  return id;
}

export const acts = {
  'delete one': {
    tool: 'delete_sensor',
    request: sensorPath,
    effects: 1,
    prepare: (world, number) => ({ id: addSensorLike('DC07', world, number) }),
  },
  'delete two': {
    tool: 'delete_stale_sensors',
    request: sensorPath,
    effects: 2,
    prepare: (world, number) => ({
      ids: [addSensorLike('DC12', world, number), addSensorLike('SIN-DC03', world, number + 1)],
    }),
  },
  activate: {
    tool: 'activate_sensor_candidates',
    request: /^POST .+\/activate$/,
    effects: 1,
    prepare: (world, number) => ({ ids: [addCandidate(world, number), addCandidate(world, number + 1)] }),
  },
  'rotate the key': {
    tool: 'regenerate_deployment_access_key',
    request: /^POST .+\/regenerateDeploymentAccessKey$/,
    effects: 1,
    prepare: () => ({}),
  },
  'disclose the key': {
    tool: 'get_deployment_access_key',
    request: /^GET .+\/getDeploymentAccessKey$/,
    effects: 1,
    isReading: true,
    prepare: () => ({}),
  },
} as const satisfies Readonly<Record<string, FaultedAct>>;
export type ActName = keyof typeof acts;

/** What somebody was told, with the number of effects before they asked and when they were told. */
interface Claim {
  readonly by: 'client' | 'page' | 'log';
  readonly says: 'done' | 'nothing' | 'unknown';
  readonly text: string;
  readonly before: number;
  readonly after: number;
}

const doubtful = /outcome_unknown|partly_done|unknown whether|may have|not verified yet|could not be read|not seen/i;

/** An answer as the client got it; `broken` where none came. */
type ReplyToClient =
  | { readonly kind: 'told'; readonly text: string; readonly code: string | undefined }
  | { readonly kind: 'broken'; readonly code?: never };

/** How long a server waits before it reads the keys of Entra once more, with a second to spare; in milliseconds. */
const keysCoolDownMs = 31_000;
/** Where the keys of Entra are read, which only happens where they were changed since. */
export const keysPoints: readonly [TrafficPoint, TrafficPoint] = [
  'Entra GET openid-configuration 1',
  'Entra GET keys 1',
];

/** `Graph DELETE sensors/{id}` of a request as the proxy names it. */
function nameRequest(name: string): string {
  const [who = '', method = '', address = ''] = name.split(' ');
  const path = address
    .replace(/\?.*$/, '')
    .replace(/^\/v1\.0\/(security\/identities\/)?/, '')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}|(?<=\/approve\/)[0-9a-f]{8}/g, '{id}')
    .replace(/^.*\/(openid-configuration|keys|token)$/, '$1');
  return `${who} ${method} ${path}`;
}

/**
 * The shipped server over HTTPS in a process of its own, with Entra and Graph in this one, and a proxy through which clients
 * and browsers reach it, and it reaches Entra and Graph. One run after the other.
 */
export async function startFaultedTeam() {
  const world = await startContoso();
  const { entra, home, tenant, api, chat } = world;
  const { certificate } = entra.certificate;
  const graphPort = Number(new URL(tenant.graphRoot).port);
  const entraPort = Number(new URL(entra.authorityHost).port);
  // The shipped server knows Graph under its real name only.
  tenant.graphRoot = 'https://graph.microsoft.com';
  entra.resources.push(tenant.graphRoot);
  // A server that was activated turns up before somebody looks.
  tenant.beforeRequest = () => {
    if (tenant.scheduled.length > 0) tenant.advance(20_000);
  };

  let findCut: (request: string) => Cut | undefined = () => undefined;
  let serverPort = 0;
  const proxy = await startCuttingProxy({
    certificate: entra.certificate,
    getServerPort: () => serverPort,
    findTarget: (host) =>
      host.startsWith('graph.microsoft.com') ? { name: 'Graph', port: graphPort } : { name: 'Entra', port: entraPort },
    findCut: (request) => findCut(request),
  });
  const url = `https://localhost:${proxy.port}/mcp`;
  api.identifierUris.push(url);
  api.redirectUris.push(`${new URL(url).origin}/approve/callback`);
  const folder = await mkdtemp(join(tmpdir(), 'faulted-'));
  const [cert, key, auditLog] = [join(folder, 'tls.pem'), join(folder, 'tls.key'), join(folder, 'audit')];
  await Promise.all([writeFile(cert, certificate), writeFile(key, entra.certificate.key)]);
  const start = async () => {
    serverPort = await findFreePort();
    return startHttp(
      `--public-url ${url} --port ${serverPort} --tls-cert ${cert} --tls-key ${key} --audit-log ${auditLog} --single-process`,
      {
        AZURE_TENANT_ID: home.id,
        AZURE_CLIENT_ID: api.id,
        AZURE_CLIENT_SECRET: secret,
        NODE_EXTRA_CA_CERTS: entra.caFile,
        HTTPS_PROXY: proxy.outwardAddress,
      },
    );
  };
  let server = start();
  /** As whoever watches over a process does: the next one takes its place, on the same folder. */
  const kill = async () => {
    const { child } = await server;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    server = start();
  };
  const fetch = createTrustingFetch(certificate);
  let [lastNumber, keysReadAtMs] = [0, 0];

  /** One call of a scripted client, in either era. */
  async function post(token: string, tool: string, args: object, isModern: boolean): Promise<ReplyToClient> {
    const modern = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'a scripted client', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const call = callTool(tool, args);
    const message = isModern ? { ...call, params: { ...call.params, _meta: modern } } : call;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          Accept: 'application/json, text/event-stream',
          Authorization: `Bearer ${token}`,
          ...(isModern && {
            'MCP-Protocol-Version': '2026-07-28',
            'Mcp-Method': 'tools/call',
            'Mcp-Name': tool,
          }),
        },
        body: JSON.stringify(message),
      });
      return readReply(response.status, await response.text());
    } catch {
      return { kind: 'broken' };
    }
  }

  /** Lets somebody ask for an act, approve it and ask again, while this breaks. */
  async function run({ act: actName, fault }: PlannedRun): Promise<RunReport> {
    await server;
    const act: FaultedAct = acts[actName];
    const [number, isModern] = [lastNumber + 1, lastNumber % 4 < 2];
    lastNumber += 2;
    const person = world.addPerson(`Person${number}`, ['Sensors.Operator']);
    const args = act.prepare(world, number);
    tenant.requests.length = 0;

    const counts = new Map<string, number>();
    const points: TrafficPoint[] = [];
    const state = { hasAsked: false, isMet: false, isKilled: false };
    findCut = (request) => {
      const name = nameRequest(request);
      if (name === keysPoints[1].replace(/ 1$/, '')) keysReadAtMs = performance.now();
      if (!state.hasAsked && points.length > 0) return undefined;
      const count = state.hasAsked ? (counts.get(name) ?? 0) + 1 : 0;
      counts.set(name, count);
      points.push(`${name} ${count}`);
      if (fault === undefined || fault.point !== points.at(-1)) return undefined;
      state.isMet = true;
      state.isKilled = fault.how === 'kill';
      const { moment } = fault;
      return fault.how === 'kill' ? { moment, how: 'reset', meanwhile: kill } : { moment, how: fault.how };
    };

    const countEffects = () => tenant.requests.filter((request) => hasEffect(act, request)).length;
    const claims: Claim[] = [];
    const replies: ReplyToClient[] = [];
    /** The client asks again where no answer came. */
    async function call(token: string): Promise<string> {
      for (let tries = 0; tries < 4; tries++) {
        await server;
        const before = countEffects();
        const reply = await post(token, act.tool, args, isModern);
        replies.push(reply);
        if (reply.kind === 'broken') continue;
        const { text, code } = reply;
        claims.push({ by: 'client', says: judge(text, code), text, before, after: countEffects() });
        return text;
      }
      return '';
    }

    const signIn = () => entra.callApi({ directory: home, api, client: chat, person });
    const asked = await call(await signIn());
    const [address = ''] = /https:\/\/localhost:\d+\/approve\/[0-9a-f]{8}/.exec(asked) ?? [];
    state.hasAsked = true;
    const isOfKeys = fault !== undefined && keysPoints.includes(fault.point);
    if (isOfKeys) {
      await sleep(Math.max(0, keysReadAtMs + keysCoolDownMs - performance.now()));
      await entra.rotateKey();
    }
    // Its token was renewed meanwhile, so it is exchanged anew.
    const renewed = await signIn();
    const waiting = call(renewed);
    await sleep(100);
    await visit(address, person, (text) =>
      claims.push({ by: 'page', says: judge(text, undefined), text, before: 0, after: countEffects() }),
    );
    await waiting;
    if (replies.at(-1)?.code !== 'approval_pending') await call(renewed);
    for (let tries = 0; proxy.underway() > 0 && tries < 300; tries++) await sleep(10);
    findCut = () => undefined;

    const { stderr } = await server;
    const log = readLog(verifyFolder(auditLog), person);
    const effects = countEffects();
    for (const { verdict, text } of log.outcomes) {
      const says =
        verdict === 'done' && !doubtful.test(text) ? 'done' : doubtful.test(verdict + text) ? 'unknown' : 'nothing';
      claims.push({ by: 'log', says, text: `${verdict}: ${text}`, before: 0, after: effects });
    }
    const wrongClaims = findWrongClaims(act, claims, state.isKilled);
    if (log.unfinished > 0 && !state.isKilled) wrongClaims.push('the log has an act without an outcome');
    if (log.unfinished > 0 && state.isKilled && !stderr().includes('began an act'))
      wrongClaims.push('the next server does not say that an act has no outcome');
    if (replies.at(-1)?.kind === 'broken') wrongClaims.push('the client was told nothing in the end');
    const isDone = claims.some(({ says }) => says === 'done');
    const isUnknown = log.unfinished > 0 || claims.some(({ says }) => says === 'unknown');
    const ending = isDone ? 'done once' : isUnknown ? 'unknown' : 'not done';
    if (ending === 'not done' && effects > 0 && act.isReading !== true)
      wrongClaims.push(`${effects} effects, and nobody was told`);
    // For so long callers whose key it could not read are turned away.
    if (isOfKeys && !state.isKilled) await kill();
    return {
      ending,
      isMet: state.isMet,
      wrongClaims,
      duplicates: act.isReading === true ? 0 : Math.max(0, effects - act.effects),
      told: claims.map(({ by, says, text }) => `${by}, ${says}: ${text}`),
      points,
    };
  }

  /** A person opens the address, signs in and approves; where the browser shows an error, they begin anew. */
  async function visit(address: string, person: EntraUser, see: (text: string) => void): Promise<void> {
    for (let tries = 0; tries < 3; tries++) {
      await server;
      try {
        const browser = new PersonsBrowser(person, sleep);
        const page = await browser.open(address);
        const [, asIs = ''] = /type: <code>(.*?)<\/code>/.exec(page.body) ?? [];
        const typed = asIs.replace(/<[^>]*>/g, '');
        const { body } = asIs === '' ? page : await browser.post(page, { decision: 'approve', typed });
        const [, title = ''] = /<title>(\w+)/.exec(body) ?? [];
        const [, sentence = ''] = /<p role="status">(.*?)<\/p>/s.exec(body) ?? [];
        if (title === 'Answered') see(sentence.replace(/<[^>]*>/g, ''));
        if (sentence !== '') return;
      } catch {
        // The browser shows an error of the network.
      }
    }
  }

  return {
    run,
    /** What is wrong with the files of the audit log. */
    listLogProblems: () => verifyFolder(auditLog).flatMap(({ problems }) => problems),
    async close() {
      (await server).child.kill('SIGKILL');
      await Promise.all([proxy.close(), world.close()]);
    },
  };
}

const hasEffect = ({ request }: FaultedAct, { method, path, effect }: LoggedRequest) =>
  effect && isGatedRequest({ method, path }) && request.test(`${method} ${path}`);

function readReply(status: number, body: string): ReplyToClient {
  const data =
    body
      .match(/^data: .+$/gm)
      ?.at(-1)
      ?.replace('data: ', '') ?? body;
  const { result } = JSON.parse(data) as {
    result?: { content: { text: string }[]; structuredContent?: { code?: string } };
  };
  if (result === undefined) return { kind: 'told', text: body, code: `status ${status}` };
  return {
    kind: 'told',
    text: result.content.map(({ text }) => text).join('\n'),
    code: result.structuredContent?.code,
  };
}

/** What a text says of the act. Of a client's result `code` is that of a failure; a page and an ordinary result have none. */
function judge(text: string, code: string | undefined): Claim['says'] {
  if (doubtful.test(text)) return 'unknown';
  if (code === 'already_done') return text.includes('Its outcome: not_done') ? 'nothing' : 'done';
  return code === undefined && !/cancelled|withdrawn|not answered|Nothing was changed/i.test(text) ? 'done' : 'nothing';
}

/** What does not agree with the effects that Graph counted. */
function findWrongClaims(act: FaultedAct, claims: readonly Claim[], isKilled: boolean): string[] {
  return claims.flatMap(({ by, says, text, before, after }) => {
    if (says === 'done' && after < act.effects) return [`the ${by} says done after ${after} effects: ${text}`];
    if (says !== 'nothing' || act.isReading === true) return [];
    // What follows a server that was killed speaks for itself alone.
    const since = isKilled && by === 'client' ? before : 0;
    return after > since ? [`the ${by} says not done after ${after} effects: ${text}`] : [];
  });
}

/** What the log says of the questions of one person. */
function readLog(files: readonly VerifiedFile[], { objectId }: EntraUser) {
  const records = files.flatMap((file) => file.records);
  const asked = records.filter(({ kind, caller }) => kind === 'question' && String(caller).includes(objectId));
  const ids = asked.map(({ id }) => id);
  const own = records.filter(({ id }) => id !== undefined && ids.includes(id));
  const outcomes = own.filter(({ kind }) => kind === 'outcome');
  const ended = outcomes.map(({ id }) => id);
  return {
    outcomes: outcomes.map(({ verdict, text }) => ({ verdict: String(verdict), text: String(text) })),
    unfinished: own.filter(({ kind, id }) => kind === 'acting' && !ended.includes(id)).length,
  };
}

import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { openRuntime, serve } from '../../../src/commands/serve.ts';
import { readConfig } from '../../../src/config.ts';
import { createLog } from '../../../src/log.ts';
import { createEntraTenant } from '../../../src/tenants/entra/tenant.ts';
import {
  type App,
  createApp,
  createPerson,
  type DeviceCode,
  type EntraUser,
  type TokenRequest,
} from '../../entra/entra.ts';
import { createAccessClaims } from '../../entra/tokens.ts';
import {
  type ClientKind,
  connect,
  environment,
  type Person,
  type TestClient,
  type Visitor,
} from '../../harness/clients.ts';
import { createRunningClock } from '../../harness/clock.ts';
import { isGatedRequest } from '../../harness/gated.ts';
import type { Reachable } from '../../harness/server.ts';
import { type LoopbackTenant, secret, startLoopbackTenant } from '../world.ts';
import { watchSecrets } from './secrets.ts';

export { secret };

const areas = ['Sensors', 'Health', 'AutoConfig', 'Migration'];
export const everyRead = ['SecurityEvents.Read.All', ...areas.map((area) => `SecurityIdentities${area}.Read.All`)];
export const everyWrite = areas.map((area) => `SecurityIdentities${area}.ReadWrite.All`);

export type ServerEnvironment = Readonly<Record<string, string>>;

interface Abilities {
  readonly kind?: ClientKind;
  readonly person?: Person;
  readonly visitor?: Visitor;
  /** Milliseconds that a call waits for a person. */
  readonly patience?: number;
  /** The program of a server in a process of its own. */
  readonly program?: string;
  /** Milliseconds after which that gives up a way to sign in. */
  readonly methodTimeoutMs?: number;
}

export const entry = 'node_modules/.cache/mdi-sensors-mcp/entry/entra/entraEntry.js';
/** Nobody listens there. */
export const closed = 'http://127.0.0.1:9';

/**
 * Contoso's Entra and Graph on loopback, with the server and its doctor as processes that sign in there. On closing, nothing
 * that was said may hold anything secret.
 */
export async function startSignInSetup(secrets: readonly string[] = []) {
  const world = await startLoopbackTenant();
  const { entra, graph, home } = world;
  const issued = watchSecrets(entra, [secret, ...secrets]);
  const folder = mkdtempSync(join(tmpdir(), 'sign-in-'));
  const said: string[] = [];
  const where = { graphRoot: graph.graphRoot, authorityHost: entra.authorityHost };
  const base = {
    ...environment,
    PATH: join(folder, 'nothing'),
    NODE_EXTRA_CA_CERTS: entra.caFile,
    AZURE_TENANT_ID: home.id,
    AZURE_POD_IDENTITY_AUTHORITY_HOST: entra.imdsHost,
    XDG_STATE_HOME: folder,
    XDG_RUNTIME_DIR: folder,
    MDI_MCP_LOG_LEVEL: 'trace',
    MDI_MCP_APPROVAL: 'form',
  };

  /** The environment of a process; what is empty is not set. */
  const environmentOf = (options: object, env: ServerEnvironment): ServerEnvironment => {
    const all = { ...base, MDI_TEST: JSON.stringify({ ...where, ...options }), ...env };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
  };

  /** The sign-in library reads some variables by itself, so this process has them as long as the server is open. */
  const outside = { ...process.env };
  const wear = (env: Readonly<Record<string, string | undefined>> = {}) => {
    for (const name of Object.keys(process.env)) if (!(name in outside)) delete process.env[name];
    Object.assign(process.env, outside, env);
  };

  const here = (own: ServerEnvironment, patience = 25_000, clock = createRunningClock()): Reachable => ({
    pass: clock.pass,
    open(transport) {
      wear(own);
      const config = readConfig({}, own);
      let stderr = '';
      const write = (text: string) => {
        stderr += text;
      };
      const say = (sentence: string) => write(`mdi-sensors-mcp: ${sentence}\n`);
      const { graphRoot, httpClient } = graph;
      const opened = createEntraTenant(config, {
        environment: own,
        graphRoot,
        authority: entra.options,
        signInWaitMs: patience,
        tellOperator: say,
      });
      const tenant = async () => ({ ...opened, httpClient });
      const log = createLog(config.logLevel, { write });
      const { close, waitForActs } = serve(
        openRuntime(config, tenant, '0.0.0-test', log, { clock, environment: own, patienceMs: patience, say }),
        transport,
      );
      return { stderr: () => stderr, close, waitForActs };
    },
  });

  return {
    ...world,
    folder,
    issued,

    /** One more app of the tenant, with a secret and everything granted unless told. */
    registerApp(more: Partial<App> = {}): App {
      const one = createApp('Sensors of Contoso', {
        secrets: [{ value: secret }],
        roles: [...everyRead, ...everyWrite],
        ...more,
      });
      home.apps.push(one);
      return one;
    },

    /** The id of a sensor that is there, whatever was deleted before. */
    someSensor: (): string => world.tenant.sensors[0]?.id ?? '',

    /** How many requests that write or disclose have reached Graph. */
    gated: () => world.tenant.requests.filter(isGatedRequest).length,

    addUser(upn: string): EntraUser {
      const one = createPerson(upn, upn);
      home.people.push(one);
      return one;
    },

    /** Enters the code that was shown last, and waits until the app has been told what came of it. */
    async enter({ id }: App, who: DeviceCode['answer']) {
      const last = () => entra.deviceCodes.findLast(({ app }) => app.id === id);
      await vi.waitFor(() => expect(last()).toBeDefined(), 10_000);
      const before = entra.tokenRequests.length;
      Object.assign(last() ?? {}, { answer: who });
      const ends = ({ clientId, grant, error }: TokenRequest) =>
        clientId === id && grant.endsWith('device_code') && error !== 70016;
      await vi.waitFor(() => expect(entra.tokenRequests.slice(before).some(ends)).toBe(true), 10_000);
    },

    /** A token for Graph as a tool of the command line gets one: an app's, or a person's with these scopes. */
    tokenFor: (
      of: App,
      delegated?: { person: EntraUser; scopes: readonly string[] },
      directory = home,
    ): Promise<string> =>
      entra.key.sign(
        createAccessClaims({
          directory,
          app: of,
          proof: '1',
          resource: graph.graphRoot,
          lifetime: entra.tokenLifetime,
          ...(delegated && { delegated }),
        }),
      ),

    /** A client with the server of this environment: in this process, one at a time, unless there is a program. */
    async connect(
      env: ServerEnvironment,
      { kind = 'v2 modern', person, visitor, patience, program, methodTimeoutMs }: Abilities = {},
    ) {
      const own = environmentOf({ patience, methodTimeoutMs }, env);
      const server =
        program === undefined ? here(own, patience) : { command: process.execPath, args: [program], env: own };
      const client = await connect(kind, server, person, visitor);
      const close = async () => {
        await client.close();
        wear();
        said.push(client.seen(), client.stderr());
      };
      return { ...client, close } satisfies TestClient;
    },

    /** What the doctor of this environment prints, and its exit code. */
    doctor: (env: ServerEnvironment, options: DoctorOptionsOfTest = {}): Promise<Checkup> =>
      new Promise((resolve) => {
        const own = mkdtempSync(join(tmpdir(), 'doctor-'));
        const all = { XDG_STATE_HOME: own, MDI_MCP_APPROVAL: '', ...env };
        const inside = { env: environmentOf({ doctor: true, ...options }, all) };
        const child = execFile(process.execPath, [entry], inside, (_, text, stderr) => {
          said.push(text, stderr);
          resolve({ code: child.exitCode, text: normalizeOutput(text, world, own) });
        });
      }),

    async close() {
      wear();
      await world.close();
      const audit = join(folder, 'mdi-sensors-mcp', 'audit');
      for (const file of listed(audit)) said.push(readFileSync(join(audit, file), 'utf8'));
      issued.expectNoneIn(said.join('\n'));
    },
  };
}
export type SignInSetup = Awaited<ReturnType<typeof startSignInSetup>>;

interface DoctorOptionsOfTest {
  readonly json?: boolean;
  readonly patience?: number;
  readonly methodTimeoutMs?: number;
  readonly clockErrorMs?: number;
}

interface Checkup {
  readonly code: number | null;
  readonly text: string;
}

function listed(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** A text without what changes from run to run. */
export function normalizeOutput(text: string, { entra, graph, home }: LoopbackTenant, folder = ''): string {
  return text
    .replace(/\nrecord \d+, head [0-9a-f]{16}$/, '')
    .replaceAll(new URL(entra.authorityHost).host, 'ENTRA')
    .replaceAll(new URL(graph.graphRoot).host, 'GRAPH')
    .replaceAll(home.id, 'TENANT')
    .replaceAll(folder === '' ? '\0' : folder, 'FOLDER')
    .replaceAll(/(?<=the code )[A-Z]{9}/g, 'CODE')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'ID');
}

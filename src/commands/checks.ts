import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bestChannel } from '../approval/outside.ts';
import { auditFolderOf } from '../audit/log.ts';
import { type Config, signInVariables, unusualSettings } from '../config.ts';
import { visible } from '../display.ts';
import { ownFolder } from '../folder.ts';
import { graphClient } from '../graph/client.ts';
import { versionIn } from '../graph/clouds.ts';
import { isWritePermission, type Permission } from '../graph/endpoint.ts';
import { endpoints } from '../graph/endpoints.ts';
import { identityOf, permissionsIn, validityOf } from '../graph/identity.ts';
import { networkHint } from '../graph/network.ts';
import { unreachable } from '../graph/reach.ts';
import type { Reader } from '../graph/reader.ts';
import type { Log } from '../log.ts';
import { operations } from '../operations/index.ts';
import { type Grant, grantsFor } from '../operations/permissions.ts';
import { Refusal, SignInNeeded } from '../refusal.ts';
import { createSecretFile, defaultSecretsFolder } from '../secretFile.ts';
import type { Tenant } from '../tenants/tenant.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** One thing that was looked at. After a `fatal` one there is nothing left to look at in the tenant. */
export interface Finding {
  readonly about: 'Configuration' | 'Network' | 'Sign-in' | 'Permissions' | 'Reads' | 'This machine';
  readonly is: 'well' | 'missing' | 'note' | 'fatal';
  readonly text: string;
  /** What to do about it. */
  readonly next?: string;
}

interface Surroundings {
  readonly config: Config;
  readonly tenant: Tenant;
  readonly environment: Environment;
  readonly log: Log;
}

/** Looks at everything between this machine and the tenant, in the order in which a call needs it. */
export async function* checks(around: Surroundings): AsyncGenerator<Finding> {
  yield* ofConfiguration(around);
  yield* ofNetwork(around);
  const token = yield* ofSignIn(around);
  if (token !== undefined) {
    yield* ofPermissions(around, token);
    yield* ofReads(around);
  }
  yield* ofMachine(around);
}

function* ofConfiguration({ config, tenant, environment }: Surroundings): Generator<Finding> {
  const about = 'Configuration';
  for (const text of unusualSettings(config)) yield { about, is: 'well', text: visible(text, 200) };
  if (tenant.simulated) return;
  const set = Object.entries(signInVariables).filter(([name]) => environment[name] !== undefined);
  for (const [name, row] of set) {
    const value = 'sensitive' in row ? '(set, not shown)' : visible(environment[name] ?? '', 120);
    yield { about, is: 'well', text: `${name} ${value}` };
  }
  if (set.length === 0) yield { about, is: 'note', text: 'No variable of a sign-in is set.' };
}

async function* ofNetwork({ tenant }: Surroundings): AsyncGenerator<Finding> {
  if (tenant.authority === undefined) return;
  for (const address of [tenant.authority, tenant.graphRoot]) {
    const { host } = new URL(address);
    const code = await unreachable(address);
    const next = code && networkHint(code);
    if (code === undefined) yield { about: 'Network', is: 'well', text: `${host} answers` };
    else yield { about: 'Network', is: 'missing', text: `${host} does not answer: ${code}`, ...(next && { next }) };
  }
}

const reading: Permission = 'SecurityIdentitiesSensors.Read.All';

const tokenFor = async ({ credential, graphRoot }: Tenant, permission: Permission) =>
  (await credential(permission).getToken(`${graphRoot}/.default`, { enableCae: true }))?.token ?? '';

async function* ofSignIn({ tenant }: Surroundings): AsyncGenerator<Finding, string | undefined> {
  const about = 'Sign-in';
  for (let told = ''; ; ) {
    try {
      const token = await tokenFor(tenant, reading);
      const identity = identityOf(token);
      const valid = validityOf(token);
      yield* ofWays(tenant);
      yield { about, is: 'well', text: `Tenant ${identity.tenantId}` };
      yield { about, is: 'well', text: `As the ${identity.kind} ${visible(identity.name, 100)} (${identity.id})` };
      if (identity.kind === 'person') {
        yield {
          about,
          is: 'note',
          text: 'A person also needs a role: Security Reader to read, Security Administrator to write.',
        };
      }
      if (valid !== undefined) {
        const minutes = Math.round((valid.until.getTime() - Date.now()) / 60_000);
        const challenge = valid.challenged ? 'with' : 'without';
        yield {
          about,
          is: 'well',
          text: `The token is valid for ${minutes} minutes, ${challenge} continuous access evaluation`,
        };
      }
      return token;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (!(error instanceof SignInNeeded)) {
        yield* ofWays(tenant);
        const text = (tenant.tried?.size ?? 0) > 1 ? 'No way to sign in worked' : error.message;
        yield { about, is: 'fatal', text, ...(error.next !== undefined && { next: error.next }) };
        return undefined;
      }
      if (error.message !== told) yield { about, is: 'note', text: error.message };
      told = error.message;
    }
  }
}

/** The way that worked, and where several were tried, why the others are out. */
function* ofWays({ tried = new Map() }: Tenant): Generator<Finding> {
  for (const [title, why] of tried) {
    if (why === undefined) yield { about: 'Sign-in', is: 'well', text: `By ${title}` };
    else if (tried.size > 1) yield { about: 'Sign-in', is: 'note', text: `${title}: ${why}` };
  }
}

async function* ofPermissions({ tenant, config }: Surroundings, token: string): AsyncGenerator<Finding> {
  const about = 'Permissions';
  const offered = operations.filter(({ effect }) => !config.readOnly || effect === 'read');
  const isPerson = identityOf(token).kind === 'person';
  const held = new Set(permissionsIn(token));
  for (const grant of grantsFor(offered, tenant.cloud)) {
    const { permission } = grant;
    if (isPerson && isWritePermission(permission) && !held.has(permission)) {
      yield { about, is: 'note', text: `${permission} is asked for when something is about to be written` };
      continue;
    }
    const own = await tokenFor(tenant, permission).catch((error: unknown) => error);
    if (typeof own === 'string') for (const one of permissionsIn(own)) held.add(one);
    yield typeof own === 'string' && held.has(permission)
      ? { about, is: 'well', text: permission }
      : missing(grant, own instanceof Refusal ? own : undefined);
  }
  const writing = [...held].filter((one) => one.startsWith('SecurityIdentities') && one.includes('.ReadWrite.'));
  if (config.readOnly && writing.length > 0) {
    yield {
      about,
      is: 'note',
      text: `The token can write although the server is started with --read-only: ${writing.join(', ')}`,
      next: 'Grant the app only the Read permissions; then nothing at all can write with its token.',
    };
  }
}

function missing({ permission, neededFor, optionalFor }: Grant, refusal: Refusal | undefined): Finding {
  const without =
    neededFor.length > 0 ? `do not work: ${neededFor.join(', ')}` : `know less: ${optionalFor.join(', ')}`;
  return {
    about: 'Permissions',
    is: neededFor.length > 0 ? 'missing' : 'note',
    text: `${permission} is not in the token. Without it these tools ${without}`,
    next:
      refusal?.next ??
      'Add it to the app registration (API permissions, Microsoft Graph) and give admin consent; mdi-sensors-mcp setup shows how.',
  };
}

/** One harmless read for each permission to read. */
const reads = [
  [endpoints.listSensors, (graph: Reader) => graph.get(endpoints.listSensors)],
  [endpoints.listHealthIssues, (graph: Reader) => graph.get(endpoints.listHealthIssues)],
  [endpoints.getAutoAuditingConfiguration, (graph: Reader) => graph.get(endpoints.getAutoAuditingConfiguration)],
  [endpoints.listSensorMigrations, (graph: Reader) => graph.get(endpoints.listSensorMigrations)],
] as const;

async function* ofReads({ tenant, config, log }: Surroundings): AsyncGenerator<Finding> {
  const graph = graphClient({ tenant, version: config.graphVersion, log });
  for (const [endpoint, read] of reads) {
    if (versionIn(tenant.cloud, endpoint, config.graphVersion) === undefined) continue;
    try {
      await read(graph.reader({ signal: AbortSignal.timeout(60_000), timeoutMilliseconds: 30_000 }));
      yield { about: 'Reads', is: 'well', text: endpoint.route };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      yield {
        about: 'Reads',
        is: 'missing',
        text: error.message,
        ...(error.next !== undefined && { next: error.next }),
      };
    }
  }
}

const channels = {
  page: 'Approvals: a form where the client has one, else a page in the browser, or mdi-sensors-mcp approve at a terminal',
  terminal: 'Approvals: a form where the client has one, else mdi-sensors-mcp approve at a terminal',
  none: 'Approvals: only in a form of the client, since nobody is asked outside of it while CI is set',
};

async function* ofMachine({ config, environment }: Surroundings): AsyncGenerator<Finding> {
  const about = 'This machine';
  const channel = config.approval === 'form' ? undefined : bestChannel(config, environment);
  const only = config.approval === 'auto' ? channels[channel ?? 'none'] : `Approvals: --approval ${config.approval}`;
  yield { about, is: channel === undefined ? 'note' : 'well', text: only };
  const audit = auditFolderOf(config.auditLog);
  if (audit === undefined) yield { about, is: 'note', text: 'The audit log is off: nothing records who approved what' };
  else yield folder('Audit log', audit, '--audit-log', await tried(() => probe(audit)));
  const secrets = config.secretsDir ?? defaultSecretsFolder();
  const kept = async () => (await createSecretFile(secrets, 'doctor', false)).discard();
  yield folder('Secrets folder', secrets, '--secrets-dir', await tried(kept));
}

function probe(audit: string): void {
  const file = join(ownFolder(audit), `.doctor-${process.pid}`);
  closeSync(openSync(file, 'wx', 0o600));
  rmSync(file);
}

async function tried(step: () => unknown): Promise<string | undefined> {
  try {
    await step();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown error';
  }
}

const folder = (title: string, path: string, flag: string, why: string | undefined): Finding =>
  why === undefined
    ? { about: 'This machine', is: 'well', text: `${title}: ${path}` }
    : {
        about: 'This machine',
        is: 'missing',
        text: `${title}: ${path}: ${why}`,
        next: `Name another folder with ${flag}.`,
      };

import { SignInNeeded, ToolError } from '../../errors.ts';
import { createGraphClient } from '../../graph/client/client.ts';
import { parseIdentity, parsePermissions, parseValidity } from '../../graph/client/identity.ts';
import type { Reader } from '../../graph/client/reader.ts';
import { findVersion } from '../../graph/clouds.ts';
import { isWritePermission, type Permission } from '../../graph/endpoint.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import { getSecureScore } from '../../graph/endpoints/secureScores.ts';
import { rolesOfPerson } from '../../graph/permissions.ts';
import type { Tenant } from '../../graph/tenant.ts';
import { listGrants, type PermissionGrant } from '../../operations/grants.ts';
import { operations } from '../../operations/index.ts';
import { escapeInvisible } from '../../text.ts';
import type { DoctorContext, Finding } from './finding.ts';

const readPermission: Permission = 'SecurityIdentitiesSensors.Read.All';
const writePermission: Permission = 'SecurityIdentitiesSensors.ReadWrite.All';

const requestToken = async ({ getCredential, graphRoot }: Tenant, permission: Permission) =>
  (await getCredential(permission).getToken(`${graphRoot}/.default`, { enableCae: true }))?.token ?? '';

/** Signs in, for as long as a person takes for that: the token to read with, or undefined where there is none. */
export async function* checkSignIn({ tenant }: DoctorContext): AsyncGenerator<Finding, string | undefined> {
  const about = 'Sign-in';
  for (let lastMessage = ''; ; ) {
    try {
      const token = await requestToken(tenant, readPermission);
      yield* reportAttempts(tenant);
      yield* reportToken(token);
      if (tenant.writerClientId !== undefined) yield await checkWriter(tenant);
      return token;
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      if (!(error instanceof SignInNeeded)) {
        yield* reportAttempts(tenant);
        const text = (tenant.tried?.size ?? 0) > 1 ? 'No way to sign in worked' : error.message;
        yield { about, is: 'fatal', text, next: error.next };
        return undefined;
      }
      if (error.message !== lastMessage) yield { about, is: 'note', text: error.message };
      lastMessage = error.message;
    }
  }
}

/** The way that worked, and where several were tried, why the others are out. */
function* reportAttempts({ tried = new Map() }: Tenant): Generator<Finding> {
  for (const [title, why] of tried) {
    if (why === undefined) yield { about: 'Sign-in', is: 'well', text: `By ${title}` };
    else if (tried.size > 1) yield { about: 'Sign-in', is: 'note', text: `${title}: ${why}` };
  }
}

function* reportToken(token: string): Generator<Finding> {
  const about = 'Sign-in';
  const { tenantId, kind, name, id } = parseIdentity(token);
  yield { about, is: 'well', text: `Tenant ${tenantId}` };
  yield { about, is: 'well', text: `As the ${kind} ${escapeInvisible(name, 100)} (${id})` };
  if (kind === 'person') {
    yield { about, is: 'note', text: `A person also needs ${rolesOfPerson}` };
  }
  const validity = parseValidity(token);
  if (validity === undefined) return;
  const minutes = Math.round((validity.validUntil.getTime() - Date.now()) / 60_000);
  const challenge = validity.canBeChallenged ? 'with' : 'without';
  const text = `The token is valid for ${minutes} minutes, ${challenge} continuous access evaluation`;
  yield { about, is: 'well', text };
}

async function checkWriter(tenant: Tenant): Promise<Finding> {
  const about = 'Sign-in';
  try {
    const { name, id } = parseIdentity(await requestToken(tenant, writePermission));
    return { about, is: 'well', text: `To write, as the app ${escapeInvisible(name, 100)} (${id})` };
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    return { about, is: 'missing', text: `To write: ${error.message}`, next: error.next };
  }
}

const statusOrder: readonly Finding['is'][] = ['well', 'note', 'missing'];

/** Whether a token lists each permission; of what is not in it there is no token at all. */
type TokenPermissions = ReadonlyMap<Permission, boolean>;

/** Looks which permissions are there, those that are missing last. */
export async function* checkPermissions(
  { tenant, config }: DoctorContext,
  token: string,
): AsyncGenerator<Finding, TokenPermissions> {
  const about = 'Permissions';
  const offered = operations.filter(({ effect }) => !config.readOnly || effect === 'read');
  const isPerson = parseIdentity(token).kind === 'person';
  const granted = new Set(parsePermissions(token));
  const found = new Map<Permission, boolean>();
  const findings: Finding[] = [];
  for (const grant of listGrants(offered, tenant.cloud)) {
    const { permission } = grant;
    if (isPerson && isWritePermission(permission) && !granted.has(permission)) {
      findings.push({ about, is: 'note', text: `${permission} is asked for when something is about to be written` });
      continue;
    }
    const signInFor = permission === getSecureScore.permission ? readPermission : permission;
    const permissionToken = await requestToken(tenant, signInFor).catch(() => '');
    for (const grantedPermission of parsePermissions(permissionToken)) granted.add(grantedPermission);
    if (permissionToken !== '') found.set(permission, granted.has(permission));
    findings.push(granted.has(permission) ? { about, is: 'well', text: permission } : reportMissing(grant));
  }
  yield* findings.sort((one, other) => statusOrder.indexOf(one.is) - statusOrder.indexOf(other.is));
  const writes = [...granted].filter((permission) => /^SecurityIdentities.*\.ReadWrite\./.test(permission));
  if (config.readOnly && writes.length > 0) {
    const text = `The token can write although the server is started with --read-only: ${writes.sort().join(', ')}`;
    const next = 'Grant the app only the Read permissions; then nothing at all can write with its token.';
    yield { about, is: 'note', text, next };
  }
  return found;
}

/** What no harmless read can try is missing by Microsoft's tables alone. */
function reportMissing({ permission, neededFor, optionalFor }: PermissionGrant): Finding {
  const isTried = sampleReads.some((endpoint) => endpoint.permission === permission);
  const consequence =
    neededFor.length > 0 ? `need it: ${neededFor.join(', ')}` : `know more with it: ${optionalFor.join(', ')}`;
  return {
    about: 'Permissions',
    is: neededFor.length > 0 && !isTried ? 'missing' : 'note',
    text: `${permission} is not in the token. By Microsoft's tables these tools ${consequence}`,
    next: 'Add what is missing to the app registration (API permissions, Microsoft Graph) and give admin consent; mdi-sensors-mcp setup shows how.',
  };
}

const { listSensors, listHealthIssues, getAutoAuditingConfiguration, listSensorMigrations } = endpoints;
/** One harmless read for each permission to read. */
const sampleReads: readonly Parameters<Reader['get']>[0][] = [
  listSensors,
  listHealthIssues,
  getAutoAuditingConfiguration,
  listSensorMigrations,
];

/** Tries each read, without its permission too, since tenants and tables differ; not where the first answer is what every other one would be. */
export async function* checkReads(
  { tenant, config, log }: DoctorContext,
  permissions: TokenPermissions,
): AsyncGenerator<Finding> {
  const about = 'Reads';
  const graph = createGraphClient({ tenant, version: config.graphVersion, concurrency: config.concurrency, log });
  for (const endpoint of sampleReads) {
    if (findVersion(tenant.cloud, endpoint, config.graphVersion) === undefined) continue;
    const { route, permission } = endpoint;
    const isGranted = permissions.get(permission);
    if (isGranted === undefined) {
      yield { about, is: 'missing', text: `${route} was not tried, since there is no token for ${permission}` };
      continue;
    }
    try {
      await graph.createReader({ signal: AbortSignal.timeout(60_000), timeoutMs: 30_000 }).get(endpoint);
      yield { about, is: 'well', text: isGranted ? route : `${route} works without ${permission}` };
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      const isTold = !isGranted && error.code === 'permission_missing';
      yield { about, is: 'missing', text: error.message, ...(!isTold && { next: error.next }) };
      if (error.code === 'not_onboarded' || error.code === 'sign_in_failed') return;
    }
  }
}

import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bestChannel } from '../../approval/channels/choose.ts';
import { resolveAuditFolder } from '../../audit/log.ts';
import { listUnusualSettings, signInVariables } from '../../config.ts';
import { ensurePrivateFolder } from '../../files.ts';
import { suggestNetworkFix } from '../../graph/client/network.ts';
import { findConnectionFailure } from '../../graph/client/reachability.ts';
import { createSecretFile, getDefaultSecretsFolder } from '../../secrets/file.ts';
import { escapeInvisible } from '../../text.ts';
import type { Finding, Surroundings } from './finding.ts';
import { ofPermissions, ofReads, ofSignIn } from './tenantChecks.ts';

/** Looks at everything between this machine and the tenant, in the order in which a call needs it. */
export async function* checks(around: Surroundings): AsyncGenerator<Finding> {
  yield* ofConfiguration(around);
  yield* ofNetwork(around);
  const token = yield* ofSignIn(around);
  if (token !== undefined) {
    const held = yield* ofPermissions(around, token);
    yield* ofReads(around, held);
  }
  yield* ofMachine(around);
}

function* ofConfiguration({ config, tenant, environment }: Surroundings): Generator<Finding> {
  const about = 'Configuration';
  for (const text of listUnusualSettings(config)) yield { about, is: 'well', text: escapeInvisible(text, 200) };
  if (tenant.simulated) return;
  const set = Object.entries(signInVariables).filter(([name]) => environment[name] !== undefined);
  for (const [name, row] of set) {
    const value = 'sensitive' in row ? '(set, not shown)' : escapeInvisible(environment[name] ?? '', 120);
    yield { about, is: 'well', text: `${name} ${value}` };
  }
  if (set.length === 0) yield { about, is: 'note', text: 'No variable of a sign-in is set.' };
}

async function* ofNetwork({ tenant }: Surroundings): AsyncGenerator<Finding> {
  if (tenant.authority === undefined) return;
  for (const address of [tenant.authority, tenant.graphRoot]) {
    const { host } = new URL(address);
    const code = await findConnectionFailure(address);
    const next = code && suggestNetworkFix(code);
    if (code === undefined) yield { about: 'Network', is: 'well', text: `${host} answers` };
    else yield { about: 'Network', is: 'missing', text: `${host} does not answer: ${code}`, ...(next && { next }) };
  }
}

const approvals = {
  form: 'in a form of the client only (--approval form)',
  page: 'on a page in the browser, or with mdi-sensors-mcp approve at a terminal',
  terminal: 'with mdi-sensors-mcp approve at a terminal',
  none: 'in a form of the client only, since nobody is asked outside of it while CI is set',
} as const;

function ofApprovals({ config, environment }: Surroundings): Finding {
  const channel = config.approval === 'form' ? 'form' : (bestChannel(config, environment) ?? 'none');
  const first = config.approval === 'auto' && channel !== 'none' ? 'in a form where the client has one, else ' : '';
  const is = channel === 'none' ? 'note' : 'well';
  return { about: 'This machine', is, text: `Approvals: ${first}${approvals[channel]}` };
}

async function* ofMachine(around: Surroundings): AsyncGenerator<Finding> {
  const { config } = around;
  const about = 'This machine';
  yield ofApprovals(around);
  const audit = resolveAuditFolder(config.auditLog);
  if (audit === undefined) yield { about, is: 'note', text: 'The audit log is off: nothing records who approved what' };
  else yield folder('Audit log', audit, '--audit-log', await tried(() => probe(audit)));
  const secrets = config.secretsDir ?? getDefaultSecretsFolder();
  const kept = async () => (await createSecretFile(secrets, 'doctor', false)).discard();
  yield folder('Secrets folder', secrets, '--secrets-dir', await tried(kept));
}

function probe(audit: string): void {
  const file = join(ensurePrivateFolder(audit), `.doctor-${process.pid}`);
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

import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { choosePreferred } from '../../approval/channels/choose.ts';
import { resolveAuditFolder } from '../../audit/log.ts';
import { listUnusualSettings, signInVariables } from '../../config.ts';
import { ensurePrivateFolder } from '../../files.ts';
import { explainFailedConnection } from '../../graph/client/network.ts';
import { findConnectionFailure } from '../../graph/client/reachability.ts';
import { createSecretFile, getDefaultSecretsFolder } from '../../secrets/file.ts';
import { escapeInvisible } from '../../text.ts';
import type { DoctorContext, Finding } from './finding.ts';
import { checkPermissions, checkReads, checkSignIn } from './tenantChecks.ts';

/** Looks at everything between this machine and the tenant, in the order in which a call needs it. */
export async function* runChecks(context: DoctorContext): AsyncGenerator<Finding> {
  yield* checkConfiguration(context);
  yield* checkNetwork(context);
  const token = yield* checkSignIn(context);
  if (token !== undefined) {
    const permissions = yield* checkPermissions(context, token);
    yield* checkReads(context, permissions);
  }
  yield* checkMachine(context);
}

function* checkConfiguration({ config, tenant, environment }: DoctorContext): Generator<Finding> {
  const about = 'Configuration';
  for (const text of listUnusualSettings(config)) yield { about, is: 'well', text: escapeInvisible(text, 200) };
  if (tenant.simulated) return;
  const setVariables = Object.entries(signInVariables).filter(([name]) => environment[name] !== undefined);
  for (const [name, row] of setVariables) {
    const value = 'sensitive' in row ? '(set, not shown)' : escapeInvisible(environment[name] ?? '', 120);
    yield { about, is: 'well', text: `${name} ${value}` };
  }
  if (setVariables.length === 0) yield { about, is: 'note', text: 'No variable of a sign-in is set.' };
}

async function* checkNetwork({ tenant }: DoctorContext): AsyncGenerator<Finding> {
  if (tenant.authority === undefined) return;
  for (const address of [tenant.authority, tenant.graphRoot]) {
    const { host } = new URL(address);
    const code = await findConnectionFailure(address);
    if (code === undefined) {
      yield { about: 'Network', is: 'well', text: `${host} answers` };
    } else {
      const { why, next } = explainFailedConnection(code);
      yield { about: 'Network', is: 'missing', text: `${host} was not reached: ${why}`, next };
    }
  }
}

const approvalDescriptions = {
  form: 'in a form of the client only (--approval form)',
  page: 'on a page in the browser, or with mdi-sensors-mcp approve at a terminal',
  terminal: 'with mdi-sensors-mcp approve at a terminal',
  none: 'in a form of the client only, since nobody is asked outside of it while CI is set',
} as const;

function checkApprovals({ config, environment }: DoctorContext): Finding {
  const channel = config.approval === 'form' ? 'form' : (choosePreferred(config, environment) ?? 'none');
  const first = config.approval === 'auto' && channel !== 'none' ? 'in a form where the client has one, else ' : '';
  const is = channel === 'none' ? 'note' : 'well';
  return { about: 'This machine', is, text: `Approvals: ${first}${approvalDescriptions[channel]}` };
}

async function* checkMachine(context: DoctorContext): AsyncGenerator<Finding> {
  const { auditLog, secretsDir = getDefaultSecretsFolder() } = context.config;
  yield checkApprovals(context);
  const auditFolder = resolveAuditFolder(auditLog);
  if (auditFolder === undefined)
    yield { about: 'This machine', is: 'note', text: 'The audit log is off: nothing records who approved what' };
  else yield await checkFolder('Audit log', auditFolder, '--audit-log', () => probeAuditFolder(auditFolder));
  const createAndDiscard = async () => (await createSecretFile(secretsDir, 'doctor', false)).discard();
  yield await checkFolder('Secrets folder', secretsDir, '--secrets-dir', createAndDiscard);
}

function probeAuditFolder(auditFolder: string): void {
  const file = join(ensurePrivateFolder(auditFolder), `.doctor-${process.pid}`);
  closeSync(openSync(file, 'wx', 0o600));
  rmSync(file);
}

async function checkFolder(title: string, path: string, flag: string, probe: () => unknown): Promise<Finding> {
  const about = 'This machine';
  try {
    await probe();
    return { about, is: 'well', text: `${title}: ${path}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown error';
    return { about, is: 'missing', text: `${title}: ${path}: ${why}`, next: `Name another folder with ${flag}.` };
  }
}

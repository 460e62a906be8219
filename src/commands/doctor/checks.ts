import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { choosePreferred } from '../../approval/channels/choose.ts';
import { resolveAuditFolder } from '../../audit/log.ts';
import { listUnusualSettings, signInVariables } from '../../config.ts';
import { ensurePrivateFolder } from '../../files.ts';
import { suggestNetworkFix } from '../../graph/client/network.ts';
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
    const next = code && suggestNetworkFix(code);
    if (code === undefined) yield { about: 'Network', is: 'well', text: `${host} answers` };
    else yield { about: 'Network', is: 'missing', text: `${host} does not answer: ${code}`, ...(next && { next }) };
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
  const { config } = context;
  const about = 'This machine';
  yield checkApprovals(context);
  const auditFolder = resolveAuditFolder(config.auditLog);
  if (auditFolder === undefined)
    yield { about, is: 'note', text: 'The audit log is off: nothing records who approved what' };
  else
    yield reportFolder('Audit log', auditFolder, '--audit-log', await findFailure(() => probeAuditFolder(auditFolder)));
  const secretsFolder = config.secretsDir ?? getDefaultSecretsFolder();
  const createAndDiscard = async () => (await createSecretFile(secretsFolder, 'doctor', false)).discard();
  yield reportFolder('Secrets folder', secretsFolder, '--secrets-dir', await findFailure(createAndDiscard));
}

function probeAuditFolder(auditFolder: string): void {
  const file = join(ensurePrivateFolder(auditFolder), `.doctor-${process.pid}`);
  closeSync(openSync(file, 'wx', 0o600));
  rmSync(file);
}

async function findFailure(runStep: () => unknown): Promise<string | undefined> {
  try {
    await runStep();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown error';
  }
}

const reportFolder = (title: string, path: string, flag: string, why: string | undefined): Finding =>
  why === undefined
    ? { about: 'This machine', is: 'well', text: `${title}: ${path}` }
    : {
        about: 'This machine',
        is: 'missing',
        text: `${title}: ${path}: ${why}`,
        next: `Name another folder with ${flag}.`,
      };

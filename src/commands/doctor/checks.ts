import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdtempSync, openSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { choosePreferred } from '../../approval/channels/choose.ts';
import { findSocketsFolder } from '../../approval/channels/terminal.ts';
import { resolveAuditFolder } from '../../audit/log.ts';
import { listUnusualSettings, signInVariables } from '../../config.ts';
import { ensurePrivateFolder, findHomeFolder } from '../../files.ts';
import { suggestNetworkFix } from '../../graph/client/network.ts';
import { findConnectionFailure } from '../../graph/client/reachability.ts';
import { checkSecretsFolder, resolveSecretsFolder } from '../../secrets/file.ts';
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
    else yield { about: 'Network', is: 'missing', text: `${host} does not answer: ${code}`, next };
  }
}

const approvalDescriptions = {
  form: 'in a form of the client only (--approval form)',
  page: 'on a page in the browser, or at a terminal (the command approve)',
  terminal: 'at a terminal (the command approve)',
  none: 'in a form of the client only, since nobody is asked outside of it while CI is set',
} as const;

async function* checkMachine(context: DoctorContext): AsyncGenerator<Finding> {
  const { auditLog, secretsDir } = context.config;
  const about = 'This machine';
  yield* checkApprovals(context);
  if (auditLog === 'off') yield { about, is: 'note', text: 'The audit log is off: nothing records who approved what' };
  else {
    const folder = resolveAuditFolder(auditLog);
    yield await checkFolder('Audit log', folder, probeFolder, 'Name another folder with --audit-log.');
  }
  const folder = resolveSecretsFolder(secretsDir);
  yield await checkFolder('Secrets folder', folder, checkSecretsFolder, 'Name another folder with --secrets-dir.');
  if (!isWorkingFolderThere()) yield { about, is: 'note', text: 'The folder in which this was started is gone' };
}

/** Where a person is asked, and what that lacks. */
async function* checkApprovals({ config, environment }: DoctorContext): AsyncGenerator<Finding> {
  const channel = config.approval === 'form' ? 'form' : (choosePreferred(config, environment) ?? 'none');
  const first = config.approval === 'auto' && channel !== 'none' ? 'in a form where the client has one, else ' : '';
  const findings = await Promise.all(
    channel === 'page'
      ? [checkPageFolder(), checkTerminalFolder()]
      : channel === 'terminal'
        ? [checkTerminalFolder()]
        : [],
  );
  const problems = findings.filter(({ is }) => is !== 'well');
  const is = channel === 'none' || problems.length > 0 ? 'note' : 'well';
  yield { about: 'This machine', is, text: `Approvals: ${first}${approvalDescriptions[channel]}` };
  yield* problems;
}

function checkTerminalFolder(): Promise<Finding> {
  const home = findHomeFolder();
  const folder = home && findSocketsFolder(home);
  return checkFolder(
    'Way to the terminal',
    folder,
    probeFolder,
    'Set HOME to a folder of this user that can be written.',
  );
}

function checkPageFolder(): Promise<Finding> {
  const next = 'Set TMPDIR to a folder that can be written, or start the server with --approval terminal.';
  const probe = (folder: string) => rmdirSync(mkdtempSync(join(folder, 'mdi-sensors-mcp-')));
  return checkFolder('Way to the page', tmpdir(), probe, next);
}

function probeFolder(folder: string): void {
  const file = join(ensurePrivateFolder(folder), `.doctor-${randomBytes(4).toString('hex')}`);
  closeSync(openSync(file, 'wx', 0o600));
  rmSync(file);
}

function isWorkingFolderThere(): boolean {
  try {
    return existsSync(process.cwd());
  } catch {
    return false;
  }
}

async function checkFolder(
  title: string,
  path: string | undefined,
  probe: (path: string) => unknown,
  next: string,
): Promise<Finding> {
  const about = 'This machine';
  if (path === undefined) return { about, is: 'missing', text: `${title}: HOME names no home folder`, next };
  try {
    await probe(path);
    return { about, is: 'well', text: `${title}: ${path}` };
  } catch (error) {
    // What Node adds to an error of the system is its call and the path once more.
    const why = error instanceof Error ? error.message.replace(/, \w+ '.*$/s, '') : 'unknown error';
    return { about, is: 'missing', text: `${title}: ${path}: ${why}`, next };
  }
}

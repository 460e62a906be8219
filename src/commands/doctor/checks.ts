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
  page: 'on a page in the browser, or with mdi-sensors-mcp approve at a terminal',
  terminal: 'with mdi-sensors-mcp approve at a terminal',
  none: 'in a form of the client only, since nobody is asked outside of it while CI is set',
} as const;

function findChannel({ config, environment }: DoctorContext): keyof typeof approvalDescriptions {
  return config.approval === 'form' ? 'form' : (choosePreferred(config, environment) ?? 'none');
}

function checkApprovals(context: DoctorContext): Finding {
  const channel = findChannel(context);
  const isAuto = context.config.approval === 'auto' && channel !== 'none';
  const first = isAuto ? 'in a form where the client has one, else ' : '';
  const is = channel === 'none' ? 'note' : 'well';
  return { about: 'This machine', is, text: `Approvals: ${first}${approvalDescriptions[channel]}` };
}

async function* checkMachine(context: DoctorContext): AsyncGenerator<Finding> {
  const { auditLog, secretsDir } = context.config;
  const about = 'This machine';
  yield checkApprovals(context);
  yield* checkWays(findChannel(context));
  if (auditLog === 'off') yield { about, is: 'note', text: 'The audit log is off: nothing records who approved what' };
  else yield await checkFolder('Audit log', resolveAuditFolder(auditLog), '--audit-log', probeFolder);
  yield await checkFolder('Secrets folder', resolveSecretsFolder(secretsDir), '--secrets-dir', checkSecretsFolder);
  if (!isWorkingFolderThere()) yield { about, is: 'note', text: 'The folder in which this was started is gone' };
}

/** What a question outside of the client needs; nothing where all of it is there. */
function* checkWays(channel: keyof typeof approvalDescriptions): Generator<Finding> {
  const about = 'This machine';
  if (channel !== 'page' && channel !== 'terminal') return;
  const home = findHomeFolder();
  const folder = home && findSocketsFolder(home);
  const problem = folder === undefined ? 'HOME names no home folder' : findProblem(folder, probeFolder);
  const is = channel === 'terminal' ? 'missing' : 'note';
  const next = 'Set HOME to a folder of this user that can be written.';
  if (problem !== undefined) yield { about, is, text: `Approvals at a terminal: ${problem}`, next };
  const pageProblem = channel === 'page' ? findProblem(tmpdir(), probeTemporaryFolder) : undefined;
  if (pageProblem === undefined) return;
  const hint = 'Set TMPDIR to a folder that can be written, or start the server with --approval terminal.';
  yield { about, is: 'missing', text: `Approvals on a page: ${pageProblem}`, next: hint };
}

function findProblem(folder: string, probe: (folder: string) => void): string | undefined {
  try {
    probe(folder);
    return undefined;
  } catch (error) {
    return `${folder}: ${describe(error)}`;
  }
}

const describe = (error: unknown) => (error instanceof Error ? error.message : 'unknown error');

function probeFolder(folder: string): void {
  const file = join(ensurePrivateFolder(folder), `.doctor-${randomBytes(4).toString('hex')}`);
  closeSync(openSync(file, 'wx', 0o600));
  rmSync(file);
}

const probeTemporaryFolder = (folder: string) => rmdirSync(mkdtempSync(join(folder, 'mdi-sensors-mcp-')));

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
  flag: string,
  probe: (path: string) => unknown,
): Promise<Finding> {
  const about = 'This machine';
  if (path === undefined)
    return {
      about,
      is: 'missing',
      text: `${title}: there is no home folder to keep it in`,
      next: `Name one with ${flag}.`,
    };
  try {
    await probe(path);
    return { about, is: 'well', text: `${title}: ${path}` };
  } catch (error) {
    const text = `${title}: ${path}: ${describe(error)}`;
    return { about, is: 'missing', text, next: `Name another folder with ${flag}.` };
  }
}

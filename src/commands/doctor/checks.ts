import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdtempSync, openSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { choosePreferred } from '../../approval/channels/choose.ts';
import { findSocketsFolder } from '../../approval/channels/terminal.ts';
import { resolveAuditFolder } from '../../audit/log.ts';
import { systemClock } from '../../clock.ts';
import { type Config, listUnusualSettings, signInVariables } from '../../config.ts';
import { ensurePrivateFolder, findHomeFolder } from '../../files.ts';
import { explainFailedConnection } from '../../graph/client/network.ts';
import { probeConnection } from '../../graph/client/reachability.ts';
import { clouds } from '../../graph/clouds.ts';
import type { Tenant } from '../../graph/tenant.ts';
import { checkSecretsFolder, resolveSecretsFolder } from '../../secrets/file.ts';
import { ensureExportFolder } from '../../server/exportFile.ts';
import { cleanText, escapeInvisible } from '../../text.ts';
import { prepareSignIn } from '../approvalSignIn.ts';
import type { DoctorContext, Finding, Surroundings } from './finding.ts';
import { checkPermissions, checkReads, checkSignIn } from './tenantChecks.ts';

interface DoctorSubject extends Surroundings {
  openTenant(): Promise<Tenant>;
}

/** Looks at everything between this machine and the tenant, in the order in which a call needs it, whatever is wrong before. */
export async function* runChecks(subject: DoctorSubject): AsyncGenerator<Finding> {
  const { problems, config } = subject;
  yield* checkConfiguration(subject);
  const tenant = await subject.openTenant().catch(describeDefect);
  const isOpen = typeof tenant !== 'string';
  if (config.simulate === undefined) {
    const { authority, graphRoot } = isOpen ? tenant : clouds[config.cloud];
    yield* completeCheck('Network', checkNetwork(authority ?? clouds[config.cloud].authority, graphRoot));
  }
  if (!isOpen) yield { about: 'Sign-in', is: 'fatal', text: tenant };
  else if (problems.length > 0) yield { about: 'Sign-in', is: 'fatal', text: notTried };
  else yield* completeCheck('Sign-in', checkTenant({ ...subject, tenant }));
  yield* completeCheck('This machine', checkMachine(subject));
}

const notTried = 'Not tried, since what is wrong in the configuration could let somebody else sign in';

const describeDefect = (error: unknown) => (error instanceof Error ? cleanText(error.message, 300) : 'unknown error');

/** A check that breaks off is a finding too, and the next one follows. */
async function* completeCheck(about: Finding['about'], findings: AsyncIterable<Finding>): AsyncGenerator<Finding> {
  try {
    yield* findings;
  } catch (error) {
    yield { about, is: 'missing', text: `This could not be looked at: ${describeDefect(error)}` };
  }
}

async function* checkTenant(context: DoctorContext): AsyncGenerator<Finding> {
  const token = yield* checkSignIn(context);
  if (token === undefined) return;
  const permissions = yield* checkPermissions(context, token);
  yield* checkReads(context, permissions);
}

function* checkConfiguration({ config, problems, environment }: Surroundings): Generator<Finding> {
  const about = 'Configuration';
  for (const text of listUnusualSettings(config)) yield { about, is: 'well', text: escapeInvisible(text, 200) };
  const isSet = ([name]: [string, unknown]) => config.simulate === undefined && environment[name] !== undefined;
  const setVariables = Object.entries(signInVariables).filter(isSet);
  for (const [name, row] of setVariables) {
    const value = 'sensitive' in row ? '(set, not shown)' : escapeInvisible(environment[name] ?? '', 120);
    yield { about, is: 'well', text: `${name} ${value}` };
  }
  for (const text of problems) yield { about, is: 'fatal', text };
  const problem = findSignInProblem(config, environment);
  if (problem !== undefined) yield { about, is: 'fatal', text: problem };
  if (config.simulate === undefined && setVariables.length + problems.length === 0)
    yield { about, is: 'note', text: 'No variable of a sign-in is set.' };
}

function findSignInProblem(config: Config, environment: Surroundings['environment']): string | undefined {
  try {
    prepareSignIn(config, environment, systemClock);
    return undefined;
  } catch (error) {
    return describeDefect(error);
  }
}

/** A token is valid for an hour, and its proof for ten minutes. */
const largestClockErrorMs = 5 * 60_000;

async function* checkNetwork(authority: string, graphRoot: string): AsyncGenerator<Finding> {
  const about = 'Network';
  let clockErrorMs = 0;
  for (const address of [authority, graphRoot]) {
    const { host } = new URL(address);
    const answer = await probeConnection(address);
    if (answer.failure === undefined) {
      yield { about, is: 'well', text: `${host} answers` };
    } else {
      const { why, next } = explainFailedConnection(answer.failure);
      yield { about, is: 'missing', text: `${host} was not reached: ${why}`, next };
    }
    if (answer.date !== undefined && address === authority) clockErrorMs = Date.now() - answer.date;
  }
  if (Math.abs(clockErrorMs) < largestClockErrorMs) return;
  const minutes = Math.round(Math.abs(clockErrorMs) / 60_000);
  const text = `The clock of this machine is ${minutes} minutes ${clockErrorMs > 0 ? 'fast' : 'slow'}`;
  yield { about, is: 'missing', text, next: 'Set it, best by a time server: sign-ins and tokens depend on it.' };
}

const approvalDescriptions = {
  form: 'in a form of the client only (--approval form)',
  page: 'on a page in the browser, or at a terminal (the command approve)',
  terminal: 'at a terminal (the command approve)',
  signin: 'on a page behind a sign-in with Microsoft Entra (--approval signin)',
  none: 'in a form of the client only, since nobody is asked outside of it while CI is set',
} as const;

async function* checkMachine(context: Surroundings): AsyncGenerator<Finding> {
  const { auditLog, secretsDir, exportDir } = context.config;
  const about = 'This machine';
  yield* checkApprovals(context);
  if (auditLog === 'off') yield { about, is: 'note', text: 'The audit log is off: nothing records who approved what' };
  else if (auditLog === 'stdout') yield { about, is: 'well', text: 'Audit log: to stdout, which `http` alone does' };
  else {
    const folder = resolveAuditFolder(auditLog);
    yield await checkFolder('Audit log', folder, probeFolder, 'Name another folder with --audit-log.');
  }
  const folder = resolveSecretsFolder(secretsDir);
  yield await checkFolder('Secrets folder', folder, checkSecretsFolder, 'Name another folder with --secrets-dir.');
  if (exportDir !== undefined)
    yield await checkFolder('Export folder', exportDir, ensureExportFolder, 'Name another folder with --export-dir.');
  if (!isWorkingFolderThere()) yield { about, is: 'note', text: 'The folder in which this was started is gone' };
}

/** Where a person is asked, and what that lacks. */
async function* checkApprovals({ config, environment }: Surroundings): AsyncGenerator<Finding> {
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

import type { Config } from '../../config.ts';
import type { Tenant } from '../../graph/tenant.ts';
import { createLog } from '../../log.ts';
import { wrapText } from '../../text.ts';
import { colour, print } from '../screen.ts';
import { runChecks } from './checks.ts';
import type { Finding } from './finding.ts';
import { checkRemote } from './remoteChecks.ts';

const marks = {
  well: colour.green('✓'),
  missing: colour.red('✗'),
  note: colour.yellow('!'),
  fatal: colour.red('✗'),
} as const;

interface DoctorOptions {
  readonly json?: boolean;
  /** What is wrong about settings and variables, one sentence each. */
  readonly problems?: readonly string[];
  /** The address of a server on the network, which is looked at instead of this machine. */
  readonly remote?: string;
}

/**
 * Says step by step whether the server can work here, and what to do where not, to the end. Exit code 0, 1 for something
 * missing, 2 for a setting that is wrong or a sign-in that fails.
 */
export async function runDoctor(
  config: Config,
  openTenant: () => Promise<Tenant>,
  { json = false, problems = [], remote }: DoctorOptions,
) {
  const findings: Finding[] = [];
  const log = createLog(config.logLevel);
  const subject = { config, problems, openTenant, environment: process.env, log };
  for await (const finding of remote === undefined ? runChecks(subject) : checkRemote(remote)) {
    if (!json) printFinding(finding, findings.at(-1));
    findings.push(finding);
  }
  if (!json) printAdvice(findings.at(-1));
  const hasFinding = (is: Finding['is']) => findings.some((finding) => finding.is === is);
  const exitCode = hasFinding('fatal') ? 2 : hasFinding('missing') ? 1 : 0;
  if (json) print(JSON.stringify({ exit: exitCode, findings }, null, 2));
  else print(`\n${['All well.', 'Something is missing.', 'The server cannot work like this.'][exitCode]}`);
  return exitCode;
}

function printFinding(finding: Finding, previous: Finding | undefined): void {
  const isFirst = finding.about !== previous?.about;
  if (isFirst || finding.next !== previous?.next) printAdvice(previous);
  if (isFirst) print(`${previous === undefined ? '' : '\n'}${colour.bold(finding.about)}`);
  print(`  ${marks[finding.is]} ${indentText(finding.text)}`);
}

/** Findings in a row that have the same thing done about them say it once. */
function printAdvice(finding: Finding | undefined): void {
  if (finding?.next !== undefined) print(`    ${colour.dim(indentText(finding.next))}`);
}

const indentText = (sentence: string) => wrapText(sentence, 76).join('\n    ');

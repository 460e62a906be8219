import type { Config } from '../../config.ts';
import type { Tenant } from '../../graph/tenant.ts';
import { createLog } from '../../log.ts';
import { colour, say, wrapped } from '../screen.ts';
import { checks } from './checks.ts';
import type { Finding } from './finding.ts';

const marks = {
  well: colour.green('✓'),
  missing: colour.red('✗'),
  note: colour.yellow('!'),
  fatal: colour.red('✗'),
} as const;

/** Says step by step whether the server can work here, and what to do where not. Exit code 0, 1 for something missing, 2 for a sign-in that fails. */
export async function doctor(config: Config, tenant: Tenant, { json = false }: { readonly json?: boolean }) {
  const findings: Finding[] = [];
  for await (const finding of checks({ config, tenant, environment: process.env, log: createLog(config.logLevel) })) {
    if (!json) show(finding, findings.at(-1));
    findings.push(finding);
  }
  if (!json) advise(findings.at(-1));
  const has = (is: Finding['is']) => findings.some((finding) => finding.is === is);
  const exit = has('fatal') ? 2 : has('missing') ? 1 : 0;
  if (json) say(JSON.stringify({ exit, findings }, null, 2));
  else say(`\n${['All well.', 'Something is missing.', 'The server cannot work like this.'][exit]}`);
  return exit;
}

function show(finding: Finding, before: Finding | undefined): void {
  const isFirst = finding.about !== before?.about;
  if (isFirst || finding.next !== before?.next) advise(before);
  if (isFirst) say(`${before === undefined ? '' : '\n'}${colour.bold(finding.about)}`);
  say(`  ${marks[finding.is]} ${indented(finding.text)}`);
}

/** Findings in a row that have the same thing done about them say it once. */
function advise(finding: Finding | undefined): void {
  if (finding?.next !== undefined) say(`    ${colour.dim(indented(finding.next))}`);
}

const indented = (sentence: string) => wrapped(sentence, 76).join('\n    ');

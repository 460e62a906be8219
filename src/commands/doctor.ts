import type { Config } from '../config.ts';
import { createLog } from '../log.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { checks, type Finding } from './checks.ts';
import { colour, say, wrapped } from './screen.ts';

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
  const has = (is: Finding['is']) => findings.some((finding) => finding.is === is);
  const exit = has('fatal') ? 2 : has('missing') ? 1 : 0;
  if (json) say(JSON.stringify({ exit, findings }, null, 2));
  else say(`\n${['All well.', 'Something is missing.', 'The server cannot work like this.'][exit]}`);
  return exit;
}

function show({ about, is, text, next }: Finding, before: Finding | undefined): void {
  if (about !== before?.about) say(`${before === undefined ? '' : '\n'}${colour.bold(about)}`);
  const indented = (sentence: string) => wrapped(sentence, 76).join('\n    ');
  say(`  ${marks[is]} ${indented(text)}`);
  if (next !== undefined) say(`    ${colour.dim(indented(next))}`);
}

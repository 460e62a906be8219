import { EventEmitter, once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { isAuditFile } from '../../src/audit/records.ts';
import { type VerifiedFile, verifyFolder } from '../../src/audit/verify.ts';
import { type AttackedQuestion, ask, readText } from '../approval/attacker.ts';
import { readingMs } from '../harness/clients.ts';
import { isGatedRequest } from '../harness/gated.ts';
import { connectRaw, type Era } from '../harness/raw.ts';
import { prepareServerProcess } from '../harness/server.ts';
import { type GatedTool, gatedTools, tools } from '../harness/tools.ts';
import { type Fact, parseFacts } from '../harness/witness.ts';

/** What became of many servers that were killed while gated calls were under way. */
export interface Kills {
  readonly auditLog: string;
  readonly secretsDir: string;
  runs: number;
  /** Acts that the log says began, those of them without a known outcome, and gated requests that reached Graph. */
  acts: number;
  open: number;
  requests: number;
  /** Approvals of questions of a killed server that its successor was brought, and those that it took. */
  brought: number;
  survived: number;
  /** Requests of which the log does not say that they would leave, and outcomes in it that did not happen. */
  unannounced: number;
  untrue: number;
  /** Files that do not hold. */
  broken: number;
}

interface Run {
  readonly era: Era;
  readonly tools: readonly GatedTool[];
  /** How long after the calls, the first answer of a person, or the first gated request it is killed. */
  readonly since: 'calls' | 'answer' | 'request';
  readonly milliseconds: number;
  /** A power cut loses what was not forced to the disk. */
  readonly powerCut: boolean;
}

const run: fc.Arbitrary<Run> = fc.record({
  era: fc.constantFrom('legacy', 'modern'),
  tools: fc.oneof(
    fc.shuffledSubarray([...gatedTools], { minLength: 2, maxLength: 3 }),
    fc.shuffledSubarray(['get_deployment_access_key', 'regenerate_deployment_access_key'] as const, { minLength: 1 }),
  ),
  since: fc.constantFrom('calls', 'answer', 'request'),
  milliseconds: fc.integer({ min: 0, max: 150 }),
  powerCut: fc.boolean(),
});

/** Kills a server at a random moment of some gated calls, so many times; each is the next one on the same folders. */
export async function kill(runs: number, seed: number): Promise<Kills> {
  const folder = mkdtempSync(join(tmpdir(), 'mdi-kills-'));
  const [auditLog, secretsDir] = [join(folder, 'audit'), join(folder, 'secrets')];
  const server = await prepareServerProcess({ witness: true, flags: { auditLog, secretsDir, logLevel: 'error' } });
  const counts = {
    runs: 0,
    acts: 0,
    open: 0,
    requests: 0,
    brought: 0,
    survived: 0,
    unannounced: 0,
    untrue: 0,
    broken: 0,
  };
  const all: Kills = { auditLog, secretsDir, ...counts };
  let left: AttackedQuestion | undefined;
  for (const { era, tools: called, since, milliseconds, powerCut } of fc.sample(run, { seed, numRuns: runs })) {
    const raw = await connectRaw(era, server);
    if (era === 'modern' && left !== undefined) {
      const late = await left.answer('accept', right(left), { through: raw });
      all.brought += 1;
      all.survived += /^approval_invalid: /.test(readText(late)) ? 0 : 1;
    }
    const moments = new EventEmitter();
    const begun = since === 'calls' ? Promise.resolve() : once(moments, since);
    raw.child.stderr.on('data', () => {
      if (gatedIn(parseFacts(raw.stderr())).length > 0) moments.emit('request');
    });
    const calls = called.map(async (tool) => {
      const held = await ask(era, raw, tool, tools[tool].args);
      if (era === 'modern') left = held;
      moments.emit('answer');
      await server.pass(readingMs);
      await held.answer('accept', right(held));
    });
    await Promise.race([Promise.allSettled(calls), begun.then(() => wait(milliseconds))]);
    const closed = once(raw.child, 'close');
    raw.child.kill('SIGKILL');
    await closed;
    judge(all, raw.child.pid, parseFacts(raw.stderr()), powerCut);
  }
  await server.end();
  return all;
}

/** What approves a question, as it says itself. */
const right = ({ typed }: AttackedQuestion) => ({ typed });

/** The gated requests that came to Graph. */
const gatedIn = (facts: readonly Fact[]) =>
  facts.flatMap((one) => {
    if (one.fact !== 'came') return [];
    const [method = '', path = ''] = one.request.split(' ');
    return isGatedRequest({ method, path }) ? [one.request] : [];
  });

/** Compares what the log of a killed process says with what its witness saw. */
function judge(all: Kills, pid: number | undefined, facts: readonly Fact[], powerCut: boolean): void {
  all.runs += 1;
  const own = (file: string) => isAuditFile(file) && file.includes(`Z-${pid}-`);
  const name = namesIn(all.auditLog).filter(own).sort().at(-1);
  if (name !== undefined && powerCut) loseUnsynced(join(all.auditLog, name), facts);
  const files: VerifiedFile[] = name === undefined ? [] : verifyFolder(all.auditLog);
  all.broken += files.filter(({ problems }) => problems.length > 0).length;
  const records = files.find(({ file }) => file === name)?.records ?? [];
  const acts = records.filter(({ kind }) => kind === 'acting').map((act) => act as unknown as ActRecord);
  const outcomes = records.filter(({ kind }) => kind === 'outcome').map((outcome) => outcome as unknown as KillOutcome);

  const came = gatedIn(facts);
  const done = facts.flatMap((fact) => (fact.fact === 'answered' && fact.effect ? [fact.request] : []));
  const announced = acts.flatMap(({ requests }) => requests.map(short));
  const claims = outcomes.filter(({ verdict }) => verdict === 'done');
  const known = outcomes.filter(({ verdict }) => verdict !== 'outcome_unknown');

  all.acts += acts.length;
  all.open += acts.filter(({ id }) => !known.some((outcome) => outcome.id === id)).length;
  all.requests += came.length;
  all.unannounced += without(came, announced).length;
  all.untrue += claims.filter(({ id, requestIds }) => {
    const told = acts.find((act) => act.id === id)?.requests.map(short) ?? [];
    return told.length === 0 || told.length - without(told, done).length < requestIds.length;
  }).length;
}

interface ActRecord {
  readonly id: string;
  readonly requests: readonly string[];
}
interface KillOutcome {
  readonly id: string;
  readonly verdict: string;
  /** One for each request that left; an act names every route that Graph may have for one. */
  readonly requestIds: readonly unknown[];
}

/** A request as the witness names it: without host, version and body. */
const short = (wire: string) => wire.replace(/^(\w+) https:\/\/[^/]+\/[^/]+(\S+).*$/s, '$1 $2');

/** What of the one list is not in the other, each counted as often as it is there. */
function without(list: readonly string[], from: readonly string[]): string[] {
  const rest = [...from];
  return list.filter((one) => {
    const at = rest.indexOf(one);
    if (at !== -1) rest.splice(at, 1);
    return at === -1;
  });
}

function loseUnsynced(file: string, facts: readonly Fact[]): void {
  const { ino } = statSync(file);
  const sizes = facts.flatMap((fact) => (fact.fact === 'synced' && fact.file === ino ? [fact.size] : []));
  truncateSync(file, Math.max(0, ...sizes));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The files with access keys: how many hold one, how many wait for one, how many do neither. */
export function secretsIn(folder: string): { readonly whole: number; readonly waiting: number; readonly torn: number } {
  const names = namesIn(folder);
  const waiting = names.filter((name) => name.endsWith('.waiting')).length;
  const whole = names.filter(
    (name) => aKey.test(readFileSync(join(folder, name), 'utf8')) && !name.endsWith('.waiting'),
  );
  return { whole: whole.length, waiting, torn: names.length - whole.length - waiting };
}
const aKey = /^U0lNVUxBVEVE[A-Za-z0-9+/]{76}$/;

/** The figures as one line. */
export const formatKills = (seed: number, all: Kills) =>
  `kill -9, seed ${seed}: runs ${all.runs}, acts ${all.acts}, open ${all.open}, gated requests ${all.requests}, not announced ${all.unannounced}, outcomes that did not happen ${all.untrue}, logs that do not hold ${all.broken}, approvals brought to a successor ${all.brought}, taken ${all.survived}, secret files ${JSON.stringify(secretsIn(all.secretsDir))}`;

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CuttingMoment } from '../harness/cuttingProxy.ts';
import {
  type ActName,
  acts,
  keysPoints,
  type PlannedRun,
  type RunReport,
  startFaultedTeam,
  type TrafficFault,
} from './faultedTeam.ts';

const seed = 17;
/** CI takes half of two hundred; fewer do where somebody builds on it. */
const faultedRuns = Number(process.env.MDI_TEST_RUNS ?? 100);
const faultedKeyReads = faultedRuns / 20;
const ordinaryRunsPerAct = 4;
/** Each has a server of its own, and waits most of the time. */
const teams = 8;

const moments: readonly CuttingMoment[] = [
  'before the request',
  'after the request',
  'within the answer',
  'before the answer',
];
const kinds: readonly TrafficFault[] = [
  ...moments.flatMap((moment) => [{ moment, how: 'reset' } as const, { moment, how: 'end' } as const]),
  ...moments.flatMap((moment) => (moment === 'within the answer' ? [] : [{ moment, how: 'kill' } as const])),
];
const actNames = Object.keys(acts) as ActName[];

type FinishedRun = PlannedRun & RunReport;

test('whatever breaks between question and outcome, nothing is done twice and nothing is told that did not happen', async () => {
  const started = await Promise.all(Array.from({ length: teams }, startFaultedTeam));
  /** Every team takes the next run, until there is none. */
  async function work(plan: readonly PlannedRun[]): Promise<FinishedRun[]> {
    const waiting = [...plan];
    const finished: FinishedRun[] = [];
    await Promise.all(
      started.map(async (team) => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
          finished.push({ ...next, ...(await team.run(next)) });
      }),
    );
    return finished;
  }

  const ordinary = await work(actNames.flatMap((act) => Array<PlannedRun>(ordinaryRunsPerAct).fill({ act })));
  const faulted = await work(planFaults(ordinary));
  const problems = started.flatMap((team) => team.listLogProblems());
  await Promise.all(started.map((team) => team.close()));

  process.stdout.write(`${formatTable(ordinary, faulted)}\n`);
  const all = [...ordinary, ...faulted];
  expect(all.filter(({ wrongClaims }) => wrongClaims.length > 0)).toEqual([]);
  expect(all.filter(({ duplicates }) => duplicates > 0)).toEqual([]);
  expect(ordinary.filter(({ ending }) => ending !== 'done once')).toEqual([]);
  expect(faulted.filter(({ isMet }) => !isMet)).toEqual([]);
  expect(faulted).toHaveLength(faultedRuns);
  expect(problems).toEqual([]);
}, 1_200_000);

const shuffle = <T>(all: readonly T[]): readonly T[] =>
  fc.sample(fc.shuffledSubarray([...all], { minLength: all.length }), { seed, numRuns: 1 })[0] ?? [];

/** The places of the traffic of all acts in an order of chance, each with another kind of fault in every round. */
function planFaults(ordinary: readonly FinishedRun[]): PlannedRun[] {
  const places = actNames.flatMap((act) => {
    const [first = [], ...others] = ordinary.filter((run) => run.act === act).map(({ points }) => points);
    const common = first.filter((point) => others.every((points) => points.includes(point)));
    return common.map((point) => ({ act, point }));
  });
  const keyReads = actNames.flatMap((act) => keysPoints.map((point) => ({ act, point })));
  const takeKind = (index: number, of: number) => kinds[(index + 4 * Math.floor(index / of)) % kinds.length];
  const plan = (from: typeof places, runs: number): PlannedRun[] => {
    const shuffled = shuffle(from);
    return Array.from({ length: runs }).flatMap((_, index) => {
      const [place, kind] = [shuffled[index % shuffled.length], takeKind(index, shuffled.length)];
      return place && kind ? [{ act: place.act, fault: { point: place.point, ...kind } }] : [];
    });
  };
  return [...plan(keyReads, faultedKeyReads), ...plan(places, faultedRuns - faultedKeyReads)];
}

function formatTable(ordinary: readonly FinishedRun[], faulted: readonly FinishedRun[]): string {
  const formatRow = (name: string, runs: readonly FinishedRun[]) => {
    const counts = (['done once', 'not done', 'unknown'] as const).map((is) =>
      runs.filter(({ ending }) => ending === is),
    );
    const cells = [runs, ...counts].map(({ length }) => String(length).padStart(10));
    return `${name.padEnd(28)}${cells.join('')}`;
  };
  return [
    `${'what broke'.padEnd(28)}      runs done once  not done   unknown`,
    formatRow('nothing', ordinary),
    ...kinds.map(({ how, moment }) => {
      const runs = faulted.filter(({ fault }) => fault?.how === how && fault.moment === moment);
      return formatRow(`${how} ${moment}`, runs);
    }),
    formatRow('in all', faulted),
  ].join('\n');
}

import { describe, expect, test } from 'vitest';
import { tell } from '../harness/tables.ts';
import { catalogue } from './catalogue.ts';
import { type CallStage, type FaultCase, type FaultRun, faultCases, runFaultCase, stages } from './cells.ts';
import { classifyAnswer, countDuplicates, findWrongClaim } from './claims.ts';
import { countExpectedSends, getExpectedAnswer } from './expected.ts';

const places = Object.values(stages).flat();
const usual = new Map(places.map((place) => [place, runFaultCase(place)]));

/** What a call comes to without a fault. */
function usualOf({ tool, stage }: FaultCase): Promise<FaultRun> {
  const place = places.find((one) => one.tool === tool && one.stage === stage);
  return (place && usual.get(place)) ?? Promise.reject(new Error(`no ${stage} of ${tool}`));
}

const all = { cells: 0, wrong: 0, duplicates: 0 };

/** What is checked of a cell, and what the table says of it: its answer, the requests that reached Graph, those that took effect. */
async function judged(cell: FaultCase) {
  const came: FaultRun = await runFaultCase(cell);
  const without = await usualOf(cell);
  const answer = classifyAnswer(cell, came, without);
  const wrong = findWrongClaim(cell, came, answer);
  const again = countDuplicates(cell, came);
  all.cells += 1;
  all.wrong += wrong === undefined ? 0 : 1;
  all.duplicates += again;
  return {
    line: `${answer.kind} ${came.requests.length}/${came.effects}`,
    is: { ...answer, isMet: came.met > 0, wrong, again, ...(cell.stage === 'send' && { sent: came.sent.length }) },
    shouldBe: {
      ...getExpectedAnswer(cell),
      isMet: true,
      wrong: undefined,
      again: 0,
      ...(cell.stage === 'send' && { sent: countExpectedSends(cell) }),
    },
  };
}

const titles: Readonly<Record<CallStage, string>> = {
  read: 'a fault of what a tool reads',
  plan: 'a fault of what a gated tool reads before it asks',
  send: 'a fault of what it sends after the approval',
  after: 'a fault of what it reads afterwards',
};

describe.each(Object.entries(titles))('%s: %s', (stage, title) => {
  const tools = places.filter((place) => place.stage === stage).map(({ tool }) => tool);

  test.for(catalogue)('$name', { timeout: 240_000 }, async (fault, context) => {
    const own = faultCases.filter((cell) => cell.stage === stage && cell.fault === fault);
    const seen = await Promise.all(own.map(judged));
    tell(context, [title, ...tools], [fault.name, ...seen.map(({ line }) => line)]);
    const byTool = <T>(of: readonly T[]) => Object.fromEntries(of.map((one, index) => [tools[index], one]));
    expect(byTool(seen.map(({ is }) => is))).toEqual(byTool(seen.map(({ shouldBe }) => shouldBe)));
  });
});

test('at least 600 cells, none with a wrong claim or a duplicated effect', (context) => {
  const { cells: count, wrong, duplicates } = all;
  tell(context, ['cells', 'wrong claims', 'duplicated effects'], [count, wrong, duplicates].map(String));
  expect(count).toBe(faultCases.length);
  expect(count).toBeGreaterThanOrEqual(600);
  expect({ wrong, duplicates }).toEqual({ wrong: 0, duplicates: 0 });
});

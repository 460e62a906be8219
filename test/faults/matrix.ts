import { beforeAll, describe, expect, test } from 'vitest';
import { tell } from '../harness/tables.ts';
import { catalogue } from './catalogue.ts';
import { type CallStage, type FaultCase, type FaultRun, runFaultCase, stages } from './cells.ts';
import { classifyAnswer, countDuplicates, findWrongClaim } from './claims.ts';
import { countExpectedSends, getExpectedAnswer } from './expected.ts';
import { isWhole } from './world.ts';

/** What is checked of a cell, and what the table says of it: its answer, the requests that reached Graph, those that took effect. */
async function judge(cell: FaultCase, usual: FaultRun) {
  const came: FaultRun = await runFaultCase(cell);
  const answer = classifyAnswer(cell, came, usual);
  const wrong = findWrongClaim(cell, came, answer);
  const again = countDuplicates(cell, came);
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

/** Whether a tool meets a fault in this run: in `npm run test:faults` each meets all, else every fifth. */
const isTested = (fault: number, tool: number) => isWhole || (fault + tool) % 5 === 0;

/** Tests the tools that have this stage under the faults; at the end, how many cells that were and what was wrong. */
export function testStage(stage: CallStage): void {
  const title = titles[stage];
  const tools = stages[stage].map(({ tool }) => tool);
  const counts = catalogue.map((_, fault) => tools.filter((_, tool) => isTested(fault, tool)).length);

  describe(`${stage}: ${title}`, () => {
    const counted = { cells: 0, wrong: 0, duplicates: 0 };
    let places: readonly { readonly place: Omit<FaultCase, 'fault'>; readonly usual: FaultRun }[];
    beforeAll(async () => {
      places = await Promise.all(stages[stage].map(async (place) => ({ place, usual: await runFaultCase(place) })));
    });

    test.for(catalogue)('$name', { timeout: 240_000 }, async (fault, context) => {
      const tested = places.filter((_, tool) => isTested(catalogue.indexOf(fault), tool));
      const seen = await Promise.all(
        tested.map(async ({ place, usual }) => ({ tool: place.tool, ...(await judge({ ...place, fault }, usual)) })),
      );
      for (const { is } of seen) {
        counted.cells += 1;
        counted.wrong += is.wrong === undefined ? 0 : 1;
        counted.duplicates += is.again;
      }
      const lines = tools.map((tool) => seen.find((one) => one.tool === tool)?.line ?? '');
      tell(context, [title, ...tools], [fault.name, ...lines]);
      const byTool = (part: 'is' | 'shouldBe') => Object.fromEntries(seen.map((one) => [one.tool, one[part]]));
      expect(byTool('is')).toEqual(byTool('shouldBe'));
    });

    test('no cell has a wrong claim or a duplicated effect', (context) => {
      const { cells, wrong, duplicates } = counted;
      tell(
        context,
        ['stage', 'cells', 'wrong claims', 'duplicated effects'],
        [stage, ...[cells, wrong, duplicates].map(String)],
      );
      expect(counted).toEqual({ cells: counts.reduce((sum, count) => sum + count, 0), wrong: 0, duplicates: 0 });
    });
  });
}

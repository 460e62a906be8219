import { expect, type TestContext } from 'vitest';
import { tell } from './tables.ts';
import type { Team } from './team.ts';

const headings = ['attack over HTTP', 'answers', 'requests that reached Graph', 'its honest twin'];

/** What came of requests to a team's server. */
interface Attempt {
  /** The status of each answer. */
  readonly statuses: readonly number[];
  /** How many requests reached Graph. */
  readonly reached: number;
}

export async function attempt(team: Team, run: () => Promise<readonly number[]>): Promise<Attempt> {
  const before = team.reached();
  const statuses = await run();
  return { statuses, reached: team.reached() - before };
}

/** An attack is answered as expected and reaches nothing; its honest twin, which differs in one thing, is served. */
export function judge(context: TestContext, attack: Attempt, twin: Attempt, expected: readonly number[]): void {
  const cells = [attack.statuses.join(' '), String(attack.reached), `${twin.statuses.join(' ')}, ${twin.reached}`];
  tell(context, headings, [context.task.name, ...cells]);
  expect(attack).toEqual({ statuses: expected, reached: 0 });
  expect(twin.statuses).toEqual([200]);
  expect(twin.reached).toBeGreaterThan(0);
}

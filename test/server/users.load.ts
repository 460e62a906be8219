import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EntraUser } from '../entra/entra.ts';
import { callTool, startTeam, type Team } from '../harness/team.ts';

describe('a hundred people at once', () => {
  let team: Team;
  beforeAll(async () => {
    team = await startTeam();
  });
  afterAll(() => team.close());

  test('each reads with a token of their own and of nobody else, however their calls interleave', async () => {
    const makeId = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
    const callers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const person: EntraUser = team.addPerson(`Person${index}`, ['Sensors.Reader']);
        return { id: makeId(index), actor: person.objectId, token: await team.signIn(person) };
      }),
    );
    const rounds = [0, 37, 71].flatMap((offset) =>
      callers.map((_, index) => callers[(index + offset) % callers.length]),
    );
    const statuses = await Promise.all(
      rounds.map(async (caller) => (await team.post(caller?.token, callTool('get_sensor', { id: caller?.id }))).status),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    const foreign = callers.flatMap(({ id, actor }) => {
      const own = team.sent.filter(({ path }) => path.endsWith(id));
      return own.length > 0 && own.every((one) => one.actor === actor) ? [] : [{ id, own }];
    });
    expect(foreign).toEqual([]);
    expect(new Set(team.sent.map(({ actor }) => actor)).size).toBe(100);
  }, 60_000);
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kinds } from '../harness/clients.ts';
import { startTeam, type Team } from '../harness/team.ts';

let team: Team;
beforeAll(async () => {
  team = await startTeam();
});
afterAll(() => team.close());

describe.each(kinds)('a %s client over HTTPS', (kind) => {
  test('reads the fleet as the person who signed in', async () => {
    const client = await team.connect(kind, await team.signIn(team.people.reader));
    const { structured } = await client.call('list_sensors', { limit: 1 });
    expect(structured).toMatchObject({ total: 44 });
    await client.close();
  });
});

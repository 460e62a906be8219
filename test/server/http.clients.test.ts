import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTeam, type Team } from '../harness/team.ts';
import { authorize, discover, hostedClients, hostNames, openHost, register } from './hostedClients.ts';
import { openSdkClient } from './sdkClients.ts';

let team: Team;
beforeAll(async () => {
  team = await startTeam();
});
afterAll(() => team.close());

test.each(hostNames)('%s signs in from the address of the server and what an administrator entered', async (name) => {
  const session = await openHost(team, hostedClients[name], team.people.reader);
  expect(await session.listTools()).toContain('list_sensors');
  expect((await session.call('list_sensors', { limit: 1 })).structured).toMatchObject({ total: 44 });
  await session.close();
});

test.each(['v1', 'v2 legacy', 'v2 modern'] as const)(
  'a %s client of the SDK signs in from the address of the server and a client id',
  async (kind) => {
    const client = await openSdkClient(kind, team, team.people.reader);
    expect((await client.call('list_sensors', { limit: 1 })).structured).toMatchObject({ total: 44 });
    await client.close();
  },
);

test('the metadata leads to the scope by its whole name, and to the Entra of the tenant', async () => {
  expect(await discover(team)).toEqual({
    authorizationEndpoint: `${team.entra.authorityHost}/${team.home.id}/oauth2/v2.0/authorize`,
    tokenEndpoint: `${team.entra.authorityHost}/${team.home.id}/oauth2/v2.0/token`,
    scope: `${team.url}/access_as_user`,
    resource: team.url,
  });
});

describe('what Entra refuses a host', () => {
  const refusal = async (
    host: Parameters<typeof register>[1],
    change: Partial<Awaited<ReturnType<typeof discover>>>,
  ) => {
    const { clientSecret: _, ...client } = register(team, host);
    const answer = await authorize(team, { ...(await discover(team)), ...change }, client, team.people.reader);
    return answer.error_description?.split(':')[0];
  };
  const claude = hostedClients['claude.ai'];

  test.each([
    ['with the scope by its short name', { scope: 'access_as_user' }, 'AADSTS9010010'],
    ['with the address and a slash at its end as the resource', { resource: 'URL/' }, 'AADSTS9010010'],
    ['with the scope of another address', { scope: 'URL2/access_as_user' }, 'AADSTS500011'],
    ['with the scope and the resource of the metadata', {}, undefined],
    ['with the scope of the metadata and no resource', { resource: undefined }, undefined],
  ])('%s', async (_, change, expected) => {
    const filled = Object.fromEntries(
      Object.entries(change).map(([name, value]) => [name, value?.replace('URL', team.url)]),
    );
    expect(await refusal(claude, filled)).toBe(expected);
  });

  test('without a secret, whose redirect URI stands under Web', async () => {
    expect(await refusal({ ...claude, platform: 'Web' }, {})).toBe('AADSTS7000218');
  });
});

import { expect, test } from 'vitest';
import { createGraphClient } from '../../src/graph/client/client.ts';
import type { Permission } from '../../src/graph/endpoint.ts';
import { getSecureScore } from '../../src/graph/endpoints/secureScores.ts';
import { createLog } from '../../src/log.ts';
import { createSimulatedTenant } from '../../src/tenants/simulated/tenant.ts';

function open(permissions: readonly string[]) {
  const asked: Permission[] = [];
  const simulated = createSimulatedTenant({ permissions, now: () => Date.parse('2026-06-01T12:00:00Z') });
  const getCredential = (permission: Permission) => {
    asked.push(permission);
    return simulated.getCredential(permission);
  };
  const { httpClient, graphRoot, cloud } = simulated;
  const tenant = { simulated: true, cloud, graphRoot, getCredential, ...(httpClient && { httpClient }) };
  const graph = createGraphClient({ tenant, version: 'v1.0', concurrency: 8, log: createLog('silent') });
  return { asked, simulated, reader: graph.createReader({ signal: new AbortController().signal }) };
}

test('the Secure Score is read with the token for sensors, and only the newest one', async () => {
  const { asked, simulated, reader } = open(['SecurityIdentitiesSensors.Read.All', 'SecurityEvents.Read.All']);
  const { value } = await reader.get(getSecureScore);
  expect(value).toEqual([
    {
      createdDateTime: expect.stringMatching(/^2026-06-01T12:00:00/),
      controlScores: [
        {
          controlName: 'AATP_Sensor',
          implementationStatus: expect.stringMatching(
            /^You have \d+ domain controllers in your environment and Defender for Identity sensor is installed on \d+ of them\.$/,
          ),
        },
      ],
    },
  ]);
  expect(asked).toEqual(['SecurityIdentitiesSensors.Read.All']);
  expect(simulated.requests.map(({ path, query }) => [path, decodeURIComponent(query)])).toEqual([
    ['/security/secureScores', '?$top=1'],
  ]);
});

test('a token that does not list its permission is refused by Graph', async () => {
  const { reader } = open(['SecurityIdentitiesSensors.Read.All']);
  await expect(reader.get(getSecureScore)).rejects.toMatchObject({ code: 'permission_missing' });
});

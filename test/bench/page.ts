import { createHttpHeaders, createPipelineRequest } from '@azure/core-rest-pipeline';
import { createSimulatedTenant } from '../../src/tenants/simulated/tenant.ts';

/** The simulated Graph that ours talks to, asked for the first 100 sensors without any client between. */
export async function simulatedGraph(): Promise<{ page(): Promise<string> }> {
  const tenant = createSimulatedTenant({ sensors: 100, seed: 1 });
  const { token = '' } = (await tenant.getCredential('SecurityIdentitiesSensors.Read.All').getToken([])) ?? {};
  const headers = createHttpHeaders({ Authorization: `Bearer ${token}` });
  const url = `${tenant.graphRoot}/v1.0/security/identities/sensors`;
  return {
    async page() {
      const { bodyAsText } = await tenant.httpClient.sendRequest(createPipelineRequest({ url, headers }));
      return bodyAsText ?? '';
    },
  };
}

import { organizationPermissions } from '../../graph/endpoints/organization.ts';
import { GraphError } from './errors.ts';
import type { EndpointResponse } from './handlers.ts';
import { readQuery, selectProperties } from './odata.ts';
import type { SimulatedIdentity } from './token.ts';

/** The tenant itself, the one thing outside Defender for Identity that is answered; undefined for any other request. */
export function answerOrganizationRequest(
  { label, identity }: { readonly label: string; readonly identity: SimulatedIdentity },
  method: string,
  url: URL,
  permissions: readonly string[],
): EndpointResponse | undefined {
  if (method !== 'GET' || !/^\/(v1\.0|beta)\/organization\/?$/i.test(url.pathname)) return undefined;
  if (!organizationPermissions.some((permission) => permissions.includes(permission))) {
    throw new GraphError(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
  }
  const entity = { id: identity.tenantId, displayName: label, tenantType: 'AAD' };
  const select = readQuery(url, ['$select']).get('$select');
  return { context: 'organization', json: { value: [selectProperties(entity, select)] } };
}

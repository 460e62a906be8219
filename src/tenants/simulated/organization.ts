import { GraphError } from './errors.ts';
import type { EndpointResponse } from './handlers.ts';
import { readQuery, selectProperties } from './odata.ts';
import type { Bearer, SimulatedIdentity } from './token.ts';

interface Organization {
  readonly label: string;
  readonly identity: SimulatedIdentity;
}

const readPermissions = ['Organization.Read.All', 'Directory.Read.All', 'User.Read'];

/** The tenant itself, the one thing outside Defender for Identity that is answered; undefined for any other request. */
export function answerOrganizationRequest(
  organization: Organization,
  method: string,
  url: URL,
  { permissions }: Bearer,
): EndpointResponse | undefined {
  if (method !== 'GET' || !/^\/(v1\.0|beta)\/organization\/?$/i.test(url.pathname)) return undefined;
  if (!readPermissions.some((permission) => permissions.includes(permission))) {
    throw new GraphError(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
  }
  const select = readQuery(url, { options: ['$select'] }).get('$select');
  const entity = { id: organization.identity.tenantId, displayName: organization.label, tenantType: 'AAD' };
  return { status: 200, context: 'organization', json: { value: [selectProperties(entity, select)] } };
}

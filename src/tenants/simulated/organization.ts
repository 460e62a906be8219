import { GraphError } from './errors.ts';
import type { Answered } from './handlers.ts';
import { readQuery, selected } from './odata.ts';
import type { Bearer, SimulatedIdentity } from './token.ts';

interface Organization {
  readonly label: string;
  readonly identity: SimulatedIdentity;
}

const reading = ['Organization.Read.All', 'Directory.Read.All', 'User.Read'];

/** The tenant itself, the one thing outside Defender for Identity that is answered; undefined for any other request. */
export function organization(
  of: Organization,
  method: string,
  url: URL,
  { permissions }: Bearer,
): Answered | undefined {
  if (method !== 'GET' || !/^\/(v1\.0|beta)\/organization\/?$/i.test(url.pathname)) return undefined;
  if (!reading.some((permission) => permissions.includes(permission))) {
    throw new GraphError(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
  }
  const select = readQuery(url, { options: ['$select'] }).get('$select');
  const tenant = { id: of.identity.tenantId, displayName: of.label, tenantType: 'AAD' };
  return { status: 200, context: 'organization', json: { value: [selected(tenant, select)] } };
}

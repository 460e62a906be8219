import type { Config } from '../config.ts';
import type { SignedInPerson } from '../entra/signIn.ts';
import type { Role } from '../operations/roles.ts';
import type { CallContext } from './question.ts';

/** The app role of those who may approve what they did not ask for. */
export const approverRole = 'Sensors.Approver' satisfies Role;

/** Who signed in to answer, as it is recorded. */
export type Approver = Pick<SignedInPerson, 'tenantId' | 'objectId' | 'name' | 'signedInAtMs'>;

/** Who answered, in the audit log: the names are those of Entra's claims. */
export const describeApprover = ({ tenantId, objectId, name, signedInAtMs }: Approver) => ({
  tid: tenantId,
  oid: objectId,
  name,
  authTime: new Date(signedInAtMs).toISOString(),
});

/** Why this person may not answer, in a sentence to them; undefined where they may. */
export function findObjection(
  { tenantId, objectId, roles }: Pick<SignedInPerson, 'tenantId' | 'objectId' | 'roles'>,
  { identity, requester }: Pick<CallContext, 'identity' | 'requester'>,
  approvers: Config['approvers'],
): string | undefined {
  if (tenantId !== identity.tenantId.toLowerCase())
    return 'You signed in to another tenant than the one that is asked about.';
  const isRequester = requester?.tenantId.toLowerCase() === tenantId && requester.objectId.toLowerCase() === objectId;
  const hasRole = roles.includes(approverRole);
  if (approvers === 'requester' && requester !== undefined)
    return isRequester ? undefined : 'Only the person who asked may answer this, and you are somebody else.';
  if (isRequester) return 'You asked for this yourself, and this server wants a second person (--approvers other).';
  return hasRole
    ? undefined
    : `Only somebody with the app role ${approverRole} may answer this, and you do not have it.`;
}

/** An error as Graph puts it into its envelope. */
export class GraphError extends Error {
  readonly status: number;
  readonly code: string;
  /** What the next token has to be asked for with. */
  readonly claims: string | undefined;

  constructor(status: number, code: string, message: string, claims?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.claims = claims;
  }
}

export const createBadRequestError = (message: string) => new GraphError(400, 'BadRequest', message);
/** Seen in an issue of a Graph SDK for a path that the schema does not have. */
export const createUnknownSegmentError = (segment: string) =>
  createBadRequestError(`Resource not found for the segment '${segment}'.`);
/** The code that Defender for Identity uses is not known; Defender for Endpoint's own API says `NotFound`. */
export const createNotFoundError = (what: string) => new GraphError(404, 'NotFound', `${what} was not found.`);
/** A missing permission, as seen on a real tenant: an empty message. */
export const createForbiddenError = () => new GraphError(403, 'UnknownError', '');
export const createNotOnboardedError = () =>
  new GraphError(
    403,
    'Forbidden',
    'Tenant is not onboarded to Microsoft Defender for Identity. After license is purchased, first login to portal and sensor are required.',
  );
export const createConflictError = () =>
  new GraphError(409, 'Conflict', 'The object is being changed by another request.');
export const createPreconditionFailedError = () =>
  new GraphError(412, 'PreconditionFailed', 'The object was changed meanwhile.');
export const createUnauthenticatedError = (message: string) =>
  new GraphError(401, 'InvalidAuthenticationToken', message);
export const createExpiredTokenError = () =>
  createUnauthenticatedError('Access token has expired or is not yet valid.');
/** Continuous access evaluation wants another token; the header is Microsoft's, the body a guess. */
export const createClaimsChallengeError = (claims: string) =>
  new GraphError(
    401,
    'InvalidAuthenticationToken',
    'Continuous access evaluation resulted in a challenge: the token was issued before something changed.',
    claims,
  );

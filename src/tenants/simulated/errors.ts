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

export const badRequest = (message: string) => new GraphError(400, 'BadRequest', message);
/** Seen in an issue of a Graph SDK for a path that the schema does not have. */
export const unknownSegment = (segment: string) => badRequest(`Resource not found for the segment '${segment}'.`);
/** The code that Defender for Identity uses is not known; Defender for Endpoint's own API says `NotFound`. */
export const notFound = (what: string) => new GraphError(404, 'NotFound', `${what} was not found.`);
/** A missing permission, as seen on a real tenant: an empty message. */
export const forbidden = () => new GraphError(403, 'UnknownError', '');
export const notOnboarded = () =>
  new GraphError(
    403,
    'Forbidden',
    'Tenant is not onboarded to Microsoft Defender for Identity. After license is purchased, first login to portal and sensor are required.',
  );
export const conflict = () => new GraphError(409, 'Conflict', 'The object is being changed by another request.');
export const preconditionFailed = () => new GraphError(412, 'PreconditionFailed', 'The object was changed meanwhile.');
export const unauthenticated = (message: string) => new GraphError(401, 'InvalidAuthenticationToken', message);
export const expired = () => unauthenticated('Access token has expired or is not yet valid.');
/** Continuous access evaluation wants another token; the header is Microsoft's, the body a guess. */
export const insufficientClaims = (claims: string) =>
  new GraphError(
    401,
    'InvalidAuthenticationToken',
    'Continuous access evaluation resulted in a challenge: the token was issued before something changed.',
    claims,
  );

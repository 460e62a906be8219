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
export const createUnauthenticatedError = (message: string) =>
  new GraphError(401, 'InvalidAuthenticationToken', message);
export const createExpiredTokenError = () =>
  createUnauthenticatedError('Access token has expired or is not yet valid.');

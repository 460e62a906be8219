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
/** The code that Defender for Identity uses is not known; Defender for Endpoint's own API says `NotFound`. */
export const createNotFoundError = (what: string) => new GraphError(404, 'NotFound', `${what} was not found.`);
export const createUnauthenticatedError = (message: string) =>
  new GraphError(401, 'InvalidAuthenticationToken', message);
export const createExpiredTokenError = () =>
  createUnauthenticatedError('Access token has expired or is not yet valid.');

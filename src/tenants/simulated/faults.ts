import type { PipelineRequest } from '@azure/core-rest-pipeline';
import type { GraphError } from './errors.ts';
import type { EndpointName } from './handlers.ts';

/** A request as it was logged. */
export interface LoggedRequest {
  readonly method: string;
  /** Without host and version, as it was sent: `/security/identities/sensors`. */
  readonly path: string;
  readonly query: string;
  readonly version: string;
  readonly body: string | undefined;
  /** The endpoint that it is for. */
  readonly endpoint?: EndpointName;
  /** Whose token it carried. */
  tenantId?: string;
  /** Undefined where the connection broke. */
  status?: number;
  /** Whether it changed something or disclosed the key. */
  effect: boolean;
}

/** An answer on its way out. A body that is large, slow or cut off is made piece by piece. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string | (() => Iterable<Buffer> | AsyncIterable<Buffer>);
}

/** What a fault does: another reply than the earned one (there is one `after`), an error, or nothing but taking its time. */
export type FaultAction = (
  request: PipelineRequest,
  reply?: HttpReply,
) => HttpReply | undefined | Promise<HttpReply | undefined>;

/** Something that goes wrong. Without `on` every request meets it, without `times` always; `before` the effect unless told. */
export interface Fault {
  readonly appliesTo?: (request: LoggedRequest) => boolean;
  times?: number;
  readonly phase?: 'before' | 'after';
  readonly answer: FaultAction | GraphError;
}

import type { Gate } from '../approval/gate.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Graph } from '../graph/client/client.ts';
import type { Log } from '../log.ts';

/** What one process has once, however many servers the SDK makes of it. */
export interface Runtime {
  readonly version: string;
  readonly config: Config;
  readonly clock: Clock;
  /** Loaded with the first call: a host starts servers that are never called. */
  readonly graph: () => Promise<Graph>;
  readonly gate: Gate;
  readonly log: Log;
  /** OS user and a random id of this process. */
  readonly principal: string;
  /** Undefined where this user has no folder for them. */
  readonly secretsFolder: string | undefined;
}

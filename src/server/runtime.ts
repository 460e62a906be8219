import type { Gate } from '../approval/gate.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Caller } from '../entra/callers.ts';
import type { Graph } from '../graph/client/client.ts';
import type { Log } from '../log.ts';

/** What one process has once, however many servers the SDK makes of it. */
export interface ServerProcess {
  readonly transport: 'stdio' | 'http';
  readonly version: string;
  readonly config: Config;
  readonly clock: Clock;
  readonly gate: Gate;
  readonly log: Log;
  /** Undefined where this user has no folder for them. */
  readonly secretsFolder: string | undefined;
}

/** The same for whoever is served: the host on stdin, or one caller over HTTP. */
export interface Runtime extends ServerProcess {
  /** Loaded with the first call: a host starts servers that are never called. */
  readonly graph: () => Promise<Graph>;
  /** Who asks: on stdin the OS user and a random id of this process, over HTTP the caller. */
  readonly principal: string;
  /** Whom Microsoft Entra says to have called over HTTP. */
  readonly caller?: Caller;
}

import { endChildren, watchChildren } from './children.ts';

/** A server as its process ends it. */
export interface Serving {
  /** Removes files and sockets, at once and for good. */
  tidyUp(): void;
  /** Ends the connection and every call, and tidies up. */
  close(): Promise<void>;
  /** Resolves once no approved call is being executed. */
  waitForActs(): Promise<void>;
}

const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** How long an act that is under way may take to its outcome. Hosts kill a server 2 seconds after they have closed its input. */
const lastActMs = 1_500;

/** A server that something in front chooses among others. */
export interface DrainableServing extends Serving {
  /** From now on it says that it is not ready. */
  drain(): void;
}

/** So long what is in front may take to notice that. */
const noticeMs = 3_000;
/** How long calls may take that are under way then; Container Apps and Kubernetes end a process 30 s after the signal. */
const lastCallsMs = 25_000;

/** Ends a server over HTTP at a signal: nothing new is taken, what is under way comes to its end. A second signal ends it at once. */
export function endOnSignal(server: DrainableServing): void {
  let isEnding = false;
  const end = () => {
    if (isEnding) process.exit(0);
    isEnding = true;
    server.drain();
    setTimeout(() => {
      setTimeout(() => process.exit(0), lastCallsMs);
      const closing = server.close().then(() => server.waitForActs());
      closing.finally(() => process.exit(0));
    }, noticeMs);
  };
  watchChildren();
  for (const signal of endSignals) process.on(signal, end);
  process.on('exit', () => {
    server.tidyUp();
    endChildren();
  });
}

/**
 * Ends the server with its host: when stdin ends, stdout breaks or a signal comes; a second signal ends it at once. However
 * it ends, but by a kill, it leaves no file, no socket and no program that it started.
 */
export function endWithHost(server: Serving): void {
  let isEnding = false;
  const end = () => {
    if (isEnding) return;
    isEnding = true;
    setTimeout(() => process.exit(0), lastActMs);
    const closing = server.close().then(() => server.waitForActs());
    closing.finally(() => process.exit(0));
  };
  watchChildren();
  for (const signal of endSignals) process.on(signal, () => (isEnding ? process.exit(0) : end()));
  for (const event of ['end', 'close', 'error']) process.stdin.on(event, end);
  process.stdout.on('error', end);
  // A host that reads no log is no reason to end.
  process.stderr.on('error', () => undefined);
  process.on('exit', () => {
    server.tidyUp();
    endChildren();
  });
}

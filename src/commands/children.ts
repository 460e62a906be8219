import { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';

/** Programs that run for this process, such as the launcher of a browser. */
const running = new Set<ChildProcess>();

/** From now on notes every program that is started here, whichever library does it. */
export function watchChildren(): void {
  subscribe('child_process', (message) => {
    const child = typeof message === 'object' && message !== null && 'process' in message && message.process;
    if (!(child instanceof ChildProcess)) return;
    running.add(child);
    child.once('exit', () => running.delete(child));
  });
}

/** Ends the programs that still run, without what they have started: a launcher's browser is the person's. */
export function endChildren(): void {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
}

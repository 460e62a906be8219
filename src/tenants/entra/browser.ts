import { AsyncLocalStorage } from 'node:async_hooks';
import { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { ToolError } from '../../errors.ts';

const launchWatchers = new AsyncLocalStorage<() => void>();
let isSubscribed = false;

/**
 * Runs a sign-in for which the library starts a browser. Of that it listens for no error, which would end this process, and
 * waits for ever where none opened. @throws a ToolError where the program that opens one cannot be started or fails.
 */
export async function watchBrowserLaunch<T>(signIn: () => Promise<T>): Promise<T> {
  if (!isSubscribed) subscribe('child_process', watchChild);
  isSubscribed = true;
  return new Promise<T>((resolve, reject) => {
    const reportFailure = () =>
      reject(
        new ToolError(
          'sign_in_failed',
          'No browser could be opened on this machine for the sign-in.',
          'Let the operator start the server with --auth device-code: it shows a code that a person enters in a browser anywhere.',
        ),
      );
    launchWatchers.run(reportFailure, () => signIn().then(resolve, reject));
  });
}

/** Node tells of every process that is made, before it starts: https://nodejs.org/api/diagnostics_channel.html#child-process */
function watchChild(message: unknown): void {
  const reportFailure = launchWatchers.getStore();
  if (reportFailure === undefined || typeof message !== 'object' || message === null || !('process' in message)) return;
  const { process: child } = message;
  if (!(child instanceof ChildProcess)) return;
  child.once('error', reportFailure);
  child.once('exit', (code) => code !== 0 && reportFailure());
}

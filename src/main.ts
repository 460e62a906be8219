import * as module from 'node:module';
import { runCommandLine } from './commands/commandLine.ts';

/** Node 22 and later keep compiled code between starts; hosts end servers with a signal, so it is written soon. */
function keepCompiledCode(): void {
  if (!('enableCompileCache' in module && typeof module.enableCompileCache === 'function')) return;
  module.enableCompileCache();
  if (!('flushCompileCache' in module && typeof module.flushCompileCache === 'function')) return;
  const { flushCompileCache } = module;
  setTimeout(() => flushCompileCache(), 500).unref();
}

keepCompiledCode();
await runCommandLine(process.argv.slice(2));

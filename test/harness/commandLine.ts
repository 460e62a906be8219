import { resolve } from 'node:path';
import { runCommandLine } from '../../src/commands/commandLine.ts';

/** What a command line printed before it ended. */
interface EndedCommand {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command that prints and ends, in this process but with these variables alone, as dist/main.js would. One at a
 * time.
 */
export async function runCommand(
  words: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<EndedCommand> {
  const { env, argv, exitCode } = process;
  const { PATH, HOME } = env;
  const printed = { stdout: '', stderr: '' };
  const streams = (['stdout', 'stderr'] as const).map((name) => ({
    stream: process[name],
    name,
    write: process[name].write,
  }));
  for (const { stream, name } of streams)
    stream.write = (text: string | Uint8Array) => {
      printed[name] += String(text);
      return true;
    };
  process.env = { PATH, HOME, ...variables };
  process.argv = [process.execPath, resolve('dist/main.js'), ...words];
  process.exitCode = undefined;
  try {
    await runCommandLine(words);
    return { status: Number(process.exitCode ?? 0), ...printed };
  } finally {
    for (const { stream, write } of streams) stream.write = write;
    Object.assign(process, { env, argv, exitCode });
  }
}

import { execFile } from 'node:child_process';

/** What a command of the tools under npx printed, and the code that it ended with. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly text: string;
}

/** Runs a command to its end, or for a minute. */
export function execute(command: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { timeout: 60_000, maxBuffer: 2 ** 26 }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, text: stdout + stderr }),
    );
  });
}

/** A row of the table that is printed. */
export interface ConformanceRow {
  readonly name: string;
  /** The revision, or how the Inspector calls its era. */
  readonly revision: string;
  readonly passed: string;
  /** What failed as `expected-failures.yml` says. */
  readonly expected: readonly string[];
  /** What went wrong; undefined where nothing did. */
  readonly wrong?: string;
}

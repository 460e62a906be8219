import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** What tests leave behind lies in one folder, of both projects where both run, which goes with the last of them. */
export default function setup(): () => void {
  if (basename(tmpdir()).startsWith('mdi-')) return () => undefined;
  const folder = makeFolderInMemory() ?? mkdtempSync(join(tmpdir(), 'mdi-'));
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

const memory = '/dev/shm';
const leastBytes = 512 * 1024 * 1024;

/** Every audit record of an act waits for the disk: in memory that costs nothing. Containers may allow little there, or no programs. */
function makeFolderInMemory(): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(memory);
    if (bavail * bsize < leastBytes) return undefined;
    const folder = mkdtempSync(join(memory, 'mdi-'));
    const program = join(folder, 'program');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
    execFileSync(program);
    return folder;
  } catch {
    return undefined;
  }
}

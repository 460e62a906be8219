import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Tests look at what is shipped, so that is built before the first of them. What they leave behind lies in one folder. */
export default function setup(): () => void {
  execFileSync(process.execPath, ['scripts/build.mjs', 'test'], { stdio: 'inherit' });
  const folder = mkdtempSync(join(tmpdir(), 'mdi-'));
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

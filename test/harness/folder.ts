import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What tests leave behind lies in one folder, which goes with the last of them. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'mdi-'));
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

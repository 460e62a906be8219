import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** What tests leave behind lies in one folder, of both projects where both run, which goes with the last of them. */
export default function setup(): () => void {
  if (basename(tmpdir()).startsWith('mdi-')) return () => undefined;
  const folder = mkdtempSync(join(tmpdir(), 'mdi-'));
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

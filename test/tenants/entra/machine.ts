import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** A browser on the PATH in which nobody does anything, and how many windows it was asked for. */
export async function idleBrowser() {
  const folder = mkdtempSync(join(tmpdir(), 'idle-'));
  const log = join(folder, 'windows');
  for (const name of ['xdg-open', 'www-browser']) {
    const program = join(folder, name);
    writeFileSync(program, `#!${process.execPath}\nrequire('node:fs').appendFileSync('${log}', 'w');\n`);
    chmodSync(program, 0o755);
  }
  return {
    env: { PATH: `${folder}${delimiter}${process.env.PATH}` },
    windows: () => (existsSync(log) ? readFileSync(log, 'utf8').length : 0),
  };
}

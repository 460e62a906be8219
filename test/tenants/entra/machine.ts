import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { entry } from './signedIn.ts';

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

const plugin = (persistence: string) =>
  `export const cachePersistencePlugin = ({ cachePluginControl }) => cachePluginControl.setPersistence(${persistence});\n`;

/** The package for the platform's keychain, with a file for a keychain. */
export const keychain = `import { existsSync, readFileSync, writeFileSync } from 'node:fs';
const fileOf = (name) => import.meta.dirname + '/' + name + '.json';
${plugin(`async ({ name }) => ({
  async beforeCacheAccess({ tokenCache }) {
    if (existsSync(fileOf(name))) tokenCache.deserialize(readFileSync(fileOf(name), 'utf8'));
  },
  async afterCacheAccess({ tokenCache, cacheHasChanged }) {
    if (cacheHasChanged) writeFileSync(fileOf(name), tokenCache.serialize());
  },
})`)}`;

/** The same where the keychain does not open, and where it opens and cannot be read. */
export const brokenKeychains = {
  'does not open': plugin("async () => { throw new Error('The keychain is locked.'); }"),
  'cannot be read': plugin(`async () => ({
  async beforeCacheAccess() { throw new Error('The keychain is locked.'); },
  async afterCacheAccess() {},
})`),
};

/** A copy of the server with this text as `@azure/identity-cache-persistence` beside it. */
export function serverBeside(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'beside-'));
  const beside = join(folder, 'node_modules', '@azure', 'identity-cache-persistence');
  cpSync(dirname(entry), join(folder, 'server'), { recursive: true });
  mkdirSync(beside, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(beside, 'package.json'), '{ "type": "module", "exports": "./index.js" }');
  writeFileSync(join(beside, 'index.js'), text);
  return join(folder, 'server', 'entraEntry.js');
}

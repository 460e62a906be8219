import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const script = `#!${process.execPath}
fetch(process.argv[2]).catch(() => {});
`;

/**
 * A browser on the PATH that goes wherever it is sent; the environment in which it is found. Linux opens one by the name
 * `xdg-open`, and the script of that name which a library brings along looks for `www-browser`.
 */
export async function createBrowserOnPath(caFile: string): Promise<Readonly<Record<string, string>>> {
  const folder = await mkdtemp(join(tmpdir(), 'browser-'));
  for (const name of ['xdg-open', 'www-browser']) {
    await writeFile(join(folder, name), script);
    await chmod(join(folder, name), 0o755);
  }
  return { PATH: `${folder}${delimiter}${process.env.PATH}`, NODE_EXTRA_CA_CERTS: caFile };
}

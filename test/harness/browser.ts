import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const script = `#!${process.execPath}
fetch(process.argv[2]).catch(() => {});
`;

/** A browser on the PATH, under the name by which Linux opens one, that goes wherever it is sent; the environment in which it is found. */
export async function browserOnPath(caFile: string): Promise<Readonly<Record<string, string>>> {
  const folder = await mkdtemp(join(tmpdir(), 'browser-'));
  const launcher = join(folder, 'xdg-open');
  await writeFile(launcher, script);
  await chmod(launcher, 0o755);
  return { PATH: `${folder}${delimiter}${process.env.PATH}`, NODE_EXTRA_CA_CERTS: caFile };
}

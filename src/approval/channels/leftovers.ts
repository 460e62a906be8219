import { readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** The beginning of the path of each folder in which a server keeps the way to a page for its browser. */
export const createFolderPrefix = (serverName: string) => join(tmpdir(), `mdi-sensors-mcp-${serverName}-`);

/** Removes the folders of a server that was killed, as far as that is possible. */
export function removePageFolders(serverName: string): void {
  const prefix = createFolderPrefix(serverName);
  try {
    for (const name of readdirSync(dirname(prefix))) {
      if (name.startsWith(basename(prefix))) removeIfPossible(join(dirname(prefix), name));
    }
  } catch {}
}

/** What cannot be removed is left, and keeps nothing else from being removed. */
export function removeIfPossible(path: string): void {
  try {
    rmSync(path, { recursive: true });
  } catch {}
}

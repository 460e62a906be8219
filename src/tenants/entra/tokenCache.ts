import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as Library from '@azure/identity';
import * as z from 'zod';
import { ensurePrivateFolder } from '../../files.ts';

const plugin = z.object({
  cachePersistencePlugin: z.custom<Library.IdentityPlugin>((value) => typeof value === 'function'),
});

/** The package that keeps tokens in the platform's keychain; whoever wants that installs it beside the server. */
export const cachePackage = '@azure/identity-cache-persistence';

const options = { enabled: true, name: 'mdi-sensors-mcp' };

/** Options that keep a person's tokens between runs; undefined where the package is not installed or its keychain cannot be read. */
export async function persistence(library: typeof Library) {
  try {
    const name: string = cachePackage;
    const { cachePersistencePlugin } = plugin.parse(await import(name));
    await read(cachePersistencePlugin);
    library.useIdentityPlugin(cachePersistencePlugin);
    return { tokenCachePersistenceOptions: options };
  } catch {
    return undefined;
  }
}

/** Reads the keychain once: in the library one that fails would end a sign-in that succeeded, or the process. */
async function read(open: Library.IdentityPlugin): Promise<void> {
  const cache = await new Promise<Cache>((resolve) => {
    const setPersistence = (make: (of: typeof options) => Promise<Cache>) => resolve(make(options));
    open({ cachePluginControl: { setPersistence } });
  });
  const access = { cacheHasChanged: false, tokenCache: { deserialize: () => undefined, serialize: () => '' } };
  await cache.beforeCacheAccess(access);
  await cache.afterCacheAccess(access);
}

/** What the package gives to the library. */
interface Cache {
  beforeCacheAccess(access: object): Promise<void>;
  afterCacheAccess(access: object): Promise<void>;
}

/** Whose tokens are kept: the library's record of an account, which holds nothing secret, in a file of this user's. */
export const accountFile = (folder: string) => {
  const path = () => join(ensurePrivateFolder(folder), 'account.json');
  return {
    async read(library: typeof Library) {
      try {
        return { authenticationRecord: library.deserializeAuthenticationRecord(await readFile(path(), 'utf8')) };
      } catch {
        return {};
      }
    },
    async write(library: typeof Library, account: Library.AuthenticationRecord | undefined): Promise<void> {
      if (account === undefined) return;
      await writeFile(path(), library.serializeAuthenticationRecord(account), { mode: 0o600 });
    },
  };
};

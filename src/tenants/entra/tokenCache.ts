import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as Library from '@azure/identity';
import * as z from 'zod';
import { ensurePrivateFolder } from '../../files.ts';

const pluginModuleSchema = z.object({
  cachePersistencePlugin: z.custom<Library.IdentityPlugin>((value) => typeof value === 'function'),
});

/** The package that keeps tokens in the platform's keychain; whoever wants that installs it beside the server. */
export const cachePackage = '@azure/identity-cache-persistence';

const persistenceOptions = { enabled: true, name: 'mdi-sensors-mcp' };

/** Options that keep a person's tokens between runs; undefined where the package is not installed or its keychain cannot be read. */
export async function loadPersistenceOptions(library: typeof Library) {
  try {
    const name: string = cachePackage;
    const { cachePersistencePlugin } = pluginModuleSchema.parse(await import(name));
    await checkKeychain(cachePersistencePlugin);
    library.useIdentityPlugin(cachePersistencePlugin);
    return { tokenCachePersistenceOptions: persistenceOptions };
  } catch {
    return undefined;
  }
}

/** Reads the keychain once: in the library one that fails would end a sign-in that succeeded, or the process. */
async function checkKeychain(plugin: Library.IdentityPlugin): Promise<void> {
  const cache = await new Promise<TokenCachePlugin>((resolve) => {
    const setPersistence = (createCache: (of: typeof persistenceOptions) => Promise<TokenCachePlugin>) =>
      resolve(createCache(persistenceOptions));
    plugin({ cachePluginControl: { setPersistence } });
  });
  const cacheContext = { cacheHasChanged: false, tokenCache: { deserialize: () => undefined, serialize: () => '' } };
  await cache.beforeCacheAccess(cacheContext);
  await cache.afterCacheAccess(cacheContext);
}

/** What the package gives to the library. */
interface TokenCachePlugin {
  beforeCacheAccess(access: object): Promise<void>;
  afterCacheAccess(access: object): Promise<void>;
}

/** Whose tokens are kept: the library's record of an account, which holds nothing secret, in a file of this user's. */
export const openAccountFile = (folder: string) => {
  const getPath = () => join(ensurePrivateFolder(folder), 'account.json');
  return {
    async read(library: typeof Library) {
      try {
        return { authenticationRecord: library.deserializeAuthenticationRecord(await readFile(getPath(), 'utf8')) };
      } catch {
        return {};
      }
    },
    async write(library: typeof Library, account: Library.AuthenticationRecord | undefined): Promise<void> {
      if (account === undefined) return;
      await writeFile(getPath(), library.serializeAuthenticationRecord(account), { mode: 0o600 });
    },
  };
};

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ToolError } from '../errors.ts';
import { ensurePrivateFolder, findStateFolder, isInProject, UntrustedFolder } from '../files.ts';
import type { Secret } from './secret.ts';

/** What may be said of a disclosed secret. */
export interface DisclosedSecret {
  /** The file's name without its folder, which only the person is shown; absent where no file holds it. */
  readonly file?: string;
  readonly fingerprint: string;
  /** The secret itself, only where the operator started the server with `--reveal-secrets`. */
  readonly revealed?: string;
}

/** What waits for a secret: a file is made before the request leaves, so that a full disk cannot follow a rotation. */
export interface SecretKeeper {
  keep(secret: Secret): Promise<DisclosedSecret>;
  /** Leaves nothing behind where no secret came. */
  discard(): Promise<void>;
}

interface SecretFile extends SecretKeeper {
  keep(secret: Secret): Promise<DisclosedSecret & { readonly file: string }>;
}

/** Keeps nothing: the person who approved is shown the secret, which is read again for that. */
export const createShownSecret = (reveal: boolean): SecretKeeper => ({
  keep: async (secret) => ({ fingerprint: secret.fingerprint, ...(reveal && { revealed: secret.open() }) }),
  discard: async () => undefined,
});

/** The folder that the setting names; undefined where it names none and the user has no home folder. */
export const resolveSecretsFolder = (setting: string | undefined) => setting ?? findStateFolder('secrets');

const reservedBytes = 16 * 1024;

/** Creates the file, mode 0600 in a 0700 folder of the user's that is not below the working folder. */
export async function createSecretFile(
  folder: string | undefined,
  tenantId: string,
  reveal: boolean,
): Promise<SecretFile> {
  const realFolder = await ensureSecretsFolder(folder);
  const stamp = new Date().toISOString().replace(/[:.]/g, '-').replace('T', '_');
  const file = `access-key_${tenantId.slice(0, 8)}_${stamp}_${randomBytes(4).toString('hex')}.txt`;
  const [path, waitingPath] = [join(realFolder, file), join(realFolder, `.${file}.waiting`)];
  const handle = await convertFileErrors(() => open(waitingPath, 'wx', 0o600));
  const discard = async () => {
    await handle.close();
    await rm(waitingPath, { force: true });
  };
  await convertFileErrors(async () => {
    await handle.writeFile(Buffer.alloc(reservedBytes));
    await handle.sync();
  }).catch(async (error: unknown) => {
    await discard();
    throw error;
  });
  return {
    async keep(secret) {
      await convertFileErrors(async () => {
        // Over what is there, and cut after it: space that is given back may be gone.
        const key = Buffer.from(secret.open());
        const { bytesWritten } = await handle.write(key, 0, key.length, 0);
        if (bytesWritten < key.length) throw new Error('not all of it could be written');
        await handle.truncate(key.length);
        await handle.sync();
        await handle.close();
        await rename(waitingPath, path);
        await syncFolder(realFolder);
      });
      return { file, fingerprint: secret.fingerprint, ...(reveal && { revealed: secret.open() }) };
    },
    discard,
  };
}

/** Finds out, before anybody is asked, whether a secret could be kept: the folder, and room on its disk. @throws a ToolError. */
export async function checkSecretsFolder(folder: string | undefined): Promise<void> {
  const file = await createSecretFile(folder, 'check', false);
  await file.discard();
}

async function ensureSecretsFolder(folder: string | undefined): Promise<string> {
  if (folder === undefined)
    throw createNotKeptError('The secrets folder would be in the home folder, and there is none.');
  const real = await convertFileErrors(async () => ensurePrivateFolder(folder));
  if (await isInProject(real))
    throw createNotKeptError('The secrets folder is inside the working folder, where agents read files.');
  return real;
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, constants.O_RDONLY);
  await handle.sync().finally(() => handle.close());
}

const createNotKeptError = (why: string) =>
  new ToolError('secret_not_kept', why, 'Name another folder with --secrets-dir, outside the working folder.');

/** A failure of the file system as a sentence; its path is the person's business, not the model's. */
async function convertFileErrors<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof UntrustedFolder) throw createNotKeptError(`The secrets folder ${error.message}.`);
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const message = `The file for the access key could not be written (${code}).`;
    throw new ToolError('secret_not_kept', message, 'Check the disk and the folder named with --secrets-dir.', error);
  }
}

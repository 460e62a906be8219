import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { ToolError } from '../errors.ts';
import { ensureOwnFolder, findStateFolder, isInProject, isTrustedFolder, UntrustedFolder } from '../files.ts';
import { createCancelledError } from '../graph/client/errors.ts';
import type { Identity } from '../graph/client/identity.ts';
import type { Tenant } from '../graph/tenant.ts';
import type { SaveFile } from '../operations/operation.ts';
import { escapeInvisible } from '../text.ts';

interface FileSaverOptions {
  /** Where the operator named one. */
  readonly folder: string | undefined;
  readonly tenant: Pick<Tenant, 'simulated'>;
  readonly readIdentity: () => Promise<Identity>;
  readonly clock: Pick<Clock, 'wall'>;
  readonly signal: AbortSignal;
}

/** Files of exports, mode 0600, each with a new name that tells the tenant. */
export function createFileSaver({ folder, tenant, readIdentity, clock, signal }: FileSaverOptions): SaveFile {
  return async (kind, extension, makeText) => {
    const realFolder = await ensureExportFolder(folder);
    const text = await makeText();
    const { tenantId } = await readIdentity();
    const stamp = new Date(clock.wall()).toISOString().replace(/[:.]/g, '-').replace('T', '_');
    const parts = [kind, ...(tenant.simulated ? ['SIMULATED'] : []), tenantId.slice(0, 8), stamp];
    const file = `${parts.join('_')}_${randomBytes(4).toString('hex')}.${extension}`;
    await convertFileErrors(() => writeWhole(join(realFolder, file), text, signal));
    return { file, folder: escapeInvisible(realFolder, Number.POSITIVE_INFINITY) };
  };
}

/** Under another name until all of it is on the disk. */
async function writeWhole(path: string, text: string, signal: AbortSignal): Promise<void> {
  const unfinished = `${path}.unfinished`;
  const handle = await open(unfinished, 'wx', 0o600);
  try {
    await handle
      .writeFile(text)
      .then(() => handle.sync())
      .finally(() => handle.close());
    if (signal.aborted) throw createCancelledError();
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

/**
 * The folder for exports, by default in the user's state folder: this user's, writable by nobody else, and in the working
 * folder, where agents read files, only where the operator named it. @throws ToolError `file_not_written`
 */
export async function ensureExportFolder(named: string | undefined): Promise<string> {
  const folder = named ?? findStateFolder('exports');
  if (folder === undefined)
    throw createNotWrittenError('The folder for exports would be in the home folder, and there is none.');
  const real = await convertFileErrors(async () => {
    const own = ensureOwnFolder(folder);
    isTrustedFolder(own);
    return own;
  });
  if (named === undefined && (await isInProject(real)))
    throw createNotWrittenError('The folder for exports is inside the working folder, where agents read files.');
  return real;
}

const createNotWrittenError = (why: string, cause?: unknown) =>
  new ToolError('file_not_written', why, 'Let the operator name another folder with --export-dir.', cause);

async function convertFileErrors<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof ToolError) throw error;
    if (error instanceof UntrustedFolder) throw createNotWrittenError(`The folder for exports ${error.message}.`);
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw createNotWrittenError(`The file could not be written (${code}).`, error);
  }
}

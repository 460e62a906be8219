import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder on a disk of its own, so small that a test can fill it. */
export interface Disk {
  readonly folder: string;
  fill(): void;
  end(): void;
}

/** Undefined where this user may not mount one: that takes root on Linux. */
export function mountSmallDisk(): Disk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'mdi-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', folder]);
  if (mounted.status !== 0) return undefined;
  return {
    folder,
    fill() {
      for (let size = 65_536; size >= 1; size = Math.floor(size / 2)) {
        try {
          writeFileSync(join(folder, `filler-${size}`), Buffer.alloc(size));
        } catch {}
      }
    },
    end() {
      spawnSync('umount', ['--lazy', folder]);
      rmdirSync(folder);
    },
  };
}

/** What every open file can do, for a test to change. */
export async function readFileMethods(): Promise<FileHandle> {
  const handle = await open(process.execPath);
  await handle.close();
  return Object.getPrototypeOf(handle);
}

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { ask, readText } from '../approval/attacker.ts';
import { attack } from '../harness/attacks.ts';
import { readingMs } from '../harness/clients.ts';
import { type Disk, mountSmallDisk } from '../harness/disk.ts';
import { connectRaw, type Era } from '../harness/raw.ts';
import { prepareServerProcess } from '../harness/server.ts';

const disks: (Disk | undefined)[] = [];
afterAll(() => {
  for (const disk of disks) disk?.end();
});

/** A server with one of its folders on a small disk; `fill` fills that, or lets every write fail where there is none. */
async function scene(era: Era, setting: 'auditLog' | 'secretsDir') {
  const disk = mountSmallDisk();
  disks.push(disk);
  const folder = disk && join(disk.folder, 'own');
  const server = await prepareServerProcess(folder === undefined ? {} : { flags: { [setting]: folder } });
  const raw = await connectRaw(era, server);
  const regenerate = 'regenerate_deployment_access_key';
  return {
    folder: folder ?? server[setting],
    fill: async () => (disk === undefined ? server.tell({ do: 'diskFull', after: 0, of: setting }) : disk.fill()),
    refused: async () => readText(await raw.call(regenerate, {})),
    async approved(meanwhile: () => Promise<unknown>) {
      const held = await ask(era, raw, regenerate, {});
      await server.pass(readingMs);
      await meanwhile();
      return readText(await held.answer('accept', { typed: 'rotate Contoso' }));
    },
    async end() {
      const reached = await server.gated();
      await raw.close();
      await server.end();
      return reached;
    },
  };
}

for (const era of ['legacy', 'modern'] as const) {
  attack('an audit folder on a full disk', { on: era }, async () => {
    const { fill, refused, end } = await scene(era, 'auditLog');
    await fill();
    expect(await refused()).toBe(
      'audit_unavailable: The audit log cannot be written (ENOSPC). Nothing was changed. Let the operator look at the folder of --audit-log and restart the server. (SIMULATED tenant)',
    );
    return end();
  });

  attack('a secrets folder on a disk that fills up before a person approves', { on: era }, async () => {
    const { folder, fill, approved, end } = await scene(era, 'secretsDir');
    expect(await approved(fill)).toBe(
      'secret_not_kept: The file for the access key could not be written (ENOSPC). Nothing was changed. Check the disk and the folder named with --secrets-dir. (SIMULATED tenant)',
    );
    expect(readdirSync(folder)).toEqual([]);
    return end();
  });
}

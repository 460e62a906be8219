import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { attack } from '../harness/attacks.ts';
import { approve } from '../harness/clients.ts';
import { openOfferedPage, sendHttp, waitForPageAddress } from '../harness/outside.ts';
import { prepareServerProcess } from '../harness/server.ts';
import { deleteDc07, runWithPerson } from './scene.ts';

for (const [when, after] of [
  ['before the question', 1],
  ['before the answer', 2],
  ['before the act', 3],
] as const) {
  attack(`a disk that is full ${when}`, { on: 'any' }, async () =>
    runWithPerson(await prepareServerProcess({ patience: 300 }), approve, async (server, client) => {
      await server.tell({ do: 'diskFull', after });
      expect((await deleteDc07(client)).text).toMatch(/^audit_unavailable: .*\(ENOSPC\)\. Nothing was changed\. /);
      return server.gated();
    }),
  );
}

attack(
  'a disk that is full after the act: its outcome is told, and nothing gated follows',
  { on: 'any', reach: 1 },
  async () =>
    runWithPerson(await prepareServerProcess({ patience: 300 }), approve, async (server, client) => {
      await server.tell({ do: 'diskFull', after: 4 });
      const { text, structured } = await deleteDc07(client);
      expect(text).toContain('Deleted; Graph answers 404');
      expect(structured?.audit).toMatch(/^The audit log cannot be written any more: gated calls are refused/);
      expect((await client.call('regenerate_deployment_access_key')).text).toMatch(/^audit_unavailable: /);
      return server.gated();
    }),
);

attack('a disk that is full when a person approves on the page', { on: 'any', channel: 'page' }, async () =>
  runWithPerson(
    await prepareServerProcess({ flags: { approval: 'page', noBrowser: true }, patience: 300 }),
    approve,
    async (server, client) => {
      expect((await deleteDc07(client)).text).toMatch(/^approval_pending: /);
      await server.tell({ do: 'diskFull', after: 0 });
      const page = await openOfferedPage(await waitForPageAddress(client.stderr), server.pass);
      const { status, headers } = await page.post({ decision: 'approve', typed: 'DC07.contoso.com' });
      expect(status).toBe(303);
      const { body } = await sendHttp(`${page.origin}${headers.location}`);
      expect(body).toContain('The audit log cannot be written (ENOSPC).');
      expect((await deleteDc07(client)).text).toMatch(/^audit_unavailable: /);
      return server.gated();
    },
  ),
);

test('audit verify and audit show read the log, secrets lists and removes the files', async () =>
  runWithPerson(await prepareServerProcess({ patience: 300 }), approve, async (server, client) => {
    const { structured } = await client.call('get_deployment_access_key');
    const run = (...args: string[]) => {
      const { status, stdout } = spawnSync(process.execPath, ['dist/main.js', ...args], {
        encoding: 'utf8',
        timeout: 9_000,
      });
      return { status, stdout };
    };
    const flags = ['--audit-log', server.auditLog];
    expect(run(...flags, 'audit', 'verify')).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^holds audit-.*: record 4, head [0-9a-f]{64}\n$/),
    });
    expect(run(...flags, 'audit', 'verify', '--head', 'f'.repeat(64)).status).toBe(1);
    expect(run(...flags, 'audit', 'show').stdout).toMatch(/get_deployment_[a-z_]*… +Contoso +approved \(form\) +done/);
    const listed = run('--secrets-dir', server.secretsDir, 'secrets').stdout;
    expect(listed).toContain(`${structured?.file}  ${structured?.fingerprint}`);
    expect(run('--secrets-dir', server.secretsDir, 'secrets', '--clear').stdout).toBe('Removed 1 file.\n');
    expect(readdirSync(server.secretsDir)).toEqual([]);
  }));

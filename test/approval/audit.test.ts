import { spawnSync } from 'node:child_process';
import { readdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { attack } from '../harness/attacks.ts';
import { afterAMoment, approve, connect, type Person, type TestClient } from '../harness/clients.ts';
import { type ControlledServer, controlledServer } from '../harness/controlled.ts';
import { handedBy, http, opened } from '../harness/outside.ts';
import { connectRaw } from '../harness/raw.ts';
import { accepted, finder, recordsOf } from './cases.ts';

async function scene<T>(person: Person, use: (server: ControlledServer, client: TestClient) => Promise<T>, flags = {}) {
  const server = await controlledServer({ flags, patience: 300 });
  const client = await connect('v2 legacy', server, person);
  const result = await use(server, client);
  await client.close();
  await server.end();
  return result;
}
const delete7 = async (server: ControlledServer, client: TestClient) =>
  client.call('delete_sensor', { id: (await finder(server))('sensors', 'DC07.contoso.com') });

test('an approved call leaves question, answer, act and outcome, the exact text among them, and no key', () =>
  scene(afterAMoment(approve), async (server, client) => {
    const { structured } = await client.call('regenerate_deployment_access_key');
    const records = recordsOf(server);
    expect(records.map(({ kind }) => kind)).toEqual(['start', 'question', 'answer', 'acting', 'outcome']);
    expect(records[1]).toMatchObject({
      tool: 'regenerate_deployment_access_key',
      tenant: 'Contoso',
      channel: 'form',
      text: expect.stringMatching(/^SIMULATED TENANT "Contoso"/),
    });
    expect(records[2]).toMatchObject({ action: 'approved', afterMs: expect.any(Number) });
    expect(records[3]?.requests).toEqual([
      'GET https://graph.microsoft.com/v1.0/security/identities/sensors/getDeploymentAccessKey',
      'POST https://graph.microsoft.com/v1.0/security/identities/sensors/regenerateDeploymentAccessKey',
    ]);
    expect(records[4]).toMatchObject({ verdict: 'done', requestIds: [expect.any(String), expect.any(String)] });
    expect(structured?.audit).toBe(`record 4, head ${String(records[4]?.hash).slice(0, 16)}`);
    expect(JSON.stringify(records)).not.toContain(String(await server.tell({ do: 'read', what: 'accessKey' })));
  }));

test.each<[string, Person, string]>([
  ['a decline', afterAMoment(() => ({ action: 'decline' })), 'declined'],
  ['a closed form', afterAMoment(() => ({ action: 'cancel' })), 'closed'],
  ['an answer without a person', () => accepted({}), 'unattended'],
])('%s is recorded as what it was', (_, person, action) =>
  scene(person, async (server, client) => {
    await delete7(server, client);
    expect(recordsOf(server).at(-1)).toMatchObject({ kind: 'answer', action });
  }),
);

test.each([
  ['an answer without a question', { inputResponses: { confirm: { action: 'accept', content: {} } } }],
  ['a state that was made up', { requestState: 'e30', inputResponses: {} }],
])('%s is recorded as ignored', async (_, extra) => {
  const server = await controlledServer();
  const raw = await connectRaw('modern', server);
  await raw.call('regenerate_deployment_access_key', {}, extra);
  expect(recordsOf(server)[1]).toMatchObject({ kind: 'ignored', tool: 'regenerate_deployment_access_key' });
  await raw.close();
  await server.end();
});

attack('an audit log that cannot be written before the question', { on: 'any' }, () =>
  scene(afterAMoment(approve), async (server, client) => {
    symlinkSync(tmpdir(), server.auditLog);
    expect((await delete7(server, client)).text).toMatch(/^audit_unavailable: .* Nothing was changed\. /);
    return server.gated();
  }),
);

for (const [when, after] of [
  ['before the question', 1],
  ['before the answer', 2],
  ['before the act', 3],
] as const) {
  attack(`a disk that is full ${when}`, { on: 'any' }, () =>
    scene(afterAMoment(approve), async (server, client) => {
      await server.tell({ do: 'diskFull', after });
      expect((await delete7(server, client)).text).toMatch(/^audit_unavailable: .*\(ENOSPC\)\. Nothing was changed\. /);
      return server.gated();
    }),
  );
}

attack(
  'a disk that is full after the act: its outcome is told, and nothing gated follows',
  { on: 'any', reach: 1 },
  () =>
    scene(afterAMoment(approve), async (server, client) => {
      await server.tell({ do: 'diskFull', after: 4 });
      const { text, structured } = await delete7(server, client);
      expect(text).toContain('deleted; Graph answers 404');
      expect(structured?.audit).toMatch(/^The audit log cannot be written any more: gated calls are refused/);
      expect((await client.call('regenerate_deployment_access_key')).text).toMatch(/^audit_unavailable: /);
      return server.gated();
    }),
);

attack('a disk that is full when a person approves on the page', { on: 'any', channel: 'page' }, () =>
  scene(
    approve,
    async (server, client) => {
      expect((await delete7(server, client)).text).toMatch(/^approval_pending: /);
      await server.tell({ do: 'diskFull', after: 0 });
      const page = await opened(await handedBy(client.stderr));
      const { status, headers } = await page.post({ decision: 'approve', typed: 'DC07.contoso.com' });
      expect(status).toBe(303);
      const { body } = await http(`${page.origin}${headers.location}`);
      expect(body).toContain('The audit log cannot be written (ENOSPC).');
      expect((await delete7(server, client)).text).toMatch(/^audit_unavailable: /);
      return server.gated();
    },
    { approval: 'page', noBrowser: true },
  ),
);

test('audit verify and audit show read the log, secrets lists and removes the files', () =>
  scene(afterAMoment(approve), async (server, client) => {
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
    expect(run(...flags, 'audit', 'show').stdout).toMatch(/get_deployment_access_k… +Contoso +approved \(form\) +done/);
    const listed = run('--secrets-dir', server.secretsDir, 'secrets').stdout;
    expect(listed).toContain(`${structured?.file}  8c157435  ${structured?.fingerprint}`);
    expect(run('--secrets-dir', server.secretsDir, 'secrets', '--clear').stdout).toBe('Removed 1 file.\n');
    expect(readdirSync(server.secretsDir)).toEqual([]);
  }));

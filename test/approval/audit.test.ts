import { symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { attack } from '../harness/attacks.ts';
import { approve, type Person } from '../harness/clients.ts';
import { connectRaw } from '../harness/raw.ts';
import { startServer } from '../harness/server.ts';
import { acceptWith, readRecords } from './cases.ts';
import { deleteDc07, runWithPerson } from './scene.ts';

test('an approved call leaves question, answer, act and outcome, the exact text among them, and no key', async () =>
  runWithPerson(await startServer(), approve, async (server, client) => {
    const { structured } = await client.call('regenerate_deployment_access_key');
    const records = readRecords(server);
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
  ['a decline', () => ({ action: 'decline' }), 'declined'],
  ['a closed form', () => ({ action: 'cancel' }), 'closed'],
  ['an answer without a person', () => acceptWith({}), 'unattended'],
])('%s is recorded as what it was', async (_, person, action) =>
  runWithPerson(await startServer(), person, async (server, client) => {
    await deleteDc07(client);
    expect(readRecords(server).at(-1)).toMatchObject({ kind: 'answer', action });
  }),
);

test.each([
  [
    'an answer without a question',
    { inputResponses: { confirm: { action: 'accept', content: {} } } },
    'an answer without a question',
  ],
  ['a state that was made up', { requestState: 'e30', inputResponses: {} }, expect.any(String)],
])('%s is recorded as ignored', async (_, extra, reason) => {
  const server = await startServer();
  const raw = await connectRaw('modern', server);
  await raw.call('regenerate_deployment_access_key', {}, extra);
  expect(readRecords(server)[1]).toMatchObject({ kind: 'ignored', reason, tool: 'regenerate_deployment_access_key' });
  await raw.close();
  await server.end();
});

attack('an audit log that cannot be written before the question', { on: 'any' }, async () =>
  runWithPerson(await startServer(), approve, async (server, client) => {
    symlinkSync(tmpdir(), server.auditLog);
    expect((await deleteDc07(client)).text).toMatch(/^audit_unavailable: .* Nothing was changed\. /);
    return server.gated();
  }),
);

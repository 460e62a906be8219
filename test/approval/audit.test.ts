import { symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { attack } from '../harness/attacks.ts';
import { afterAMoment, approve, type Person } from '../harness/clients.ts';
import { connectRaw } from '../harness/raw.ts';
import { serverHere } from '../harness/server.ts';
import { accepted, recordsOf } from './cases.ts';
import { deleteDc07, withPerson } from './scene.ts';

test('an approved call leaves question, answer, act and outcome, the exact text among them, and no key', async () =>
  withPerson(await serverHere(), afterAMoment(approve), async (server, client) => {
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
])('%s is recorded as what it was', async (_, person, action) =>
  withPerson(await serverHere(), person, async (server, client) => {
    await deleteDc07(client);
    expect(recordsOf(server).at(-1)).toMatchObject({ kind: 'answer', action });
  }),
);

test.each([
  ['an answer without a question', { inputResponses: { confirm: { action: 'accept', content: {} } } }],
  ['a state that was made up', { requestState: 'e30', inputResponses: {} }],
])('%s is recorded as ignored', async (_, extra) => {
  const server = await serverHere();
  const raw = await connectRaw('modern', server);
  await raw.call('regenerate_deployment_access_key', {}, extra);
  expect(recordsOf(server)[1]).toMatchObject({ kind: 'ignored', tool: 'regenerate_deployment_access_key' });
  await raw.close();
  await server.end();
});

attack('an audit log that cannot be written before the question', { on: 'any' }, async () =>
  withPerson(await serverHere(), afterAMoment(approve), async (server, client) => {
    symlinkSync(tmpdir(), server.auditLog);
    expect((await deleteDc07(client)).text).toMatch(/^audit_unavailable: .* Nothing was changed\. /);
    return server.gated();
  }),
);

import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EntraUser } from '../entra/entra.ts';
import { approveAs, readApprovalAddress } from '../harness/approvals.ts';
import { keysBegin } from '../harness/canary.ts';
import type { ClientKind } from '../harness/clients.ts';
import { startTeam, type Team } from '../harness/team.ts';

/** Asks for an act as an operator, and lets somebody answer it; what the client is told before and after. */
async function ask(team: Team, kind: ClientKind, tool: string, args: Record<string, unknown> = {}) {
  const client = await team.connect(kind, await team.signIn(team.people.operator));
  const asked = await client.call(tool, args);
  const address = readApprovalAddress(asked.text);
  return {
    asked,
    address,
    approveAs: (person: EntraUser, text?: string) => approveAs(team, person, address, text),
    again: () => client.call(tool, args),
    close: () => client.close(),
  };
}

const sensorOf = (team: Team, name: string) => team.tenant.sensors.find(({ displayName }) => displayName === name)?.id;

describe('the person who asked approves', () => {
  let team: Team;
  beforeAll(async () => {
    team = await startTeam({ flags: { singleProcess: true } });
  });
  afterAll(() => team.close());

  test.each([
    ['v1', 'DC07'],
    ['v2 legacy', 'DC08'],
    ['v2 modern', 'DC09'],
  ] as const)('a %s client deletes a sensor after a sign-in, once, and is told so', async (kind, name) => {
    const before = team.gated();
    const call = await ask(team, kind, 'delete_sensor', { id: sensorOf(team, name) });
    expect(call.asked.isError).toBeUndefined();
    expect(call.asked.text).toContain('approval_pending');
    expect(call.address).not.toBe('');
    expect(team.gated() - before).toBe(0);

    const { page, answered } = await call.approveAs(team.people.operator, `${name}.contoso.com`);
    expect(page.body).toContain(`Delete sensor ${name}.contoso.com?`);
    expect(page.body).toContain('olga@contoso.com');
    expect(answered.body).toContain('Approved.');
    const done = await call.again();
    expect(done.isError, done.text).toBeUndefined();
    expect(done.text).toContain(`${name}.contoso.com`);
    expect((await call.again()).text).toContain('already_done');
    expect(team.gated() - before).toBe(1);
    expect(
      team.sent.findLast(({ path }) => path.endsWith(String(sensorOf(team, name))))?.actor ??
        team.people.operator.objectId,
    ).toBe(team.people.operator.objectId);
    await call.close();
  });

  test('the log names who called and who approved', async () => {
    const records = await team.audit();
    const question = records.find(({ kind }) => kind === 'question');
    expect(question).toMatchObject({
      caller: expect.stringMatching(/^person [0-9a-f-]{36} "olga\\u\{40\}contoso\.com" through [0-9a-f-]{36}$/),
      channel: 'signin',
    });
    expect(records.find(({ kind, id }) => kind === 'answer' && id === question?.id)).toMatchObject({
      action: 'approved',
      approver: { oid: team.people.operator.objectId, name: 'olga@contoso.com' },
    });
  });

  test('somebody else, and an approver too, sees nothing of it and changes nothing', async () => {
    const before = team.gated();
    const call = await ask(team, 'v1', 'delete_sensor', { id: sensorOf(team, 'DC10') });
    for (const person of [team.people.reader, team.people.approver]) {
      const { page } = await call.approveAs(person, 'DC10.contoso.com');
      expect(page.status).toBe(403);
      expect(page.body).toContain('Only the person who asked may answer this');
      expect(page.body).not.toContain('DC10');
    }
    expect((await call.again()).text).toContain('approval_pending');
    expect(team.gated() - before).toBe(0);
    await call.close();
  });

  test('whoever has the address sees nothing before a sign-in', async () => {
    const call = await ask(team, 'v1', 'delete_sensor', { id: sensorOf(team, 'DC10') });
    const answer = await team.fetch(call.address);
    expect(await answer.text()).not.toMatch(/DC10|Contoso|Delete/);
    expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    await call.close();
  });

  test('a key is shown to who approved, read as that person, and reaches neither client, log nor disk', async () => {
    const call = await ask(team, 'v2 modern', 'get_deployment_access_key');
    const { browser, answered } = await call.approveAs(team.people.operator);
    expect(answered.body).not.toContain(keysBegin);
    const told = await call.again();
    expect(told.structured).toMatchObject({ fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/) });
    expect(told.text).not.toContain(keysBegin);
    const ready = await browser.post(answered, { decision: 'look' });
    const before = team.sent.length;
    const shown = await browser.post(ready, { decision: 'show' });
    expect(shown.body).toContain(keysBegin);
    expect(shown.headers['cache-control']).toBe('no-store');
    expect(team.sent.slice(before).map(({ actor }) => actor)).toEqual([team.people.operator.objectId]);
    expect(JSON.stringify(await team.audit()) + team.stderr()).not.toContain(keysBegin);
    expect(existsSync(team.secretsDir)).toBe(false);
    await call.close();
  });
});

describe('with --approvers other', () => {
  let team: Team;
  beforeAll(async () => {
    team = await startTeam({ flags: { singleProcess: true, approvers: 'other' } });
  });
  afterAll(() => team.close());

  test('a second person with the role approves, and the act is that of who asked', async () => {
    const name = 'DC07';
    const before = team.gated();
    const call = await ask(team, 'v1', 'delete_sensor', { id: sensorOf(team, name) });
    const own = await call.approveAs(team.people.operator, `${name}.contoso.com`);
    expect(own.page.body).toContain('this server wants a second person');
    expect((await call.again()).text).toContain('approval_pending');
    expect(team.gated() - before).toBe(0);
    const other = await call.approveAs(team.people.approver, `${name}.contoso.com`);
    expect(other.answered.body).toContain('Approved.');
    const sentBefore = team.sent.length;
    expect((await call.again()).isError).toBeUndefined();
    expect(team.gated() - before).toBe(1);
    expect(new Set(team.sent.slice(sentBefore).map(({ actor }) => actor))).toEqual(
      new Set([team.people.operator.objectId]),
    );
    await call.close();
  });

  test('a key that a second person approved is read as that person', async () => {
    const call = await ask(team, 'v1', 'get_deployment_access_key');
    const { browser, answered } = await call.approveAs(team.people.approver);
    await call.again();
    const ready = await browser.post(answered, { decision: 'look' });
    const before = team.sent.length;
    const shown = await browser.post(ready, { decision: 'show' });
    expect(shown.body).toContain(keysBegin);
    expect(team.sent.slice(before).map(({ actor }) => actor)).toEqual([team.people.approver.objectId]);
    await call.close();
  });
});

test('a call that waits while the person approves is told in its own answer', async () => {
  const team = await startTeam({ flags: { singleProcess: true }, patience: 1_500 });
  const call = await ask(team, 'v1', 'delete_sensor', { id: sensorOf(team, 'DC07') });
  expect(call.asked.text).toMatch(/^approval_pending: /);
  const again = call.again();
  await call.approveAs(team.people.operator);
  const { isError, text } = await again;
  expect([isError, text]).toEqual([undefined, expect.stringContaining('Deleted; Graph answers 404')]);
  expect(team.gated()).toBe(1);
  await call.close();
  await team.close();
});

test('without --single-process nobody is asked, and no page is there', async () => {
  const team = await startTeam();
  const call = await ask(team, 'v1', 'delete_sensor', { id: sensorOf(team, 'DC07') });
  expect(call.asked.text).toMatch(/^approval_unavailable: .*--single-process/);
  expect(call.address).toBe('');
  expect(team.gated()).toBe(0);
  await call.close();
  await team.close();
});

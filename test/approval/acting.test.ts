import { createHash } from 'node:crypto';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Transport } from '@modelcontextprotocol/server';
import { describe, expect, test, vi } from 'vitest';
import { attack } from '../harness/attacks.ts';
import { approve, connect } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { type Started, startServer } from '../harness/server.ts';
import { readText, rightName, startAttacker, victim } from './attacker.ts';
import { readRecords } from './cases.ts';

const minute = 60_000;
const orphans = ['DC12.contoso.com', 'SIN-DC03.apac.contoso.com'].map((name) => find('sensors', name));

test('two approved deletions take their turns: the second is planned again when the first has been looked at', async () => {
  const attacker = await startAttacker('modern');
  const ids = [find('sensors', 'DC07.contoso.com'), find('sensors', 'FAB-DC05.fabrikam.net')];
  const first = await attacker.ask('delete_sensor', { id: ids[0] });
  const second = await attacker.ask('delete_sensor', { id: ids[1] });
  await attacker.tell({ do: 'fault', method: 'DELETE', path: 'sensors', times: 2, milliseconds: 50 });
  const before = (await attacker.server.requests()).length;
  await Promise.all([first.answer('accept', rightName), second.answer('accept', { typed: 'FAB-DC05.fabrikam.net' })]);
  const told = (await attacker.server.requests()).slice(before).flatMap(({ method, path }) => {
    const at = ids.findIndex((id) => path.endsWith(id));
    return at < 0 ? [] : [`${method} ${at + 1}`];
  });
  const turns = [
    ['GET 1', 'DELETE 1', 'GET 1'],
    ['GET 2', 'DELETE 2', 'GET 2'],
  ];
  // The server may be ready for either of them first.
  expect([turns.flat(), turns.toReversed().flat()]).toContainEqual(told);
  await attacker.end();
});

test('a request that Graph holds off longer than the approval lasts is not sent again', async () => {
  const attacker = await startAttacker('modern');
  const question = await attacker.ask('delete_sensor', victim);
  await attacker.tell({
    do: 'fault',
    method: 'DELETE',
    path: 'sensors',
    status: 503,
    headers: { 'Retry-After': '3' },
  });
  await attacker.tell({
    do: 'before',
    method: 'GET',
    path: 'sensors',
    run: [{ do: 'clock', ahead: { monotonic: 5 * minute - 2_000 } }],
  });
  await attacker.moment();
  expect(readText(await question.answer('accept', rightName))).toMatch(
    /^throttled: Microsoft Graph asked to wait 3 seconds, which is longer than this call may take .* Nothing was changed\./,
  );
  expect(await attacker.end()).toBe(1);
});

test('a page that nobody answers is recorded as expired', async () => {
  const attacker = await startAttacker('modern', { flags: { approval: 'page', noBrowser: true }, patience: 0 });
  await attacker.raw.call('delete_sensor', victim);
  await attacker.tell({ do: 'clock', ahead: { wall: 11 * minute, monotonic: 11 * minute } });
  await attacker.raw.call('delete_sensor', victim);
  expect(readRecords(attacker.server).map(({ kind, action }) => action ?? kind)).toEqual([
    'start',
    'question',
    'expired',
    'question',
  ]);
  await attacker.end();
});

test('the text that a person was shown is in the log with its own hash, and the form shows it', async () => {
  const attacker = await startAttacker('modern');
  const { message } = await attacker.ask('delete_sensor', victim);
  const [, question] = readRecords(attacker.server);
  expect(message).toBe(question?.text);
  expect(question?.textHash).toBe(createHash('sha256').update(String(question?.text)).digest('hex'));
  await attacker.end();
});

test('an answer to another call and a replay are recorded as ignored', async () => {
  const attacker = await startAttacker('modern');
  const question = await attacker.ask('delete_sensor', victim);
  await question.answer('accept', rightName, { tool: 'get_deployment_access_key', args: {} });
  await question.answer('accept', rightName);
  await question.answer('accept', rightName);
  expect(readRecords(attacker.server).filter(({ kind }) => kind === 'ignored')).toMatchObject([
    { reason: "an answer to another call's question", tool: 'get_deployment_access_key' },
    { reason: 'an answer to a question that is closed', tool: 'delete_sensor' },
  ]);
  expect(await attacker.end()).toBe(1);
});

test('an act that Graph refused is recorded with the id of its request', async () => {
  const attacker = await startAttacker('modern');
  const question = await attacker.ask('delete_sensor', victim);
  await attacker.tell({ do: 'fault', method: 'DELETE', path: 'sensors', status: 403 });
  expect(readText(await question.answer('accept', rightName))).toMatch(
    /^permission_missing: .* Nothing was changed\. /,
  );
  expect(readRecords(attacker.server).at(-1)).toMatchObject({
    kind: 'outcome',
    verdict: 'permission_missing',
    requestIds: [expect.stringMatching(/^[0-9a-f-]{36}$/)],
  });
  await attacker.end();
});

attack('a deletion of a batch after Graph refused the one before it', { on: 'modern', reach: 1 }, async () => {
  const attacker = await startAttacker('modern');
  const question = await attacker.ask('delete_stale_sensors', { ids: orphans });
  await attacker.tell({ do: 'fault', method: 'DELETE', path: 'sensors', status: 403 });
  expect(readText(await question.answer('accept', { typed: question.typed }))).toMatch(
    /^permission_missing: .* Nothing was changed\. /,
  );
  return attacker.end();
});

attack('a deletion of a batch after one of which nobody knows', { on: 'modern', reach: 1 }, async () => {
  const attacker = await startAttacker('modern');
  const question = await attacker.ask('delete_stale_sensors', { ids: orphans });
  await attacker.tell({
    do: 'before',
    method: 'DELETE',
    path: 'sensors',
    run: [{ do: 'fault', method: 'GET', path: 'sensors', times: 100, status: 400 }],
  });
  await attacker.tell({ do: 'fault', method: 'DELETE', path: 'sensors' });
  expect(readText(await question.answer('accept', { typed: question.typed }))).toMatch(/^outcome_unknown: /);
  return attacker.end();
});

for (const tool of ['get_deployment_access_key', 'regenerate_deployment_access_key'] as const) {
  test(`no file stays behind when Graph gives no key (${tool})`, async () => {
    const attacker = await startAttacker('modern');
    const question = await attacker.ask(tool, {});
    await attacker.tell({ do: 'fault', method: 'GET', path: 'getDeploymentAccessKey', status: 403 });
    expect(readText(await question.answer('accept', { typed: question.typed }))).toMatch(/^permission_missing: /);
    expect(readdirSync(attacker.server.secretsDir)).toEqual([]);
    await attacker.end();
  });
}

test('an approval outlasts a secrets folder that was not there: the same call uses it, and nobody is asked again', async () => {
  const attacker = await startAttacker('modern');
  const { secretsDir } = attacker.server;
  const question = await attacker.ask('get_deployment_access_key', {});
  rmSync(secretsDir, { recursive: true });
  writeFileSync(secretsDir, '');
  const answered = await question.answer('accept', { typed: question.typed });
  expect(readText(answered)).toMatch(/^secret_not_kept: .* Nothing was changed\. /);
  expect(await attacker.server.gated()).toBe(0);
  rmSync(secretsDir);
  const { result } = await attacker.raw.call('get_deployment_access_key', {});
  expect(result?.structuredContent).toMatchObject({ fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/) });
  expect(await attacker.end()).toBe(1);
});

attack('an approval that could not be planned again, used by the next call', { on: 'modern', reach: 1 }, async () => {
  const attacker = await startAttacker('modern');
  const { raw } = attacker;
  const question = await attacker.ask('delete_sensor', victim);
  await attacker.tell({ do: 'fault', method: 'GET', path: 'sensors', status: 403 });
  expect(readText(await question.answer('accept', rightName))).toMatch(
    /^permission_missing: .* Nothing was changed\. /,
  );
  expect(readText(await question.answer('accept', rightName))).toMatch(/^approval_invalid: /);
  expect(readText(await raw.call('delete_sensor', victim))).toMatch(/^a new question: /);
  // One that failed holds up none that comes after it.
  const other = await attacker.ask('delete_sensor', { id: orphans[0] });
  expect(readText(await other.answer('accept', { typed: other.typed }))).toContain('404 for it now');
  return attacker.end();
});

test('whoever waits for the acts waits until what came of them is recorded', async () => {
  const server = await startServer();
  let started: Started | undefined;
  const open = (transport: Transport) => {
    started = server.open(transport);
    return started;
  };
  const client = await connect('v2 legacy', { ...server, open }, approve);
  await started?.waitForActs();
  await server.tell({ do: 'fault', method: 'DELETE', path: 'sensors', milliseconds: 100 });
  const told = client.call('delete_sensor', victim);
  await vi.waitFor(async () => expect(await server.gated()).toBe(1), 10_000);
  await started?.waitForActs();
  expect(readRecords(server).at(-1)).toMatchObject({ kind: 'outcome', verdict: 'done' });
  expect((await told).text).toContain('404 for it now');
  await client.close();
  await server.end();
});

describe.concurrent('an act that Graph asks to wait', () => {
  const one = { tool: 'delete_sensor', args: victim, method: 'DELETE', path: 'sensors' } as const;
  const two = { ...one, tool: 'delete_stale_sensors', args: { ids: orphans } } as const;
  const key = { tool: 'regenerate_deployment_access_key', args: {}, method: 'GET', path: 'getDeployment' } as const;

  test.each([
    ['a deletion', 'a minute', one, 59, 1, 2],
    ['a deletion', 'more than a minute', one, 61, 0, 1],
    ['a batch of one', 'more than a minute', { ...two, args: { ids: orphans.slice(0, 1) } }, 61, 0, 1],
    ['a rotation of the key', 'more than a minute', key, 61, 0, 1],
    ['two deletions', 'a minute and 3 s for each', two, 65, 2, 3],
    ['two deletions', 'more than that', two, 67, 0, 1],
  ] as const)('%s, for %s', async (_, _time, { tool, args, method, path }, seconds, effects, reached) => {
    const attacker = await startAttacker('modern');
    const question = await attacker.ask(tool, args);
    await attacker.tell({ do: 'fault', method, path, status: 429, headers: { 'Retry-After': String(seconds) } });
    expect(readText(await question.answer('accept', { typed: question.typed }))).toMatch(
      effects === 0 ? /^throttled: .* Nothing was changed\. / : /404 for it now/,
    );
    expect((await attacker.server.gatedRequests()).filter(({ effect }) => effect)).toHaveLength(effects);
    expect(await attacker.end()).toBe(reached);
  });
});

import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { readFileMethods } from '../harness/disk.ts';
import { find } from '../harness/fleet.ts';
import type { Command } from '../harness/server.ts';
import { type Attacker, readText, startAttacker, victim } from './attacker.ts';
import { readRecords } from './cases.ts';

const orphanNames = ['DC12.contoso.com', 'SIN-DC03.apac.contoso.com'] as const;
const orphans = orphanNames.map((name) => find('sensors', name));
const requestId = expect.stringMatching(/^[0-9a-f-]{36}$/);
const waitFirst = { do: 'fault', status: 429, headers: { 'Retry-After': '20' } } as const;

/** What one approved call tells and records, with what happens once it is approved. */
async function act(tool: string, args: object, meanwhile: readonly Command[], look?: (attacker: Attacker) => unknown) {
  const attacker = await startAttacker('modern');
  const question = await attacker.ask(tool, args);
  for (const command of meanwhile) await attacker.tell(command);
  const text = readText(await question.answer('accept', { typed: question.typed }));
  expect(text).toMatch(/SIMULATED (tenant\)|Contoso \()/);
  await look?.(attacker);
  const record = readRecords(attacker.server).at(-1);
  const left = (await attacker.server.gatedRequests()).length;
  await attacker.end();
  return { text, record, left };
}

/** The next request of this method finds the tenant changed. */
const onDeparture = (method: string, ...run: Command[]): Command => ({ do: 'before', method, path: '', run });

describe('what is told and recorded of an act', () => {
  afterEach(() => void vi.restoreAllMocks());

  test('a request whose answer is lost is recorded without an id, and the one after it not at all', async () => {
    const blind = { do: 'fault', method: 'GET', path: 'sensors', times: 100, status: 400 } as const;
    const lost = { do: 'fault', method: 'DELETE', path: 'sensors' } as const;
    const { text, record } = await act('delete_stale_sensors', { ids: orphans }, [onDeparture('DELETE', blind), lost]);
    expect(text).toMatch(/^outcome_unknown: /);
    expect(record).toMatchObject({ kind: 'outcome', verdict: 'outcome_unknown', requestIds: [null] });
  });

  test('a request that had to wait, and that a change then kept back, is recorded with the id of its refusal', async () => {
    const rename = orphans.map((id): Command => ({ do: 'change', of: 'sensors', id, set: { displayName: 'DC99' } }));
    const { text, record, left } = await act('delete_stale_sensors', { ids: orphans }, [
      onDeparture('DELETE', ...rename),
      { ...waitFirst, method: 'DELETE', path: 'sensors' },
    ]);
    expect(left).toBe(1);
    expect(text).toMatch(
      /^target_changed: It is no longer what it was: [^:]+: name was .*[^.]\. It is no longer what it was: [^:]+: name was .*[^.]\. Nothing was changed\. /,
    );
    for (const name of orphanNames) expect(text).toContain(`It is no longer what it was: ${name}: name was `);
    expect(record).toMatchObject({ verdict: 'target_changed', requestIds: [requestId] });
  });

  test('what Graph refused is told before what changed meanwhile', async () => {
    const [first = '', second = ''] = [...orphans].sort();
    const { text, record, left } = await act('delete_stale_sensors', { ids: orphans }, [
      onDeparture('DELETE', { do: 'change', of: 'sensors', id: first, set: { displayName: 'DC99' } }),
      { ...waitFirst, method: 'DELETE', path: first },
      { do: 'fault', method: 'DELETE', path: second, status: 403 },
    ]);
    expect(left).toBe(2);
    expect(text).toMatch(/^permission_missing: .* Nothing was changed\. /);
    expect(record).toMatchObject({ verdict: 'permission_missing', requestIds: [requestId, requestId] });
  });

  test('a deletion of a batch that Graph refused does not count as gone, the one before it does', async () => {
    const ids = ['SYD-DC01', 'SYD-DC02'].map((name) => find('sensors', `${name}.apac.contoso.com`)).sort();
    const [first = '', second = ''] = ids;
    const other = find('sensors', 'TYO-DC04.apac.contoso.com');
    const setStatus = (id: string, deploymentStatus: string, serviceStatus: string): Command => ({
      do: 'change',
      of: 'sensors',
      id,
      set: { deploymentStatus, serviceStatus },
    });
    const attacker = await startAttacker('modern');
    for (const id of ids) await attacker.tell(setStatus(id, 'unreachable', 'unknown'));
    const question = await attacker.ask('delete_stale_sensors', { ids });
    await attacker.tell({ do: 'fault', method: 'DELETE', path: second, status: 403 });
    expect(readText(await question.answer('accept', { typed: question.typed }))).toMatch(/^partly_done: /);
    for (const id of [second, other]) await attacker.tell(setStatus(id, 'upToDate', 'running'));
    expect((await attacker.ask('delete_sensor', { id: other })).message).not.toContain('is the last communicating');
    expect(await attacker.tell({ do: 'read', what: 'sensors' })).not.toContainEqual(
      expect.objectContaining({ id: first }),
    );
    await attacker.end();
  });

  test('a sensor that is gone when its deletion arrives was gone already', async () => {
    const { text, record } = await act('delete_sensor', victim, [
      onDeparture('DELETE', { do: 'remove', of: 'sensors', ...victim }),
    ]);
    expect(text).toContain('"outcome":"Was already gone"');
    expect(record).toMatchObject({ verdict: 'done', text: 'Was already gone', requestIds: [requestId] });
  });

  test('a setting that somebody else made while its request waited is so already, and nothing is sent', async () => {
    const { text, record, left } = await act('update_auto_auditing_configuration', { isAutomatic: false }, [
      onDeparture('PATCH', { do: 'set', set: { isAutomatic: false } }),
      { ...waitFirst, method: 'PATCH', path: 'autoAuditingConfiguration' },
    ]);
    expect(left).toBe(1);
    expect(text).toContain('"outcome":"So already; nothing was sent"');
    expect(record).toMatchObject({ verdict: 'done' });
  });

  test('a success of which nothing is seen is unknown', async () => {
    const { text, record } = await act('update_auto_auditing_configuration', { isAutomatic: false }, [
      { do: 'fault', method: 'PATCH', path: 'autoAuditingConfiguration', status: 200 },
    ]);
    expect(text).toMatch(
      /^outcome_unknown: Graph confirmed the request, but does not show what came of it\. Read the current state /,
    );
    expect(record).toMatchObject({ verdict: 'outcome_unknown' });
  });

  test('a key that was read and cannot be kept is told as that, and says what to do', async () => {
    vi.spyOn(await readFileMethods(), 'write').mockRejectedValue(Object.assign(new Error('full'), { code: 'ENOSPC' }));
    const { text, record } = await act('get_deployment_access_key', {}, [], ({ server }) =>
      expect(readdirSync(server.secretsDir)).toEqual([]),
    );
    expect(text).toMatch(
      /^secret_not_kept: Graph confirmed the request, but what came of it could not be read: The file for the access key could not be written \(ENOSPC\)\. Check the disk /,
    );
    expect(record).toMatchObject({ verdict: 'secret_not_kept', requestIds: [requestId] });
  });

  test('a rotation after which the key cannot be read says which read decides', async () => {
    const lost = { do: 'fault', method: 'POST', path: 'regenerate' } as const;
    const blind = { do: 'fault', method: 'GET', path: 'getDeploymentAccessKey', times: 100, status: 403 } as const;
    const { text, record } = await act('regenerate_deployment_access_key', {}, [onDeparture('POST', blind), lost]);
    expect(text).toMatch(
      /^outcome_unknown: .* Call get_deployment_access_key and compare its fingerprint with [0-9a-f]{8}: /,
    );
    expect(text).not.toContain('Nothing was changed');
    expect(record).toMatchObject({ verdict: 'outcome_unknown', requestIds: [requestId, null] });
  });

  test('a rotation of which the key shows that it never was is not done, and not unknown', async () => {
    const lost = { do: 'fault', method: 'POST', path: 'regenerate' } as const;
    const { text, record } = await act('regenerate_deployment_access_key', {}, [lost]);
    expect(text).toMatch(/^not_done: .*the connection failed \(ECONNRESET\)/);
    expect(text).toContain('Not rotated: Graph still gives the old key, and nothing was changed');
    expect(text).not.toMatch(/unknown whether/);
    expect(record).toMatchObject({ verdict: 'not_done', requestIds: [requestId, null] });
  });

  test('a rotation that Graph confirms and that left the key as it is is not done', async () => {
    const empty = { do: 'fault', method: 'POST', path: 'regenerate', status: 200 } as const;
    const { text, record } = await act('regenerate_deployment_access_key', {}, [empty]);
    expect(text).toMatch(/^not_done: Graph confirmed the request, but nothing of it took effect\. /);
    expect(text).toContain('"rotated":false');
    expect(record).toMatchObject({ verdict: 'not_done' });
  });

  test('a deletion of which nobody knows says what to read next', async () => {
    const blind = { do: 'fault', method: 'GET', path: 'sensors', times: 100, status: 400 } as const;
    const lost = { do: 'fault', method: 'DELETE', path: 'sensors' } as const;
    const { text } = await act('delete_sensor', victim, [onDeparture('DELETE', blind), lost]);
    expect(text).toMatch(
      /^outcome_unknown: .* It is unknown whether the request took effect\. Read the current state before doing anything else; do not repeat the call blindly\. /,
    );
  });

  test('a refusal names its record, as a success does', async () => {
    const attacker = await startAttacker('modern');
    const question = await attacker.ask('delete_sensor', victim);
    await attacker.tell({ do: 'fault', method: 'DELETE', path: 'sensors', status: 403 });
    const { result } = await question.answer('accept', { typed: question.typed });
    const { n, hash } = readRecords(attacker.server).at(-1) ?? {};
    expect(result?.content?.[1]?.text).toBe(`record ${n}, head ${String(hash).slice(0, 16)}`);
    await attacker.end();
  });
});

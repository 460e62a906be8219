import { expect, test } from 'vitest';
import { prepareServerProcess } from '../harness/server.ts';
import { rightName, startAttacker, victim } from './attacker.ts';

test('what is acted on is on the disk before the request leaves', async () => {
  const attacker = await startAttacker('modern', {}, prepareServerProcess);
  await attacker.tell({ do: 'deeds' });
  await (await attacker.ask('delete_sensor', victim)).answer('accept', rightName);
  expect(await attacker.tell({ do: 'deeds' })).toEqual([
    'start',
    'on the disk',
    'on the disk',
    'question',
    'answer',
    'acting',
    'on the disk',
    'DELETE',
    'outcome',
    'on the disk',
  ]);
  await attacker.end();
});

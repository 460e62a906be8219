import { describe, expect } from 'vitest';
import { find } from '../harness/fleet.ts';
import { attackServer, eras, readText, victim } from './attacker.ts';
import { listIgnored } from './cases.ts';

/** Every read takes this long, so that calls overlap as they do before a real Graph; in milliseconds. */
const slowly = { do: 'fault', method: 'GET', path: '', times: 1_000, milliseconds: 40 } as const;

describe.concurrent('with a Graph that takes its time', () => {
  attackServer(
    'two answers at once for one approval to rotate the key',
    ['modern'],
    async (attacker) => {
      const held = await attacker.ask('regenerate_deployment_access_key', {});
      await attacker.tell(slowly);
      const both = await Promise.all([1, 2].map(() => held.answer('accept', { typed: held.typed })));
      expect(both.map(readText).filter((text) => !text.includes('"rotated":true'))).toEqual([]);
      expect(listIgnored(attacker.server)).toEqual(['an answer to a question that is closed']);
    },
    2,
  );

  attackServer(
    'four answers at once for one approval to delete',
    ['modern'],
    async (attacker) => {
      const held = await attacker.ask('delete_sensor', victim);
      await attacker.tell(slowly);
      const all = await Promise.all([1, 2, 3, 4].map(() => held.answer('accept', { typed: held.typed })));
      expect(all.map(readText).filter((text) => !text.includes('Deleted; Graph answers 404'))).toEqual([]);
      expect(listIgnored(attacker.server)).toHaveLength(3);
    },
    1,
  );

  attackServer('a decline while an equal call is being planned', eras, async (attacker) => {
    const held = await attacker.ask('delete_sensor', victim);
    await attacker.tell(slowly);
    expect(readText(await held.answer('decline'))).toMatch(/^declined: /);
    expect(readText(await attacker.raw.call('delete_sensor', victim))).toMatch(/^approval_busy: A person declined/);
  });

  attackServer('two deletions of one domain that are planned at the same time', ['modern'], async (attacker) => {
    const [first, second] = ['SYD-DC01.apac.contoso.com', 'SYD-DC02.apac.contoso.com'].map((name) => ({
      id: find('sensors', name),
    }));
    const speaking = { deploymentStatus: 'upToDate', serviceStatus: 'running' };
    await attacker.tell({ do: 'change', of: 'sensors', id: second?.id ?? '', set: speaking });
    await attacker.tell(slowly);
    const questions = await Promise.all([attacker.ask('delete_sensor', first), attacker.ask('delete_sensor', second)]);
    const warned = questions.filter(({ message }) => message.includes('is the last communicating'));
    expect(warned).toHaveLength(1);
  });
});

import { describe, expect } from 'vitest';
import { find } from '../harness/fleet.ts';
import type { Era } from '../harness/raw.ts';
import { type AttackedQuestion, type Attacker, attackServer, eras, readText, rightName, victim } from './attacker.ts';
import { listIgnored } from './cases.ts';

const minute = 60_000;
const modern: readonly Era[] = ['modern'];

describe.concurrent('approvals used twice, late or after a refusal', () => {
  attackServer(
    'the same approval a second time',
    modern,
    async (attacker) => {
      const held = await attacker.ask('delete_sensor', victim);
      expect(readText(await held.answer('accept', rightName))).toContain('404');
      expect(readText(await held.answer('accept', rightName))).toMatch(
        /^already_done: The same call was carried out at .* nothing was sent now\. Its outcome: Deleted; Graph answers 404/,
      );
    },
    1,
  );

  attackServer(
    'the same key rotated twice with one approval',
    modern,
    async (attacker) => {
      const held = await attacker.ask('regenerate_deployment_access_key', {});
      await held.answer('accept', { typed: 'rotate Contoso' });
      expect(readText(await held.answer('accept', { typed: 'rotate Contoso' }))).toMatch(/^already_done: /);
    },
    2,
  );

  attackServer(
    'two answers racing for one approval, 100 times',
    modern,
    async (attacker) => {
      const [tool, args] = ['update_auto_auditing_configuration', { isAutomatic: false }] as const;
      for (let round = 0; round < 100; round++) {
        const done = round === 0 ? undefined : readText(await attacker.raw.call(tool, args));
        const held = await attacker.ask(tool, { ...args, repeatOf: done?.match(/repeatOf "(\w+)"/)?.[1] });
        const both = await Promise.all([
          held.answer('accept', { typed: 'auditing off Contoso' }),
          held.answer('accept', { typed: 'auditing off Contoso' }),
        ]);
        expect(both.map(readText).filter((text) => !text.includes('utomatic auditing off, as read back'))).toEqual([]);
        await attacker.tell({ do: 'set', set: { isAutomatic: true } });
      }
    },
    100,
  );

  for (const [first, code, then] of [
    ['decline', 'declined', 'declined'],
    ['cancel', 'question_closed', 'approval_invalid'],
  ] as const) {
    attackServer(`accepting after a ${first}`, modern, async (attacker) => {
      const held = await attacker.ask('delete_sensor', victim);
      await attacker.moment();
      expect(readText(await held.answer(first))).toMatch(new RegExp(`^${code}: `));
      expect(readText(await held.answer('accept', rightName))).toMatch(new RegExp(`^${then}: `));
    });
  }

  attackServer('a right answer after two wrong ones', modern, async (attacker) => {
    const held = await attacker.ask('delete_sensor', victim);
    const { result } = await held.answer('accept', { typed: 'DC01.contoso.com' });
    expect(result?.inputRequests?.confirm?.params.requestedSchema.properties.typed?.description).toContain(
      'That does not match. To approve, type exactly: DC07.contoso.com',
    );
    const state = result?.requestState;
    expect(readText(await held.answer('accept', rightName))).toMatch(/^approval_invalid: /);
    expect(readText(await held.answer('accept', { typed: 'DC01.contoso.com' }, { state }))).toMatch(/^mistyped: /);
    expect(readText(await held.answer('accept', rightName, { state }))).toMatch(/^approval_invalid: /);
  });

  attackServer('accepting after the call was cancelled', ['legacy'], async (attacker) => {
    const held = await attacker.ask('delete_sensor', victim);
    attacker.raw.send({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: attacker.raw.lastId() },
    });
    await attacker.moment();
    void held.answer('accept', rightName).catch(() => undefined);
    await attacker.moment();
  });

  for (const [name, ahead] of [
    ['eleven minutes later', { wall: 11 * minute, monotonic: 11 * minute }],
    ['eleven minutes later by the wall clock alone', { wall: 11 * minute }],
    ['eleven minutes later by the monotonic clock alone', { monotonic: 11 * minute }],
    ['after the wall clock went back', { wall: -10_000 }],
  ] as const) {
    attackServer(`accepting ${name}`, eras, async (attacker) => {
      const held = await attacker.ask('delete_sensor', victim);
      await attacker.tell({ do: 'clock', ahead });
      await attacker.moment();
      expect(readText(await held.answer('accept', rightName))).toMatch(
        /^approval_invalid: The question was answered already, has expired/,
      );
    });
  }

  attackServer('an approval that is used six minutes after the answer', eras, async (attacker) => {
    const held = await attacker.ask('delete_sensor', victim);
    await attacker.tell({
      do: 'before',
      method: 'GET',
      path: 'sensors',
      run: [{ do: 'clock', ahead: { monotonic: 6 * minute } }],
    });
    await attacker.moment();
    expect(readText(await held.answer('accept', rightName))).toMatch(/^approval_expired: /);
  });
});

describe.concurrent('what comes for a question that has ended', () => {
  type Attempt = (question: AttackedQuestion, attacker: Attacker) => Promise<unknown>;
  const close: Attempt = (question) => question.answer('cancel');
  const closed = 'an answer to a question that is closed';
  for (const [name, attempt, answer, code, ignored] of [
    [
      'an approval of a form that was closed so long ago that nothing is known of it',
      async (question, attacker) => {
        await close(question, attacker);
        await attacker.server.pass(11 * minute);
      },
      (question) => question.answer('accept', rightName),
      'approval_invalid: The question was answered already, has expired, ',
      ['an answer to no question'],
    ],
    [
      'the state of a closed form without an answer, to get the form once more',
      close,
      (question) => question.answer('accept', undefined, { responses: {} }),
      'approval_invalid: The question was answered already, ',
      [closed],
    ],
    [
      'a decline of a form that was closed',
      close,
      (question) => question.answer('decline'),
      'approval_invalid: The question was answered already, ',
      [closed],
    ],
    [
      'a decline of the first form once the second, which followed a wrong text, was declined',
      async (question) => {
        const { result } = await question.answer('accept', { typed: 'DC01.contoso.com' });
        await question.answer('decline', undefined, { state: result?.requestState });
      },
      (question) => question.answer('decline'),
      'declined: A person declined. ',
      [closed, closed],
    ],
  ] satisfies [
    string,
    Attempt,
    (question: AttackedQuestion) => ReturnType<AttackedQuestion['answer']>,
    string,
    string[],
  ][]) {
    attackServer(name, modern, async (attacker) => {
      const question = await attacker.ask('delete_sensor', victim);
      await attempt(question, attacker);
      expect(readText(await answer(question))).toContain(code);
      expect(listIgnored(attacker.server)).toEqual(ignored);
    });
  }

  attackServer(
    'the approval of a deletion that Graph refused, once more',
    modern,
    async (attacker) => {
      const question = await attacker.ask('delete_sensor', victim);
      await attacker.tell({ do: 'fault', method: 'DELETE', path: 'sensors', status: 403 });
      expect(readText(await question.answer('accept', rightName))).toMatch(/^permission_missing: /);
      expect(readText(await question.answer('accept', rightName))).toMatch(/^approval_invalid: /);
    },
    1,
  );
});

describe.concurrent('questions in masses', () => {
  attackServer('a fourth question while three wait', eras, async (attacker) => {
    const names = ['DC01', 'DC02', 'DC03', 'DC04'].map((name) => ({
      id: find('sensors', `${name}.contoso.com`),
    }));
    for (const args of names.slice(0, 3)) await attacker.ask('delete_sensor', args);
    expect(readText(await attacker.raw.call('delete_sensor', names[3]))).toMatch(
      /^approval_busy: 3 questions already wait/,
    );
  });

  attackServer(
    'a flood of requests, then the first answer a second time',
    ['modern'],
    async (attacker) => {
      const held = await attacker.ask('delete_sensor', victim);
      expect(readText(await held.answer('accept', rightName))).toContain('404');
      const sensors = (await attacker.tell({ do: 'read', what: 'sensors' })) as { id: string }[];
      for (const { id } of sensors) await attacker.raw.call('delete_sensor', { id });
      expect(readText(await held.answer('accept', rightName))).toMatch(/^already_done: /);
    },
    1,
  );

  attackServer(
    'a hundred and ten cancelled questions, then the rotation before them once more',
    ['legacy'],
    async ({ ask, raw }) => {
      await (await ask('regenerate_deployment_access_key', {})).answer('accept', { typed: 'rotate Contoso' });
      for (let round = 0; round < 110; round++) {
        await ask('delete_sensor', { id: find('sensors', 'DC01.contoso.com') });
        raw.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: raw.lastId() } });
      }
      expect(readText(await raw.call('regenerate_deployment_access_key', {}))).toMatch(/^already_done: /);
    },
    2,
  );

  attackServer('twenty-one machines in one form', eras, async (attacker) => {
    const sensors = (await attacker.tell({ do: 'read', what: 'sensors' })) as { id: string }[];
    const ids = sensors.slice(0, 21).map(({ id }) => id);
    const set = { deploymentStatus: 'unreachable', serviceStatus: 'unknown' };
    for (const id of ids) await attacker.tell({ do: 'change', of: 'sensors', id, set });
    expect(readText(await attacker.raw.call('delete_stale_sensors', { ids }))).toMatch(
      /^approval_unavailable: A form shows at most 20 machines, and this call names 21\. Nothing was changed\. /,
    );
  });

  attackServer(
    'the first of two deletions in one domain, approved while the second is asked',
    ['modern'],
    async (attacker) => {
      const names = ['SYD-DC01.apac.contoso.com', 'TYO-DC04.apac.contoso.com'];
      const [first, second] = names.map((name) => ({ id: find('sensors', name) }));
      const set = { deploymentStatus: 'upToDate', serviceStatus: 'running' };
      await attacker.tell({ do: 'change', of: 'sensors', id: second?.id ?? '', set });
      const held = await attacker.ask('delete_sensor', first);
      await attacker.ask('delete_sensor', second);
      expect(readText(await held.answer('accept', { typed: names[0] }))).toContain('404 for it now');
    },
    1,
  );

  attackServer(
    'two deletions in one domain, both asked while both sensors communicate',
    ['modern'],
    async (attacker) => {
      const names = ['SYD-DC01.apac.contoso.com', 'TYO-DC04.apac.contoso.com'];
      const [first, second] = names.map((name) => ({ id: find('sensors', name) }));
      const set = { deploymentStatus: 'upToDate', serviceStatus: 'running' };
      await attacker.tell({ do: 'change', of: 'sensors', id: second?.id ?? '', set });
      const held = [await attacker.ask('delete_sensor', first), await attacker.ask('delete_sensor', second)];
      await held[1]?.answer('accept', { typed: names[1] });
      const again = await held[0]?.answer('accept', { typed: names[0] });
      expect(again && readText(again)).toMatch(
        /^a new question: [\s\S]*- new: "SYD-DC01.apac.contoso.com" is the last/,
      );
    },
    1,
  );
});

import { describe, expect, test, vi } from 'vitest';
import { attack } from '../harness/attacks.ts';
import { type AskedForm, approve, connect, type Person, type TestClient } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { askSocket, openOfferedPage, readPage, waitForPageAddress } from '../harness/outside.ts';
import { connectRaw } from '../harness/raw.ts';
import { startServer, type TestServer } from '../harness/server.ts';
import { type AttackedQuestion, type Attacker, readText, rightName, startAttacker, victim } from './attacker.ts';
import { createDoor, listIgnored } from './cases.ts';

interface RepeatedCallSetup {
  readonly server: TestServer;
  readonly client: TestClient;
  readonly forms: AskedForm[];
  remove(name: string): Promise<string>;
  rotate(args?: object): Promise<string>;
  /** Moves both clocks to so many minutes after the start. */
  minutesLater(minutes: number): Promise<unknown>;
}

async function scene(
  person: Person,
  use: (scene: RepeatedCallSetup) => Promise<unknown>,
  { patience = 0, ...flags }: Readonly<Record<string, unknown>> & { readonly patience?: number } = {},
): Promise<number> {
  const server = await startServer({ flags, patience });
  const forms: AskedForm[] = [];
  const client = await connect('v2 legacy', server, (form, pass) => {
    forms.push(form);
    return person(form, pass);
  });
  const call = async (tool: string, args: object) => (await client.call(tool, { ...args })).text;
  await use({
    server,
    client,
    forms,
    remove: (name) => call('delete_sensor', { id: find('sensors', name) }),
    rotate: (args = {}) => call('regenerate_deployment_access_key', args),
    minutesLater: (minutes) =>
      server.tell({ do: 'clock', ahead: { wall: minutes * 60_000, monotonic: minutes * 60_000 } }),
  });
  const reached = await server.gated();
  await client.close();
  await server.end();
  return reached;
}
const decline: Person = () => ({ action: 'decline' });

describe.concurrent('the same call again', () => {
  attack('a twin of a call that waits: it joins, and gets the outcome', { on: 'v2 legacy', reach: 1 }, () =>
    scene(
      approve,
      async ({ remove, forms }) => {
        const both = await Promise.all([remove('DC07.contoso.com'), remove('DC07.contoso.com')]);
        expect(forms).toHaveLength(1);
        expect(both.filter((text) => text.includes('Deleted; Graph answers 404'))).toHaveLength(2);
      },
      { patience: 1_500 },
    ),
  );

  attack("a host's retry of a finished regenerate", { on: 'v2 legacy', reach: 2 }, () =>
    scene(approve, async ({ rotate, forms }) => {
      expect(await rotate()).toContain('"rotated":true');
      expect(await rotate()).toMatch(
        /^already_done: The same call was carried out at \d\d:\d\d:\d\d UTC, and nothing was sent now\. Its outcome: Regenerated/,
      );
      expect(await rotate({ repeatOf: 'ffffffff' })).toMatch(/^already_done: /);
      expect(forms).toHaveLength(1);
    }),
  );

  test('naming the outcome asks again, says that it was done already, and rotates once more', async () => {
    const reached = await scene(approve, async ({ rotate, forms }) => {
      await rotate();
      const [, repeatOf] = /repeatOf "(\w+)"/.exec(await rotate()) ?? [];
      expect(await rotate({ repeatOf })).toContain('"rotated":true');
      expect(forms[1]?.message).toMatch(/^This was done already at \d\d:\d\d:\d\d UTC\. It would be done again\.$/m);
      expect(forms).toHaveLength(2);
    });
    expect(reached).toBe(4);
  });

  test('after ten minutes it is a new call, with a question of its own', () =>
    scene(approve, async ({ rotate, forms, minutesLater }) => {
      await rotate();
      await minutesLater(9);
      expect(await rotate()).toMatch(/^already_done: /);
      await minutesLater(11);
      expect(await rotate()).toContain('"rotated":true');
      expect(forms).toHaveLength(2);
    }));

  test('an act that Graph refused is not kept: the same call asks again', () =>
    scene(approve, async ({ server, remove, forms }) => {
      await server.tell({ do: 'fault', method: 'DELETE', path: 'sensors', status: 403 });
      expect(await remove('DC07.contoso.com')).toMatch(/^permission_missing: .* Nothing was changed\. /);
      expect(await remove('DC07.contoso.com')).toContain('Deleted; Graph answers 404');
      expect(forms).toHaveLength(2);
    }));
});

describe.concurrent('an equal call while the form is open', () => {
  const later = ({ server }: Attacker) => server.pass(2_100);
  const page = { approval: 'auto', noBrowser: true };

  /** The first equal call gets the form once more, since it may not have been drawn, the second one the page. */
  async function moveToPage(attacker: Attacker) {
    const texts: string[] = [];
    for (let call = 0; call < 2; call++) {
      await later(attacker);
      texts.push(readText(await attacker.raw.call('delete_sensor', victim)).slice(0, 16));
    }
    expect(texts).toEqual(['a new question: ', 'approval_pending']);
  }

  async function held(
    flags: Record<string, unknown>,
    use: (attacker: Attacker, question: AttackedQuestion) => Promise<unknown>,
  ) {
    const attacker = await startAttacker('modern', { flags, patience: 0 });
    await use(attacker, await attacker.ask('delete_sensor', victim));
    return attacker.end();
  }

  attack('declining a form, then approving its copy that an equal call got', { on: 'modern' }, () =>
    held({}, async (attacker, first) => {
      await later(attacker);
      const copy = await attacker.ask('delete_sensor', victim);
      expect(copy.message).toBe(first.message);
      expect(readText(await first.answer('decline'))).toMatch(/^declined: /);
      expect(readText(await copy.answer('accept', rightName))).toMatch(/^declined: /);
    }),
  );

  test.each([
    [
      2_000,
      'two seconds after its question waits for the same form',
      /^approval_pending: .* in the client's own form, /,
    ],
    [2_001, 'later than that gets the form once more', /^a new question: /],
  ])('%i ms: an equal call %s', async (afterMs, _, text) => {
    await held({}, async ({ server, raw }) => {
      await server.pass(afterMs);
      expect(readText(await raw.call('delete_sensor', victim))).toMatch(text);
    });
  });

  attack(
    'equal calls while the call of the form is open, to have it elsewhere',
    { on: 'legacy', reach: 1 },
    async () => {
      const attacker = await startAttacker('legacy', { flags: page, patience: 0 });
      const first = await attacker.ask('delete_sensor', victim);
      for (let round = 0; round < 4; round++) {
        await later(attacker);
        expect(readText(await attacker.raw.call('delete_sensor', victim))).toMatch(
          /^approval_pending: A person is asked in the client's own form, /,
        );
      }
      expect(readText(await first.answer('accept', rightName))).toContain('404 for it now');
      return attacker.end();
    },
  );

  attack('one call again and again, to get forms without end', { on: 'modern' }, () =>
    held({}, async (attacker) => {
      const { raw } = attacker;
      const texts: string[] = [];
      for (let round = 0; round < 4; round++) {
        await later(attacker);
        texts.push(readText(await raw.call('delete_sensor', victim)).slice(0, 17));
      }
      expect(texts).toEqual(['a new question: S', 'approval_busy: Th', 'approval_busy: Th', 'approval_busy: Th']);
    }),
  );

  attack('declining a form after its question moved to the page, then approving there', { on: 'modern' }, () =>
    held(page, async (attacker, first) => {
      const { raw, server } = attacker;
      await moveToPage(attacker);
      const sheet = await openOfferedPage(await waitForPageAddress(raw.stderr), server.pass);
      expect(readText(await first.answer('decline'))).toMatch(/^declined: /);
      expect(listIgnored(server)).toEqual(['an answer to a question that is closed']);
      await sheet.post({ decision: 'approve', typed: 'DC07.contoso.com' });
      expect(readText(await raw.call('delete_sensor', victim))).toMatch(/^approval_busy: A person declined this/);
    }),
  );

  attack('approving a form after its question moved to the page', { on: 'modern' }, () =>
    held(page, async (attacker, first) => {
      await moveToPage(attacker);
      expect(readText(await first.answer('accept', rightName))).toMatch(/^approval_invalid: /);
    }),
  );

  test('a twin that is cancelled leaves the form of the first call open', async () => {
    const attacker = await startAttacker('legacy');
    const first = await attacker.ask('delete_sensor', victim);
    attacker.raw.call('delete_sensor', victim).catch(() => undefined);
    await attacker.moment();
    attacker.raw.send({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: attacker.raw.lastId() },
    });
    await attacker.moment();
    expect(readText(await first.answer('accept', rightName))).toContain('Deleted; Graph answers 404');
    expect(await attacker.end()).toBe(1);
  });

  test('a twin that comes while the act is under way waits for its outcome, however long that takes', async () => {
    const attacker = await startAttacker('modern', { patience: 0 });
    await attacker.tell({ do: 'fault', method: 'DELETE', path: 'sensors', milliseconds: 150 });
    const first = await attacker.ask('delete_sensor', victim);
    await later(attacker);
    const acting = first.answer('accept', rightName);
    await attacker.moment();
    await vi.waitFor(async () => expect(await attacker.tell({ do: 'requests' })).toContainEqual(deletion));
    expect(readText(await attacker.raw.call('delete_sensor', victim))).toContain('404 for it now');
    expect(readText(await acting)).toContain('404 for it now');
    expect(await attacker.end()).toBe(1);
  });
});

const deletion = expect.objectContaining({ method: 'DELETE' });

/** Calls that wait outside of the client for the person who is asked whether DC07 may be deleted. */
async function waitTogether(
  approval: 'page' | 'terminal',
  use: (waiting: {
    readonly server: TestServer;
    readonly client: TestClient;
    /** Calls, for another sensor where it is named, and resolves once the call waits. */
    wait(name?: string): Promise<{ readonly told: Promise<string>; cancel(): void }>;
    /** Lists what is asked, after an order where there is one. */
    terminal(order?: 'approve' | 'decline', typed?: string): ReturnType<typeof askSocket>;
  }) => Promise<unknown>,
  tenant = {},
) {
  const server = await startServer({ flags: { approval, noBrowser: true }, patience: 25_000, tenant });
  const client = await connect('v2 legacy', server);
  await use({
    server,
    client,
    wait: (name = rightName.typed) =>
      new Promise((resolve) => {
        const call = new AbortController();
        const onProgress = () => resolve({ told, cancel: () => call.abort() });
        const told = client
          .call('delete_sensor', { id: find('sensors', name) }, { signal: call.signal, onProgress })
          .then(
            ({ text }) => text,
            () => 'cancelled',
          );
      }),
    async terminal(order, typed = rightName.typed) {
      const asked = await askSocket(server.home, { do: 'list' });
      return order === undefined ? asked : askSocket(server.home, { do: order, nonce: asked[0]?.nonce, typed });
    },
  });
  const reached = await server.gated();
  await client.close();
  await server.end();
  return reached;
}

describe.concurrent('calls that wait for one person', () => {
  test('the one that is cancelled leaves the question to the other, which gets the outcome', async () => {
    const reached = await waitTogether('terminal', async ({ server, wait, terminal }) => {
      const [first, second] = [await wait(), await wait()];
      second.cancel();
      expect(await second.told).toBe('cancelled');
      await server.pass(1_000);
      await terminal('approve');
      expect(await first.told).toContain('404 for it now');
    });
    expect(reached).toBe(1);
  });

  test('where one has returned in time, cancelling the other withdraws its question and no other, and the page says so', () =>
    waitTogether('page', async ({ server, client, wait, terminal }) => {
      const first = await wait();
      const page = await openOfferedPage(await waitForPageAddress(client.stderr), server.pass);
      await server.pass(25_000);
      expect(await first.told).toMatch(/^approval_pending: /);
      await wait('DC01.contoso.com');
      const second = await wait();
      second.cancel();
      await vi.waitFor(async () => expect(await terminal()).toMatchObject([{ typed: 'DC01.contoso.com' }]), 10_000);
      expect((await readPage(`${page.address}/outcome`)).body).toContain('The call was cancelled.');
    }));

  test('a decline is what the call tells', () =>
    waitTogether('terminal', async ({ wait, terminal }) => {
      const { told } = await wait();
      await terminal('decline');
      expect(await told).toMatch(
        /^declined: A person declined\. Nothing was changed\. Do not repeat the call unless the person asks for it\. /,
      );
    }));

  test('a wrong text leaves the call waiting for the right one', async () => {
    const reached = await waitTogether('terminal', async ({ wait, terminal }) => {
      const { told } = await wait();
      await terminal('approve', 'DC01.contoso.com');
      await terminal('approve');
      expect(await told).toContain('404 for it now');
    });
    expect(reached).toBe(1);
  });

  test('one that is cancelled while the act is under way does not disturb it', async () => {
    const door = createDoor(({ method }) => method === 'DELETE');
    const reached = await waitTogether(
      'terminal',
      async ({ server, wait, terminal }) => {
        const first = await wait();
        await terminal('approve');
        await vi.waitFor(async () => expect(await server.requests()).toContainEqual(deletion), 10_000);
        const second = await wait();
        second.cancel();
        expect(await second.told).toBe('cancelled');
        door.open();
        expect(await first.told).toContain('404 for it now');
      },
      { beforeRequest: door.beforeRequest },
    );
    expect(reached).toBe(1);
  });
});

describe.concurrent('what is remembered', () => {
  attack('the clock set back after a rotation, then once more', { on: 'modern', reach: 2 }, async () => {
    const attacker = await startAttacker('modern');
    await (await attacker.ask('regenerate_deployment_access_key', {})).answer('accept', { typed: 'rotate Contoso' });
    await attacker.tell({ do: 'clock', ahead: { wall: -3_600_000 } });
    expect(readText(await attacker.raw.call('regenerate_deployment_access_key', {}))).toMatch(/^already_done: /);
    return attacker.end();
  });

  attack('the clock set back after a decline, then asked again', { on: 'modern' }, async () => {
    const attacker = await startAttacker('modern');
    const question = await attacker.ask('delete_sensor', victim);
    await attacker.moment();
    await question.answer('decline');
    await attacker.tell({ do: 'clock', ahead: { wall: -3_600_000 } });
    expect(readText(await attacker.raw.call('delete_sensor', victim))).toMatch(/^approval_busy: /);
    return attacker.end();
  });
});

describe.concurrent('what is not the same act any more', () => {
  const [tool, args] = ['update_auto_auditing_configuration', { isAutomatic: false }] as const;
  const setBack = { do: 'set', set: { isAutomatic: true } } as const;

  attack('what was done in one tenant, told as done in the next one', { on: 'modern', reach: 1 }, async () => {
    const attacker = await startAttacker('modern');
    // A token of less than five minutes is never kept, so a sign-in that changes shows at once.
    await attacker.tell({ do: 'set', set: { tokenLifetime: 240_000 } });
    const question = await attacker.ask(tool, args);
    await question.answer('accept', { typed: question.typed });
    await attacker.tell(setBack);
    expect(readText(await attacker.raw.call(tool, args))).toMatch(/^already_done: /);
    await attacker.tell({ do: 'set', set: { identity: { tenantId: '00000000-0000-4000-8000-000000000001' } } });
    expect(readText(await attacker.raw.call(tool, args))).toMatch(
      /^a new question: .*\(00000000-0000-4000-8000-000000000001\)\n/,
    );
    return attacker.end();
  });

  test('in auto the head of a form says that it was done already, and when', async () => {
    const attacker = await startAttacker('modern', { flags: { approval: 'auto', noBrowser: true } });
    const first = await attacker.ask(tool, args);
    await first.answer('accept', { typed: first.typed });
    await attacker.tell(setBack);
    const done = readText(await attacker.raw.call(tool, args));
    const [, repeatOf] = /repeatOf "(\w+)"/.exec(done) ?? [];
    const { message } = await attacker.ask(tool, { ...args, repeatOf });
    expect(message.split('\n').slice(0, 3).join(' ')).toMatch(/ ! done already at \d\d:\d\d:\d\d UTC/);
    await attacker.end();
  });

  attack('an approval that found nothing to do, told as done once there is', { on: 'modern' }, async () => {
    const attacker = await startAttacker('modern');
    const question = await attacker.ask(tool, args);
    await attacker.tell({ do: 'set', set: { isAutomatic: false } });
    expect(readText(await question.answer('accept', { typed: question.typed }))).toContain('"nothing to do"');
    await attacker.tell(setBack);
    expect(readText(await attacker.raw.call(tool, args))).toMatch(/^a new question: /);
    return attacker.end();
  });
});

describe.concurrent('declines', () => {
  attack('asking again for what a person declined', { on: 'v2 legacy' }, () =>
    scene(decline, async ({ server, remove, forms, minutesLater }) => {
      expect(await remove('DC07.contoso.com')).toMatch(/^declined: /);
      const before = await server.requests();
      for (let asked = 0; asked < 5; asked++) {
        expect(await remove('DC07.contoso.com')).toMatch(
          /^approval_busy: A person declined this, or a part of it; it is not asked again before \d\d:\d\d UTC\./,
        );
      }
      expect(await server.requests()).toHaveLength(before.length);
      await minutesLater(11);
      expect(await remove('DC07.contoso.com')).toMatch(/^declined: /);
      expect(forms).toHaveLength(2);
    }),
  );

  attack('approval bombing: every sensor of the fleet in turn', { on: 'v2 legacy' }, () =>
    scene(decline, async ({ server, client, forms, minutesLater }) => {
      const sensors = (await server.tell({ do: 'read', what: 'sensors' })) as { id: string }[];
      for (const { id } of sensors) await client.call('delete_sensor', { id });
      await minutesLater(600);
      const { text } = await client.call('get_deployment_access_key');
      expect(text).toMatch(/^approval_busy: A person declined 3 times in a row, so nothing is asked any more\./);
      expect(forms).toHaveLength(3);
    }),
  );
});

describe.concurrent('where a person is asked', () => {
  test('a call that is cancelled while its form is open frees its place', async () => {
    const server = await startServer();
    const raw = await connectRaw('legacy', server);
    for (const name of ['DC01', 'DC02', 'DC03', 'DC04', 'DC05']) {
      raw.call('delete_sensor', { id: find('sensors', `${name}.contoso.com`) }).catch(() => undefined);
      expect((await raw.nextFromServer()).method).toBe('elicitation/create');
      raw.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: raw.lastId() } });
    }
    expect(await server.gated()).toBe(0);
    await raw.close();
    await server.end();
  });

  test('more than twenty machines go to the page, which names all of them', () =>
    scene(
      approve,
      async ({ server, client, forms }) => {
        const sensors = (await server.tell({ do: 'read', what: 'sensors' })) as { id: string }[];
        const ids = sensors.slice(0, 21).map(({ id }) => id);
        const set = { deploymentStatus: 'unreachable', serviceStatus: 'unknown' };
        for (const id of ids) await server.tell({ do: 'change', of: 'sensors', id, set });
        expect((await client.call('delete_stale_sensors', { ids })).text).toMatch(/^approval_pending: /);
        const { body } = await openOfferedPage(await waitForPageAddress(client.stderr));
        expect(ids.filter((id) => body.includes(`>${id}</span>`))).toHaveLength(21);
        expect(forms).toEqual([]);
      },
      { approval: 'auto', noBrowser: true },
    ));

  test('--approval page asks there, although the client can show forms', () =>
    scene(
      approve,
      async ({ remove, forms }) => {
        expect(await remove('DC07.contoso.com')).toMatch(
          /^approval_pending: A person is asked on an approval page, whose file the server's log names, or at a terminal of their own on the machine or container \S+, with `.+ approve`; the question is open for 10 minutes\. Nothing was changed\. /,
        );
        expect(forms).toEqual([]);
      },
      { approval: 'page', noBrowser: true },
    ));

  test.each([
    ['form', {}, /^approval_unavailable: This needs a human approval in a form \(--approval form\)/],
    ['auto', { CI: 'true' }, /^approval_unavailable: .* with CI set nobody is asked outside of it\./],
  ])('--approval %s in a client without forms, with %o, says what would allow it', async (approval, env, text) => {
    const server = await startServer({ flags: { approval }, env });
    const client = await connect('v1', server);
    expect((await client.call('get_deployment_access_key')).text).toMatch(text);
    expect(await server.gated()).toBe(0);
    await client.close();
    await server.end();
  });
});

import { describe, expect, test } from 'vitest';
import { createSimulatedTenant } from '../../src/tenants/simulated/tenant.ts';
import { attack } from '../harness/attacks.ts';
import { type AskedForm, approve, connect, kinds, type TestClient } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { startServer, type TestServer } from '../harness/server.ts';
import { gatedTools, readTools, tools } from '../harness/tools.ts';

const [dc01, dc12, orphan] = ['DC01.contoso.com', 'DC12.contoso.com', 'SIN-DC03.apac.contoso.com'].map((name) =>
  find('sensors', name),
);

const issueIds = createSimulatedTenant({ seed: 1 })
  .healthIssues.slice(0, 2)
  .map(({ id }) => id);

/** A server with these settings and a client that draws forms; resolves with how many gated requests reached Graph. */
async function withSettings(
  flags: Readonly<Record<string, unknown>>,
  use: (setup: { client: TestClient; server: TestServer; forms: readonly AskedForm[] }) => Promise<unknown>,
  kind: (typeof kinds)[number] = 'v2 legacy',
): Promise<number> {
  const server = await startServer({ flags, patience: 0 });
  const forms: AskedForm[] = [];
  const client = await connect(kind, server, (form) => {
    forms.push(form);
    return approve(form);
  });
  await use({ client, server, forms });
  const reached = await server.gated();
  await client.close();
  await server.end();
  return reached;
}

describe('--confirm-changes', () => {
  const describeIt = { ids: [dc01], description: 'new' };

  test('a change without consequences asks nobody without it', async () => {
    await withSettings({}, async ({ client, forms }) => {
      expect((await client.call('update_sensor', describeIt)).isError).toBeUndefined();
      expect(forms).toEqual([]);
    });
  });

  test('with it the same change asks a person', async () => {
    await withSettings({ confirmChanges: true }, async ({ client, forms }) => {
      expect((await client.call('update_sensor', describeIt)).isError).toBeUndefined();
      expect(forms.map(({ requestedSchema: { properties } }) => properties.typed?.title)).toEqual(['Type change DC01']);
    });
  });

  attack('a change with --confirm-changes that nobody approves', { on: 'v2 legacy' }, async () => {
    const server = await startServer({ flags: { confirmChanges: true } });
    const client = await connect('v2 legacy', server, () => ({ action: 'decline' }));
    expect((await client.call('update_sensor', describeIt)).text).toMatch(/^declined: /);
    const reached = (await server.requests()).filter(({ method }) => method !== 'GET').length;
    await client.close();
    await server.end();
    return reached;
  });
});

describe('a change without consequences', () => {
  const closed = issueIds.map((id) => ({ do: 'change', of: 'healthIssues', id, set: { status: 'closed' } }) as const);
  const reopen = (count: number) => ({ ids: issueIds.slice(0, count), status: 'open' });

  test('of one object asks nobody', async () => {
    await withSettings({}, async ({ client, server, forms }) => {
      for (const command of closed) await server.tell(command);
      expect((await client.call('update_health_issue', reopen(1))).isError).toBeUndefined();
      expect(forms).toEqual([]);
    });
  });

  attack('a change of two objects that nobody approves', { on: 'v2 legacy' }, async () => {
    const server = await startServer();
    const client = await connect('v2 legacy', server, () => ({ action: 'decline' }));
    for (const command of closed) await server.tell(command);
    expect((await client.call('update_health_issue', reopen(2))).text).toMatch(/^declined: /);
    const reached = await server.gated();
    await client.close();
    await server.end();
    return reached;
  });
});

describe('--max-machines', () => {
  const ids = [dc12, orphan];

  attack('two machines with --max-machines 1', { on: 'v2 legacy' }, () =>
    withSettings({ maxMachines: 1 }, async ({ client, forms }) => {
      expect((await client.call('delete_stale_sensors', { ids })).text).toMatch(
        /^invalid_input: One approval covers at most 1 machines here, and this call names 2\. Nothing was changed\. Make several calls, or let the operator raise --max-machines\./,
      );
      expect(forms).toEqual([]);
    }),
  );

  test('as many machines as it says are asked for', async () => {
    const reached = await withSettings({ maxMachines: 2 }, async ({ client, forms }) => {
      expect((await client.call('delete_stale_sensors', { ids })).isError).toBeUndefined();
      expect(forms).toHaveLength(1);
    });
    expect(reached).toBe(2);
  });
});

test('--max-machines caps what a call names, not what a setting of the tenant reaches', async () => {
  await withSettings({ maxMachines: 1 }, async ({ client, forms }) => {
    expect((await client.call('update_activation_configuration', { activationMode: 'automated' })).isError).toBe(
      undefined,
    );
    expect(forms[0]?.message).toContain('2. ');
  });
});

describe('a setting that takes away what protects an act is a warning of', () => {
  const [revealed, unrecorded] = [
    '⚠ This server runs with --reveal-secrets: the key goes to the model as well.',
    '⚠ This server runs with --audit-log off: nothing records this question, its answer or the act.',
  ];
  test.each<[string, Record<string, unknown>, 'get_deployment_access_key' | 'delete_sensor', string[]]>([
    ['nothing by default', {}, 'get_deployment_access_key', []],
    ['a key', { revealSecrets: true }, 'get_deployment_access_key', [revealed]],
    ['nothing that gives no key', { revealSecrets: true }, 'delete_sensor', []],
    ['every act', { auditLog: 'off' }, 'delete_sensor', [unrecorded]],
  ])('%s', async (_, flags, tool, warnings) => {
    const server = await startServer({ flags });
    let shown: string[] | undefined;
    const client = await connect('v2 legacy', server, ({ message }) => {
      shown = message.split('\n').filter((line) => line.startsWith('⚠ This server runs with'));
      return { action: 'decline' };
    });
    await client.call(tool, tools[tool].args);
    expect(shown).toEqual(warnings);
    await client.close();
    await server.end();
  });
});

describe.each(kinds)('--read-only through a %s client', (kind) => {
  attack('every gated tool with --read-only', { on: kind }, () =>
    withSettings(
      { readOnly: true },
      async ({ client, forms }) => {
        expect((await client.tools()).map(({ name }) => name)).toEqual(readTools);
        for (const tool of gatedTools) {
          const called = await client.call(tool, tools[tool].args).catch((error: Error) => ({ text: error.message }));
          expect(called.text).toMatch(/not found|unknown/i);
        }
        expect(forms).toEqual([]);
      },
      kind,
    ),
  );
});

describe.each(['page', 'terminal'] as const)('--approval %s', (approval) => {
  attack(`an answer in the client's own form with --approval ${approval} and CI set`, { on: 'v2 modern' }, async () => {
    const server = await startServer({ flags: { approval }, env: { CI: 'true' } });
    const client = await connect('v2 modern', server, approve);
    for (const tool of gatedTools)
      expect((await client.call(tool, tools[tool].args)).text).toMatch(
        /^approval_unavailable: .* and with CI set nobody is asked outside of it\. Nothing was changed\. /,
      );
    const reached = await server.gated();
    await client.close();
    await server.end();
    return reached;
  });

  test('asks there and nowhere else, also through a client that draws forms', async () => {
    const reached = await withSettings({ approval, noBrowser: true }, async ({ client, forms }) => {
      const { text } = await client.call('delete_sensor', tools.delete_sensor.args);
      expect(text).toMatch(/^approval_pending: A person is asked /);
      expect(text).toContain(approval === 'page' ? 'approval page' : 'terminal');
      expect(forms).toEqual([]);
    });
    expect(reached).toBe(0);
  });
});

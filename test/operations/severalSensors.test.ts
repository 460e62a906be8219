import { describe, expect, test } from 'vitest';
import { type AskedForm, approve, connect, kinds } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { startServer } from '../harness/server.ts';

const names = [
  'ADFS01.contoso.com',
  'ADFS02.contoso.com',
  'APAC-ADFS01.apac.contoso.com',
  'EMEA-ADFS01.emea.contoso.com',
] as const;

describe.each(kinds)('"AD FS sensors: set the description" through a %s client', (kind) => {
  test('is one list, one question and a result with the old value of each', async () => {
    const server = await startServer({});
    const forms: AskedForm[] = [];
    const client = await connect(kind, server, (form) => {
      forms.push(form);
      return approve(form);
    });
    const id = find('sensors', names[0]);
    await server.tell({ do: 'change', of: 'sensors', id, set: { settings: { description: 'Old farm' } } });
    const listed = await client.call('list_sensors', { type: 'adfsIntegrated' });
    const ids = ((listed.structured?.sensors ?? []) as { id: string }[]).map((one) => one.id);
    expect(ids.sort()).toEqual(names.map((name) => find('sensors', name)).sort());

    const { structured, isError } = await client.call('update_sensor', { ids, description: 'AD FS farm' });
    expect(isError).toBeUndefined();
    expect(structured).toEqual({
      tenant: 'SIMULATED Contoso (8c157435-5df6-4f27-8379-39535f133377)',
      outcome: '4 of 4: the new description, as read back from Graph',
      after: { description: 'AD FS farm' },
      sensors: ids.map((one) => ({
        id: one,
        name: names.find((name) => find('sensors', name) === one),
        before: { description: one === id ? 'Old farm' : '' },
      })),
      audit: expect.anything(),
    });
    expect(forms).toHaveLength(1);
    expect(forms[0]?.requestedSchema.properties.typed?.title).toBe('Type change 4');
    expect(forms[0]?.message).toContain('description: "Old farm" -> "AD FS farm"');
    const sent = (await server.gatedRequests()).map(({ method, body }) => [method, JSON.parse(body ?? '')]);
    expect(sent.map(([, body]) => body.settings.description)).toEqual(Array(4).fill('AD FS farm'));

    const again = await client.call('update_sensor', { ids: ids[0], description: 'Old farm' });
    expect(again.structured).toMatchObject({ after: { description: 'Old farm' } });
    expect(forms).toHaveLength(1);
    await client.close();
    await server.end();
  });

  test('reaches none of them without a yes', async () => {
    const server = await startServer({});
    const client = await connect(kind, server, () => ({ action: 'decline' }));
    const ids = names.map((name) => find('sensors', name));
    expect((await client.call('update_sensor', { ids, description: 'x' })).text).toMatch(/^declined: /);
    expect(await server.gated()).toBe(0);
    await client.close();
    await server.end();
  });
});

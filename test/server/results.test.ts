import { describe, expect, test } from 'vitest';
import { ToolError } from '../../src/errors.ts';
import { operations } from '../../src/operations/index.ts';
import { describeTenant, formatFailure } from '../../src/server/results.ts';
import { describeTool } from '../../src/server/tools.ts';
import { approve, connect, kinds } from '../harness/clients.ts';
import { startServer } from '../harness/server.ts';
import { tools } from '../harness/tools.ts';

describe.each(kinds)('to a %s client', (kind) => {
  test('a call that waits for a person is no error, and says the same in text and structure', async () => {
    const server = await startServer({ flags: { approval: 'terminal' }, patience: 0 });
    const client = await connect(kind, server);
    const { isError, text, structured } = await client.call('delete_sensor', tools.delete_sensor.args);
    expect(isError).toBeUndefined();
    expect(structured).toEqual({
      code: 'approval_pending',
      outcome: expect.stringMatching(/^A person is asked .* Nothing was changed\. \(SIMULATED tenant\)$/),
      next: expect.stringMatching(/^Tell the user where, /),
    });
    expect(text).toMatch(/^approval_pending: A person is asked .* Nothing was changed\. Tell the user where, /);
    await client.close();
    await server.end();
  });

  test('a call that was done already is no error either, and promises no question that may not be asked', async () => {
    const server = await startServer();
    const client = await connect(kind, server, approve);
    await client.call('delete_sensor', tools.delete_sensor.args);
    const { isError, text, structured } = await client.call('delete_sensor', tools.delete_sensor.args);
    expect(isError).toBeUndefined();
    expect(structured).toMatchObject({
      code: 'already_done',
      outcome: expect.stringMatching(/^The same call was carried out at .* Its outcome: Deleted/),
      next: expect.stringMatching(
        /call with repeatOf "[0-9a-f]{8}"; what needs an approval then is asked for again\.$/,
      ),
    });
    expect(text).toMatch(/^already_done: The same call was carried out at /);
    expect(text).not.toContain('Nothing was changed');
    await client.close();
    await server.end();
  });
});

test('every other failure is an error, and says the same in text and structure', () => {
  const failure = formatFailure(new ToolError('declined', 'A person declined.', 'Stop.'), {
    simulated: true,
    unchanged: true,
  });
  expect(failure).toEqual({
    isError: true,
    content: [{ type: 'text', text: 'declined: A person declined. Nothing was changed. Stop. (SIMULATED tenant)' }],
    structuredContent: {
      code: 'declined',
      outcome: 'A person declined. Nothing was changed. (SIMULATED tenant)',
      next: 'Stop.',
    },
  });
});

test('what was seen of a call that partly took effect stands in text and structure', () => {
  const failure = formatFailure(new ToolError('partly_done', 'Not all of it took effect.'), {
    simulated: false,
    seen: { outcome: '1 of 2: deleted' },
  });
  expect(failure).toEqual({
    isError: true,
    content: [{ type: 'text', text: 'partly_done: Not all of it took effect. {"outcome":"1 of 2: deleted"}' }],
    structuredContent: {
      code: 'partly_done',
      outcome: 'Not all of it took effect.',
      seen: { outcome: '1 of 2: deleted' },
    },
  });
});

test.each(
  operations.filter(({ effect }) => effect === 'read').map((operation) => [operation.name, operation] as const),
)('the result of %s needs nothing, since it may be a code', (_, operation) => {
  const schema = describeTool(operation).outputSchema['~standard'].jsonSchema.output({ target: 'draft-2020-12' });
  expect(schema).not.toHaveProperty('required');
});

test.each(
  operations.filter(({ effect }) => effect !== 'read').map((operation) => [operation.name, operation] as const),
)('the result of %s needs an outcome and nothing else', (_, operation) => {
  const schema = describeTool(operation).outputSchema['~standard'].jsonSchema.output({ target: 'draft-2020-12' });
  expect(schema).toMatchObject({ required: ['outcome'] });
});

test('a list begins with its number of rows, before them', async () => {
  const server = await startServer();
  const client = await connect('v2 modern', server);
  for (const [tool, items, rows] of [
    ['list_sensors', 'sensors', 40],
    ['list_sensor_candidates', 'candidates', 8],
    ['list_health_issues', 'issues', 18],
    ['list_sensor_migrations', 'migrations', 33],
  ] as const) {
    const { structured = {} } = await client.call(tool);
    expect(Object.keys(structured).filter((name) => ['rows', 'total', 'cursor', items].includes(name))).toEqual(
      rows === 40 ? ['rows', 'total', 'cursor', items] : ['rows', 'total', items],
    );
    expect([structured.rows, (structured[items] as unknown[]).length]).toEqual([rows, rows]);
  }
  await client.close();
  await server.end();
});

test.each([
  [
    { label: 'East', nameInGraph: 'Contoso' },
    { label: 'East', nameInGraph: 'Contoso', text: 'East (t)' },
  ],
  [
    { label: 'Contoso', nameInGraph: 'Contoso' },
    { label: 'Contoso', text: 'Contoso (t)' },
  ],
  [{ nameInGraph: 'Contoso' }, { label: 'Contoso', text: 'Contoso (t)' }],
  [{ label: 'East' }, { label: 'East', text: 'East (t)' }],
  [{}, { label: 't', text: 't' }],
])('a tenant that is called %j is described as %j', (names, described) => {
  const [tenant, identity] = [{ simulated: false }, { tenantId: 't' }] as const;
  expect(describeTenant(tenant as never, identity as never, names)).toEqual(described);
});

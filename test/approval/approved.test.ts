import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AskedForm, connect, kinds, type Person, type TestClient } from '../harness/clients.ts';
import { startServer, type TestServer } from '../harness/server.ts';
import { type GatedRow, gatedTools, tools } from '../harness/tools.ts';
import { acceptWith, nameRequest } from './cases.ts';

describe.each(kinds)('through a %s client', (kind) => {
  let server: TestServer;
  let client: TestClient;
  let now: GatedRow;
  let asked: AskedForm[];

  beforeAll(async () => {
    server = await startServer();
    const person: Person = (form) => {
      asked.push(form);
      return acceptWith({ typed: now.typed });
    };
    client = await connect(kind, server, person);
  });
  afterAll(async () => {
    await client.close();
    await server.end();
  });

  test.each(gatedTools)('%s asks once and then sends exactly what was approved', async (tool) => {
    now = tools[tool];
    asked = [];
    const before = await server.gated();
    const result = await client.call(tool, now.args);
    expect(result.isError, result.text).toBeUndefined();
    expect(asked).toHaveLength(1);
    expect((await server.gatedRequests()).slice(before).map(nameRequest)).toEqual(now.sends);
    for (const request of (await server.gatedRequests()).slice(before)) {
      expect(request).toMatchObject({ effect: true });
      expect(asked[0]?.message).toContain(
        `${request.method} https://graph.microsoft.com/${request.version}${request.path}`,
      );
    }
    expect(asked[0]?.message).toMatch(/^SIMULATED TENANT "Contoso" \(8c157435-5df6-4f27-8379-39535f133377\)\n\n/);
    expect(asked[0]?.requestedSchema.properties.typed?.title).toBe(`Type ${now.typed}`);
  });
});

import { readdir, readFile, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectNoKeyIn, keysBegin } from '../harness/canary.ts';
import { approve, type ClientKind, connect, kinds, type Person, type TestClient } from '../harness/clients.ts';
import { startServer, type TestServer } from '../harness/server.ts';

const keyOf = async (server: TestServer) => String(await server.tell({ do: 'read', what: 'accessKey' }));
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

async function filesOf({ secretsDir }: TestServer): Promise<string[]> {
  const names = await readdir(secretsDir);
  return Promise.all(names.sort().map((name) => readFile(join(secretsDir, name), 'utf8')));
}

/** A server at log level trace and a person who approves everything. */
async function withServer(kind: ClientKind, use: (server: TestServer, client: TestClient) => Promise<void>) {
  const server = await startServer();
  const client = await connect(kind, server, approve);
  await use(server, client);
  await client.close();
  await server.end();
}

describe.concurrent.each(kinds)('through a %s client', (kind) => {
  test('an access key is in its file and nowhere else, after get and after regenerate', () =>
    withServer(kind, async (server, client) => {
      const first = await keyOf(server);
      expect(first.slice(0, 12)).toBe(keysBegin);
      const got = await client.call('get_deployment_access_key');
      const regenerated = await client.call('regenerate_deployment_access_key');
      const second = await keyOf(server);
      expect(second).not.toBe(first);
      expect(await filesOf(server)).toEqual([first, second]);
      expect(await readdir(server.secretsDir)).toEqual([got.structured?.file, regenerated.structured?.file].sort());
      expect(regenerated.structured?.previousFingerprint).toBe(got.structured?.fingerprint);
      expect(await modeOf(server.secretsDir)).toBe('700');
      expect(await modeOf(join(server.secretsDir, String(got.structured?.file)))).toBe('600');
      expect(client.stderr()).toContain('"path":"/v1.0/security/identities/sensors/getDeploymentAccessKey"');
      const seen = client.seen() + client.stderr();
      expect([first, second].filter((key) => seen.includes(key))).toEqual([]);
    }));

  test('a regeneration whose answer is lost is found out by the fingerprint, and the new key is kept', () =>
    withServer(kind, async (server, client) => {
      await server.tell({ do: 'fault', method: 'POST', path: 'regenerate', phase: 'after' });
      const { text, isError } = await client.call('regenerate_deployment_access_key');
      expect(isError, text).toBeUndefined();
      expect(text).toContain('"rotated":true');
      expect(await filesOf(server)).toEqual([await keyOf(server)]);
    }));

  test('a secrets folder that is a link is refused before any key is read', () =>
    withServer(kind, async (server, client) => {
      await symlink(tmpdir(), server.secretsDir);
      const { text } = await client.call('get_deployment_access_key');
      expect(text).toMatch(/^secret_not_kept: The secrets folder is not a folder of its own .* Nothing was changed\. /);
      expect(await server.gated()).toBe(0);
    }));
});

test('with --reveal-secrets the person is told so, and only the result holds the key', async () => {
  const server = await startServer({ flags: { revealSecrets: true } });
  let asked = '';
  const person: Person = (form) => {
    asked += form.message;
    return approve(form);
  };
  const client = await connect('v2 modern', server, person);
  const { structured } = await client.call('get_deployment_access_key');
  expect(structured?.accessKey).toBe(await keyOf(server));
  expect(asked).toMatch(/^Settings other than the default: .*--reveal-secrets/m);
  expectNoKeyIn(asked + client.stderr());
  await expect(client.close()).rejects.toThrow('no key');
  await server.end();
});

import { get } from 'node:https';
import { ClientSecretCredential } from '@azure/identity';
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSigningKey } from '../entra/keys.ts';
import { wire } from '../entra/served/graph.ts';
import * as faults from '../harness/faults.ts';
import { type LoopbackTenant, secret, sensorsRead, sensorsWrite, startLoopbackTenant } from './world.ts';

let world: LoopbackTenant;
beforeEach(async () => {
  world = await startLoopbackTenant();
});
afterEach(() => world.close());

const signIn = async (options: object = { enableCae: true }) => {
  const { home, reader, entra, everything } = world;
  const credential = new ClientSecretCredential(home.id, reader.id, secret, entra.options);
  return (await credential.getToken(everything, options))?.token ?? '';
};
const sensors = 'GET /v1.0/security/identities/sensors';
/** How much of a body arrives before its end or the code of the broken connection. */
const received = (token: string) =>
  new Promise<string>((resolve) => {
    const headers = { Authorization: `Bearer ${token}` };
    const url = `${world.graph.graphRoot}/v1.0/security/identities/sensors`;
    get(url, { headers, ca: world.entra.certificate.certificate }, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      answer.on('end', () => resolve(`${bytes} bytes, then the end`));
      answer.on('error', ({ code }: NodeJS.ErrnoException) => resolve(`${bytes} bytes, then ${code}`));
    }).on('error', ({ code }: NodeJS.ErrnoException) => resolve(`nothing, then ${code}`));
  });
/** How a request ended: its status and the length of its body, or the code of the broken connection. */
const ending = async (token: string, call = sensors) =>
  world.ask(token, call).then(
    ({ status, text }) => `${status} ${text.length}`,
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );

describe('the served Graph', () => {
  test('answers as the tenant in memory does, at its own address', async () => {
    world.tenant.pageSize = 30;
    const token = await signIn();
    const { graphRoot } = world.graph;
    const first = await world.ask(token);
    expect(first.json['@odata.context']).toBe(`${graphRoot}/v1.0/$metadata#security/identities/sensors`);
    expect(first.json['@odata.nextLink']).toMatch(`${graphRoot}/v1.0/security/identities/sensors?$skiptoken=`);
    const second = await world.ask(token, `GET ${first.json['@odata.nextLink']}`);
    expect([first.json.value.length, second.json.value.length]).toEqual([30, 14]);
    expect(first.headers).toMatchObject({ date: 'Mon, 01 Jun 2026 12:00:00 GMT' });
    expect(world.tenant.requests).toMatchObject([
      { endpoint: 'listSensors', status: 200, tenantId: world.home.id },
      { endpoint: 'listSensors', status: 200 },
    ]);
  });

  test('changes what the tenant in memory holds', async () => {
    world.reader.roles.push(sensorsWrite);
    const token = await signIn();
    const [sensor] = world.tenant.sensors;
    const path = `/v1.0/security/identities/sensors/${sensor?.id}`;
    const patched = await world.ask(token, `PATCH ${path}`, { settings: { description: 'over HTTPS' } });
    expect([patched.status, sensor?.settings.description]).toEqual([200, 'over HTTPS']);
    const deleted = await world.ask(token, `DELETE ${path}`);
    expect([deleted.status, deleted.text, world.tenant.sensors.length]).toEqual([204, '', 43]);
  });

  test.each(['Organization.Read.All', 'Directory.Read.All', 'User.Read'])(
    'says what the organization is called to a token with %s',
    async (permission) => {
      world.reader.roles.push(permission);
      const { status, json } = await world.ask(await signIn(), 'GET /v1.0/organization?$select=id,displayName');
      expect([status, json.value]).toEqual([200, [{ id: world.home.id, displayName: 'Contoso' }]]);
    },
  );

  test('keeps what the organization is called from any other token', async () => {
    const { status, json } = await world.ask(await signIn(), 'GET /v1.0/organization?$select=id,displayName');
    expect([status, json.error.code]).toEqual([403, 'Authorization_RequestDenied']);
    expect(json.error.message).toBe('Insufficient privileges to complete the operation.');
  });
});

describe('a token', () => {
  const problem = async (token: string) => {
    const { status, json } = await world.ask(token);
    return status === 200 ? 'accepted' : `${status} ${json.error.code}: ${json.error.message}`;
  };
  const reissued = async (changed: object) => {
    const claims = JSON.parse(Buffer.from((await signIn()).split('.')[1] ?? '', 'base64url').toString());
    return world.entra.key.sign({ ...claims, ...changed });
  };
  const invalid = '401 InvalidAuthenticationToken: Access token validation failure.';

  test('of Entra is accepted, whoever repeats its signature', async () => {
    expect(await problem(await reissued({}))).toBe('accepted');
  });

  test('that somebody else signed, nobody signed or that was changed is refused', async () => {
    const { sign } = await createSigningKey();
    const token = await signIn();
    const [head, payload = '', signature] = token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const more = Buffer.from(JSON.stringify({ ...claims, roles: [sensorsRead, sensorsWrite] })).toString('base64url');
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    for (const forged of [await sign(claims), `${head}.${more}.${signature}`, unsigned]) {
      expect(await problem(forged)).toBe(`${invalid} Invalid signature.`);
    }
    const shared = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(Buffer.from(JSON.stringify(world.entra.key.published)));
    expect(await problem(shared)).toBe(`${invalid} Invalid signature.`);
  });

  test('for another API is refused', async () => {
    expect(await problem(await reissued({ aud: 'https://graph.microsoft.us' }))).toBe(`${invalid} Invalid audience.`);
  });

  test('that is over is refused, and one that is missing', async () => {
    world.entra.tokenLifetime = -10;
    expect(await problem(await signIn())).toBe(
      '401 InvalidAuthenticationToken: Access token has expired or is not yet valid.',
    );
    expect(await problem('')).toBe('401 InvalidAuthenticationToken: Access token is empty.');
  });

  test('of another tenant meets one without Defender for Identity', async () => {
    expect(await problem(await reissued({ tid: '00000000-0000-4000-8000-000000000000' }))).toMatch(
      /^403 Forbidden: Tenant is not onboarded to Microsoft Defender for Identity\./,
    );
  });

  test('that lacks the permission is refused without a word', async () => {
    const { status, json } = await world.ask(await signIn(), 'GET /v1.0/security/identities/healthIssues');
    expect([status, json.error.code, json.error.message]).toEqual([403, 'UnknownError', '']);
  });
});

describe('continuous access evaluation', () => {
  const claimsIn = (header = '') =>
    Buffer.from(/error="insufficient_claims", claims="([^"]+)"$/.exec(header)?.[1] ?? '', 'base64').toString();

  test('challenges an older token, and is content with one that answers the challenge', async () => {
    const old = await signIn();
    world.graph.revoke();
    const { status, headers, json } = await world.ask(old);
    const claims = claimsIn(headers['www-authenticate']);
    expect([status, json.error.code]).toEqual([401, 'InvalidAuthenticationToken']);
    expect(claims).toMatch(/^\{"access_token":\{"nbf":\{"essential":true, "value":"\d{10}"\}\}\}$/);
    expect((await world.ask(await signIn())).status).toBe(401);
    expect(await world.list(await signIn({ enableCae: true, claims }))).toBe('44 sensors');
    expect(world.entra.tokenRequests.at(-1)?.claims).toContain('"nbf":{"essential":true');
  });

  test('leaves a client alone that could not answer', async () => {
    const token = await signIn({});
    world.graph.revoke();
    expect(await world.list(token)).toBe('44 sensors');
  });
});

describe('on the wire', () => {
  test('a connection is refused until the server is back', async () => {
    const token = await signIn();
    await world.graph.stop();
    expect(await ending(token)).toBe('ECONNREFUSED');
    await world.graph.start();
    expect(await world.list(token)).toBe('44 sensors');
  });

  test('a connection is reset before the answer, without effect or after it', async () => {
    world.reader.roles.push(sensorsWrite);
    const token = await signIn();
    const remove = `DELETE /v1.0/security/identities/sensors/${world.tenant.sensors[0]?.id}`;
    world.tenant.faults.push({ times: 1, answer: faults.breakConnection() });
    expect([await ending(token, remove), world.tenant.sensors.length]).toEqual(['ECONNRESET', 44]);
    world.graph.wire.push({ times: 1, send: wire.resetBeforeAnswer });
    expect([await ending(token, remove), world.tenant.sensors.length]).toEqual(['ECONNRESET', 43]);
  });

  test('a connection breaks in the middle of a body, of a known length or an unknown one', async () => {
    const token = await signIn();
    world.graph.wire.push({ times: 1, send: wire.breakInBody(100) }, { times: 1, send: wire.truncate(100) });
    expect([await received(token), await received(token)]).toEqual([
      '100 bytes, then ECONNRESET',
      '100 bytes, then ECONNRESET',
    ]);
    expect(await received(token)).toMatch(/^\d{5} bytes, then the end$/);
  });

  test('a body drips, and is whole in the end', async () => {
    const token = await signIn();
    const arrived = await ending(token);
    world.graph.wire.push({ on: ({ method }) => method === 'GET', send: wire.drip(5_000, 5) });
    expect(await ending(token)).toBe(arrived);
  });

  test('a body is compressed, even one that is a thousand times its size', async () => {
    const token = await signIn();
    const { text } = await world.ask(token);
    world.graph.wire.push({ send: wire.sendGzipped });
    const packed = await world.ask(token);
    expect([packed.headers['content-encoding'], packed.text]).toEqual(['gzip', text]);
    world.tenant.faults.push({ phase: 'after', answer: faults.sendHugeBody(2_000_000) });
    expect(await ending(token)).toMatch(/^200 2\d{6}$/);
  });

  test('a body comes under a type that is not its own', async () => {
    const token = await signIn();
    world.graph.wire.push({ times: 1, send: wire.setContentType('text/html') });
    expect((await world.ask(token)).headers['content-type']).toBe('text/html');
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRemoteChannels, formatApprovalAddress } from '../../src/approval/channels/address.ts';
import { SignInPage } from '../../src/approval/channels/signin.ts';
import { createQuestion } from '../../src/approval/question.ts';
import { createMemoryStore } from '../../src/approval/requestStore.ts';
import { ApprovalRequests, createInbox } from '../../src/approval/requests.ts';
import { createSignIn } from '../../src/entra/signIn.ts';
import { createTokenVerifier } from '../../src/entra/tokens.ts';
import { createRequest } from '../../src/graph/endpoint.ts';
import { endpoints } from '../../src/graph/endpoints/index.ts';
import { Secret } from '../../src/secrets/secret.ts';
import { createApp, type EntraUser } from '../entra/entra.ts';
import { createVirtualClock } from '../harness/clock.ts';
import { type EntraForApprovals, startApprovalEntra } from './signInScene.ts';

const origin = 'https://mdi.contoso.test';
const clientSecret = 'right~secret~0123456789abcdef';

let world: EntraForApprovals;
beforeAll(async () => {
  world = await startApprovalEntra();
});
afterAll(() => world.entra.close());

/** A question that Alice asked, on the page as a server under a public URL mounts it; nothing listens. */
async function mount() {
  const { home, alice, entra, fetch } = world;
  const app = createApp('MDI', {
    redirectUris: [`${origin}/approve/callback`],
    optionalClaims: ['auth_time'],
    secrets: [{ value: clientSecret }],
  });
  home.apps.push(app);
  const clock = createVirtualClock();
  const records: object[] = [];
  const requests = new ApprovalRequests({
    store: createMemoryStore(),
    clock,
    approval: 'signin',
    audit: {
      state: 'on',
      isEndedEarly: false,
      record: (kind, fields) => ({ n: records.push({ kind, ...fields }), head: '' }),
    },
    onUnansweredForm: () => undefined,
  });
  const request = createRequest(endpoints.deleteSensor, { params: { sensorId: randomUUID() } });
  const identity = { tenantId: home.id, kind: 'person', id: alice.objectId, appId: app.id, name: alice.upn } as const;
  const question = createQuestion(
    'delete_sensor',
    'destroy',
    {
      act: { word: 'delete', verb: 'Delete', noun: 'sensor' },
      targets: [{ id: randomUUID(), name: 'DC07', domain: 'contoso.com', details: {} }],
      changes: [],
      consequences: [],
      types: 'name',
      requests: [request],
    },
    {
      cloud: 'global',
      graphRoot: 'https://graph.microsoft.com',
      graphVersion: 'v1.0',
      tenantLabel: 'Contoso',
      simulated: false,
      identity,
      principal: `${home.id} ${alice.objectId}`,
      requester: { tenantId: home.id, objectId: alice.objectId },
      clientName: 'somebody',
      settings: [],
    },
  );
  const opened = await requests.open({
    key: 'a call',
    channel: 'signin',
    note: [],
    remarks: [],
    pendingDeletions: [],
    question,
  });
  if (opened.kind !== 'asked') throw new Error(opened.kind);
  const verifier = createTokenVerifier({ authority: entra.authorityHost, tenantId: home.id, fetch, clock });
  const page = new SignInPage({
    inbox: createInbox(requests),
    signIn: createSignIn({ verifier, clientId: app.id, clientSecret, fetch, clock }),
    approvers: 'requester',
    clock,
    getOrigin: async () => origin,
    readKey: async () => new Secret('none'),
  });
  const send = (path: string, init: RequestInit = {}, cookie = '') =>
    page.app.request(`${origin}${path}`, { ...init, headers: { host: 'mdi.contoso.test', cookie, ...init.headers } });
  const address = formatApprovalAddress(origin, opened.request).slice(origin.length);
  return { clock, records, requests, request: opened.request, page, send, address };
}

/** Signs in at Entra; the path that the browser is sent to then. */
async function signInAtEntra(location: string, { upn }: EntraUser): Promise<string> {
  const answer = await world.fetch(location, { method: 'POST', body: new URLSearchParams({ user: upn }) });
  return (answer.headers.get('location') ?? '').slice(origin.length);
}

const readCookies = (answer: Response) => answer.headers.getSetCookie();
const nameAndValue = (line = '') => line.split(';')[0] ?? '';

test('under a public URL its cookies are bound to that host, and the app proves itself with its secret', async () => {
  const { clock, records, requests, request, send, address } = await mount();
  const begun = await send(`${address}/sign-in`);
  const [signIn] = readCookies(begun);
  expect(signIn).toMatch(/^__Host-signin-[0-9a-f]{8}=[\w.-]+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  const entra = new URL(begun.headers.get('location') ?? '');
  expect(entra.searchParams.get('redirect_uri')).toBe('https://mdi.contoso.test/approve/callback');

  const back = await signInAtEntra(entra.href, world.alice);
  const shown = await send(back, {}, nameAndValue(signIn));
  const body = await shown.text();
  expect(body).toContain('Delete sensor DC07.contoso.com?');
  const approver = readCookies(shown).find((line) => line.startsWith('__Host-approver-'));
  expect(approver).toMatch(/; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  expect(readCookies(shown).find((line) => line.startsWith('__Host-signin-'))).toContain('Max-Age=0');

  await clock.pass(1_050);
  const [, secret = ''] = /name="secret" value="([^"]+)"/.exec(body) ?? [];
  const headers = { 'content-type': 'application/x-www-form-urlencoded', origin };
  const fields = new URLSearchParams({ secret, decision: 'approve', typed: 'DC07.contoso.com' });
  // A page that is posted twice at once counts once.
  const post = () => send(address, { method: 'POST', headers, body: fields.toString() }, nameAndValue(approver));
  const [answered, again] = await Promise.all([post(), post()]);
  expect(await answered.text()).toContain('Approved.');
  expect(again.status).toBe(403);
  expect((await requests.read(request.nonce))?.state.kind).toBe('approved');
  expect(records.at(-1)).toMatchObject({ kind: 'answer', approver: { oid: world.alice.objectId } });
});

test('a cookie without the prefix of its host counts for nothing there', async () => {
  const { send, address } = await mount();
  const begun = await send(`${address}/sign-in`);
  const back = await signInAtEntra(begun.headers.get('location') ?? '', world.alice);
  const [signIn] = readCookies(begun);
  const refused = await send(back, {}, nameAndValue(signIn).replace('__Host-', ''));
  expect(refused.status).toBe(403);
  expect(await refused.text()).toContain('This sign-in was not begun in this browser, or is over already.');
  expect((await send(back, {}, nameAndValue(signIn))).status).toBe(200);
});

test('what is not its own is left to the server that it is mounted in', async () => {
  const { page } = await mount();
  page.app.get('/mcp', (c) => c.text('MCP'));
  const answer = await page.app.request(`${origin}/mcp`);
  expect(await answer.text()).toBe('MCP');
  expect(answer.headers.get('content-security-policy')).toBeNull();
});

test('no answer without a sign-in counts, wherever it comes from', async () => {
  const { requests, request } = await mount();
  const answer = { kind: 'approve', typed: 'DC07.contoso.com' } as const;
  for (const step of [
    await requests.decide(request.nonce, answer),
    await requests.decideOutside(request.nonce, answer, 'signin'),
    await requests.decideOutside(request.nonce, answer, 'terminal'),
  ])
    expect(step.kind).toBe('late');
  expect((await requests.read(request.nonce))?.state.kind).toBe('pending');
});

test('its address stands in what the model is told, and nothing is opened', async () => {
  const { request } = await mount();
  const channels = createRemoteChannels(origin);
  expect(channels.describePlace(request)).toBe(
    `on the page https://mdi.contoso.test/approve/${request.id}, after a sign-in with Microsoft Entra`,
  );
  expect([channels.preferred, channels.isOnScreen('signin')]).toEqual(['signin', false]);
});

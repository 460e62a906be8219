import { createServer, type IncomingMessage } from 'node:http';
import { createHttpHeaders, createPipelineRequest } from '@azure/core-rest-pipeline';
import { createSimulatedTenant } from '../../src/tenants/simulated/tenant.ts';
import { listenOnLoopback } from '../entra/loopback.ts';

// Graph and Entra in a process of their own, over plain HTTP: `node graph.js SENSORS LATENCY_MS`. It prints its port, and
// remembers every answer, so that what is measured is the work of those who ask.

const [sensors = '100', latency = '0'] = process.argv.slice(2);
const tenant = createSimulatedTenant({ sensors: Number(sensors), seed: 1 });
const { token = '' } = (await tenant.getCredential('SecurityIdentitiesSensors.ReadWrite.All').getToken([])) ?? {};
const { tenantId } = tenant.identity;

interface Reply {
  readonly status: number;
  readonly body: string;
}

async function askTenant(path: string): Promise<Reply> {
  const url = `${tenant.graphRoot}${path}`;
  const headers = createHttpHeaders({ Authorization: `Bearer ${token}` });
  const { status, bodyAsText } = await tenant.httpClient.sendRequest(createPipelineRequest({ url, headers }));
  return { status, body: bodyAsText ?? '' };
}

/** What sign-in libraries ask Entra. */
function answerEntra(path: string): Reply {
  const authority = `https://login.microsoftonline.com/${tenantId}`;
  const configuration = {
    issuer: `${authority}/v2.0`,
    authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
    token_endpoint: `${authority}/oauth2/v2.0/token`,
    jwks_uri: `${authority}/discovery/v2.0/keys`,
  };
  const discovery = { tenant_discovery_endpoint: `${authority}/v2.0/.well-known/openid-configuration`, metadata: [] };
  const answers: readonly [part: string, answer: object][] = [
    ['/oauth2/v2.0/token', { token_type: 'Bearer', expires_in: 3_599, ext_expires_in: 3_599, access_token: token }],
    ['/openid-configuration', configuration],
    ['/discovery/instance', discovery],
  ];
  const [, answer] = answers.find(([part]) => path.includes(part)) ?? [];
  return answer === undefined ? { status: 404, body: '{}' } : { status: 200, body: JSON.stringify(answer) };
}

const replies = new Map<string, Promise<Reply>>();

function answer({ url = '/', headers }: IncomingMessage): Promise<Reply> {
  if (headers['x-asked-host'] === 'login.microsoftonline.com') return Promise.resolve(answerEntra(url));
  const reply = replies.get(url) ?? askTenant(url);
  replies.set(url, reply);
  return reply;
}

const server = createServer((request, response) => {
  request.resume();
  void answer(request).then(({ status, body }) => {
    const send = () => response.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
    if (latency === '0') send();
    else setTimeout(send, Number(latency));
  });
});
server.keepAliveTimeout = 600_000;
const { port } = await listenOnLoopback(server);
process.stdout.write(`${JSON.stringify({ port, tenantId, token })}\n`);
process.stdin.resume().on('end', () => process.exit(0));

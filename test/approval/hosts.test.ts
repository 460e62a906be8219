import { describe, expect, test } from 'vitest';
import { type ClientKind, connect, kinds, type Person, type TestClient } from '../harness/clients.ts';
import { type ControlledServer, controlledServer } from '../harness/controlled.ts';
import { atSocket, handedBy, opened } from '../harness/outside.ts';
import { accepted, finder } from './cases.ts';

const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Hosts that do not bring a person's answer. */
const hosts: [string, Person | undefined][] = [
  ['cannot show forms', undefined],
  ['accepts by itself with {}', () => accepted({})],
  ['declines in 20 ms', () => later(20).then(() => ({ action: 'decline' }))],
  ['never answers a form', () => new Promise(() => undefined)],
  [
    'answers a form with a JSON-RPC error',
    () => {
      throw new Error('this host cannot draw forms');
    },
  ],
];

const people = {
  async page(_: ControlledServer, client: TestClient) {
    const page = await opened(await handedBy(client.stderr));
    return (await page.post({ decision: 'approve', typed: 'DC07.contoso.com' })).status;
  },
  async terminal({ home }: ControlledServer) {
    const [asked] = await atSocket(home, { do: 'list' });
    const typed = 'DC07.contoso.com';
    const [now] = await atSocket(home, { do: 'approve', nonce: asked?.nonce, typed });
    return now?.state === 'waiting' ? 0 : 303;
  },
};

/** Calls until the server says that a person is asked outside the client, as a model does that is told to call again. */
async function pending(client: TestClient, call: () => ReturnType<TestClient['call']>): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const givenUp = later(1_600).then(() => ({ text: 'given up' }));
    const { text } = await Promise.race([call(), givenUp]).catch((error: Error) => ({ text: error.message }));
    if (text.startsWith('approval_pending: A person is asked ')) return;
    await later(2_100);
  }
  throw new Error(`nobody was asked outside the client; ${client.stderr()}`);
}

describe.concurrent.each(['page', 'terminal'] as const)('on the %s', (channel) => {
  describe.concurrent.each(kinds)('through a %s client', (kind: ClientKind) => {
    test.each(hosts)(
      'a deletion in a host that %s succeeds after a person approved, and only then',
      async (host, person) => {
        const server = await controlledServer({
          flags: { approval: 'auto', noBrowser: channel === 'page' },
          patience: 300,
          ...(host === 'declines in 20 ms' && { pace: 0.1 }),
        });
        const client = await connect(kind, server, person);
        const args = { id: (await finder(server))('sensors', 'DC07.contoso.com') };
        const call = () => client.call('delete_sensor', args);
        await pending(client, () => client.call('delete_sensor', args, { signal: AbortSignal.timeout(1_500) }));
        expect(await server.gated()).toBe(0);
        expect(await people[channel](server, client)).toBe(303);
        expect(await server.gated()).toBe(0);
        expect((await call()).text).toContain('deleted; Graph answers 404 for it now');
        expect((await call()).text).toMatch(/^already_done: /);
        expect(await server.gated()).toBe(1);
        await client.close();
        await server.end();
      },
    );
  });
});

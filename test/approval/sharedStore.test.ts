import { describe, expect, test, vi } from 'vitest';
import { createMemoryStore, type RequestStore } from '../../src/approval/requestStore.ts';
import { attack } from '../harness/attacks.ts';
import { connect, sleep } from '../harness/clients.ts';
import { askSocket } from '../harness/outside.ts';
import { startServer } from '../harness/server.ts';
import { readText, rightName, startAttacker, victim } from './attacker.ts';
import { listIgnored } from './cases.ts';

/** An attacker of a server that keeps its requests in this store, and its question whether DC07 may be deleted. */
async function askWith(store: RequestStore) {
  const attacker = await startAttacker('modern', {}, (options) => startServer({ ...options, store }));
  return { attacker, question: await attacker.ask('delete_sensor', victim) };
}

describe.concurrent('a store that others reach', () => {
  attack('an approval of a question whose digest somebody has replaced there', { on: 'modern' }, async () => {
    const memory = createMemoryStore();
    let isReplaced = false;
    const read = async () => {
      const requests = await memory.read();
      return isReplaced ? requests.map((request) => ({ ...request, digest: '0'.repeat(64) })) : requests;
    };
    const { attacker, question } = await askWith({ ...memory, read });
    isReplaced = true;
    expect(readText(await question.answer('accept', rightName))).toMatch(
      /^approval_invalid: The answer belongs to another call\. Nothing was changed\. /,
    );
    return attacker.end();
  });

  attack('an approval of a question that is forgotten as soon as it was looked up', { on: 'modern' }, async () => {
    const memory = createMemoryStore();
    let readsLeft = Number.POSITIVE_INFINITY;
    const read = async () => {
      const requests = await memory.read();
      readsLeft -= 1;
      if (readsLeft === 0) for (const { nonce } of requests) await memory.remove(nonce);
      return requests;
    };
    const { attacker, question } = await askWith({ ...memory, read });
    // One looks for what is over, one for the question; then it is gone for whoever decides it.
    readsLeft = 2;
    expect(readText(await question.answer('accept', rightName))).toMatch(
      /^approval_invalid: The question was answered already, has expired, /,
    );
    return attacker.end();
  });

  attack('two approvals that are both looked up before either counts', { on: 'modern', reach: 1 }, async () => {
    const memory = createMemoryStore();
    const read = async () => {
      await sleep(10);
      return memory.read();
    };
    const { attacker, question } = await askWith({ ...memory, read });
    const both = await Promise.all([1, 2].map(() => question.answer('accept', rightName)));
    expect(both.map(readText).filter((text) => !text.includes('404 for it now'))).toEqual([]);
    expect(listIgnored(attacker.server)).toEqual(['an answer to a question that is closed']);
    return attacker.end();
  });

  attack(
    'an approval whose use the store cannot keep, which both calls that wait hear as a defect',
    { on: 'v2 legacy', channel: 'terminal' },
    async () => {
      const memory = createMemoryStore();
      const move: RequestStore['move'] = (nonce, from, to) =>
        to.kind === 'acting' ? Promise.reject(new Error('the store is gone')) : memory.move(nonce, from, to);
      const server = await startServer({
        flags: { approval: 'terminal' },
        patience: 25_000,
        store: { ...memory, move },
      });
      const client = await connect('v2 legacy', server);
      const waiting: string[] = [];
      const call = () => client.call('delete_sensor', victim, { onProgress: (message) => waiting.push(message) });
      const calls = [call(), call()];
      await vi.waitFor(() => expect(waiting).toHaveLength(2), 10_000);
      const [asked] = await askSocket(server.home, { do: 'list' });
      await askSocket(server.home, { do: 'approve', nonce: asked?.nonce, ...rightName });
      for (const { text } of await Promise.all(calls))
        expect(text).toMatch(/^internal_error: This server has a defect[.;]/);
      const reached = await server.gated();
      await client.close();
      await server.end();
      return reached;
    },
  );

  test('a call that waits for a question that is forgotten there hears that its time is over', async () => {
    const store = createMemoryStore();
    const server = await startServer({ flags: { approval: 'terminal' }, patience: 25_000, store });
    const client = await connect('v2 legacy', server);
    const waiting: string[] = [];
    const told = client.call('delete_sensor', victim, { onProgress: (message) => waiting.push(message) });
    await vi.waitFor(() => expect(waiting).toHaveLength(1), 10_000);
    for (const { nonce } of await store.read()) await store.remove(nonce);
    await server.pass(2_000);
    expect((await told).text).toMatch(
      /^approval_expired: The question was not answered in time\. Nothing was changed\. /,
    );
    await client.close();
    await server.end();
  });
});

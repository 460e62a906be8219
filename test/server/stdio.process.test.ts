import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { approve, connect, kinds } from '../harness/clients.ts';
import { connectRaw } from '../harness/raw.ts';
import { toolNames } from '../harness/tools.ts';

/** The Nodes named in MDI_TEST_NODES, such as `22,24`, or the one that runs the tests. */
const nodes = (process.env.MDI_TEST_NODES ?? '').split(',').filter(Boolean).map(binaryOf);

function binaryOf(version: string): string {
  const print = ['-y', `node@${version}`, '-p', 'process.execPath'];
  return execFileSync('npx', print, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

describe.each(nodes.length === 0 ? [process.execPath] : nodes)('dist/main.js with %s', (command) => {
  const server = { command, args: ['dist/main.js', '--simulate'] };
  const disconnected = { name: 'DC07', domain: 'contoso.com' };

  test.each(kinds)(
    'a %s client lists the tools in their order, reads, and deletes what a person approves',
    async (kind) => {
      const client = await connect(kind, { ...server, isStartedTwice: true }, approve);
      expect((await client.tools()).map(({ name }) => name)).toEqual(toolNames);
      expect((await client.call('summarize_fleet')).structured?.tenant).toMatch(/^SIMULATED Contoso /);
      const { structured } = await client.call('get_sensor', disconnected);
      const deleted = await client.call('delete_sensor', { id: structured?.id });
      expect(deleted.structured?.outcome).toBe('Deleted; Graph answers 404 for it now');
      expect((await client.call('get_sensor', disconnected)).text).toMatch(/^not_found: /);
      await client.close();
    },
  );

  describe.each(['legacy', 'modern'] as const)('in the %s era', (era) => {
    const ends = ['SIGINT', 'SIGTERM', 'end of stdin'] as const;
    // A server to which nobody has spoken since has no era.
    const states =
      era === 'legacy' ? (['idle', 'while a question is open'] as const) : (['while a question is open'] as const);
    test.each(ends.flatMap((end) => states.map((state) => [end, state] as const)))(
      '%s ends the server within a second, %s',
      async (end, state) => {
        const raw = await connectRaw(era, server);
        await raw.request('tools/list', {});
        if (state !== 'idle') {
          const { result } = await raw.call('get_sensor', disconnected);
          const asking = raw.call('delete_sensor', { id: result?.structuredContent?.id });
          const question = await (era === 'legacy' ? raw.nextFromServer() : asking);
          expect(question.method ?? question.result?.resultType).toMatch(/^(elicitation\/create|input_required)$/);
          asking.catch(() => undefined);
        }
        const exited = once(raw.child, 'exit', { signal: AbortSignal.timeout(1_000) });
        if (end === 'end of stdin') raw.child.stdin.end();
        else raw.child.kill(end);
        expect(await exited).toEqual([0, null]);
        for (const line of raw.stdout().trim().split('\n').filter(Boolean)) {
          expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
        }
      },
    );

    test('a client that no longer reads ends the server with the next answer', async () => {
      const raw = await connectRaw(era, server);
      await raw.request('tools/list', {});
      const exited = once(raw.child, 'exit', { signal: AbortSignal.timeout(5_000) });
      raw.child.stdout.destroy();
      raw.send({ jsonrpc: '2.0', id: -1, method: 'ping' });
      expect(await exited).toEqual([0, null]);
    });
  });
});

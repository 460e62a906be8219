import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { connectRaw } from '../harness/raw.ts';

const server = { command: process.execPath, args: ['dist/main.js', '--simulate'] };
const tooLong = 'The message is longer than 4194304 bytes and was not read. Send a shorter one.';

test('lines of 50 and of 250 MB are dropped as they come, and answered', async () => {
  const raw = await connectRaw('legacy', server);
  const megabytes = () =>
    Number(execFileSync('ps', ['-o', 'rss=', '-p', String(raw.child.pid)], { encoding: 'utf8' })) / 1024;
  const before = megabytes();
  const write = async (bytes: string) => {
    if (!raw.child.stdin.write(bytes)) await once(raw.child.stdin, 'drain');
  };
  for (const size of [50, 250]) {
    await write('{"jsonrpc":"2.0","id":-1,"method":"ping","params":{"a":"');
    for (let sent = 0; sent < size; sent += 1) await write('x'.repeat(1_000_000));
    await write('"}}\n');
    await raw.request('ping', {});
  }
  const errors = raw
    .stdout()
    .match(/^\{"jsonrpc":"2\.0","error":.*$/gm)
    ?.map((text) => JSON.parse(text).error);
  expect(errors).toEqual(Array(2).fill({ code: -32600, message: tooLong }));
  expect(megabytes() - before).toBeLessThan(200);
  await raw.close();
});

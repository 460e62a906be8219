import { describe, expect, test, vi } from 'vitest';
import { connectRaw, type Message } from '../harness/raw.ts';

const server = { command: process.execPath, args: ['dist/main.js', '--simulate'] };
const noRequest = expect.stringMatching(/^This is not a JSON-RPC 2\.0 request: /);
const noJson = 'The line is not JSON. Send one JSON-RPC message a line.';

describe.each(['legacy', 'modern'] as const)('in the %s era', (era) => {
  test('every line that is no message is answered, by its id where it has one, and the next message too', async () => {
    const raw = await connectRaw(era, server);
    const answers = async (line: string | Buffer) => {
      const before = raw.stdout().length;
      raw.child.stdin.write(line);
      raw.child.stdin.write('\n');
      await raw.request('ping', {});
      const lines = raw.stdout().slice(before).trim().split('\n');
      return lines.slice(0, -1).map((text) => JSON.parse(text) as Message);
    };
    const invalid = (id?: unknown) => [
      { jsonrpc: '2.0', ...(id !== undefined && { id }), error: { code: -32600, message: noRequest } },
    ];
    expect(await answers('{"jsonrpc":"2.0","id":"a","method":"ping","params":[1]}')).toEqual(invalid('a'));
    expect(await answers('{"jsonrpc":"2.0","id":-7,"method":"ping","params":{"_meta":5}}')).toEqual(invalid(-7));
    expect(await answers('{"id":-8,"method":"ping"}')).toEqual(invalid(-8));
    expect(await answers('{"jsonrpc":"2.0","id":1e400,"method":"ping"}')).toEqual(invalid());
    expect(await answers('{"jsonrpc":"2.0","method":1,"params":"bar"}')).toEqual(invalid());
    expect(await answers('[{"jsonrpc":"2.0","id":-9,"method":"ping"}]')).toEqual(invalid());
    expect(await answers('['.repeat(10_000) + ']'.repeat(10_000))).toEqual(invalid());
    const unreadable = [{ jsonrpc: '2.0', error: { code: -32700, message: noJson } }];
    expect(await answers('{"jsonrpc":"2.0","id":-10,"method":"to')).toEqual(unreadable);
    expect(await answers(Buffer.from([0x7b, 0xff, 0xc0, 0x80]))).toEqual(unreadable);
    expect(await answers('')).toEqual([]);
    expect(await answers('{"jsonrpc":"2.0","method":"notifications/cancelled","params":[]}')).toEqual([]);
    expect(await answers('{"jsonrpc":"2.0","id":-11,"result":5}')).toEqual([]);
    expect(
      await answers(`{"jsonrpc":"2.0","id":-12,"result":{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}}`),
    ).toEqual([]);
    await raw.close();
  });
});

test('a byte order mark before a message, whole or byte by byte, and line ends of Windows are no part of it', async () => {
  for (const size of [1, 1_000]) {
    const raw = await connectRaw('modern', server);
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'windows', version: '1' } };
    const line = JSON.stringify({ jsonrpc: '2.0', id: 'first', method: 'initialize', params });
    const bytes = Buffer.from(`\uFEFF${line}\r\n`);
    for (let sent = 0; sent < bytes.length; sent += size) raw.child.stdin.write(bytes.subarray(sent, sent + size));
    await vi.waitFor(() => expect(raw.stdout()).not.toBe(''), 5_000);
    expect(JSON.parse(raw.stdout())).toMatchObject({ id: 'first', result: { protocolVersion: '2025-06-18' } });
    await raw.close();
  }
});

test('rejections that nobody handles are logged and end nothing', async () => {
  const flaw = "process.on('SIGUSR2', () => Promise.reject(new Error('a flaw')))";
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(flaw)}` };
  const raw = await connectRaw('legacy', { ...server, env });
  for (let count = 1; count <= 2; count += 1) {
    raw.child.kill('SIGUSR2');
    await vi.waitFor(() => expect(raw.stderr().match(/unhandled rejection/g)).toHaveLength(count), 5_000);
    expect(await raw.request('ping', {})).toMatchObject({ result: {} });
  }
  await raw.close();
});

import { format, inspect } from 'node:util';
import { expect, test, vi } from 'vitest';
import { createLog } from '../../src/log.ts';
import { Secret } from '../../src/secrets/secret.ts';

const secret = new Secret('a key');

test.each<[string, (value: Secret) => string, string]>([
  ['JSON', (value) => JSON.stringify(value), '"[secret]"'],
  ['JSON of what holds it', (value) => JSON.stringify({ key: [value] }), '{"key":["[secret]"]}'],
  ['String', (value) => String(value), '[secret]'],
  ['a template', (value) => `${value}`, '[secret]'],
  ['inspect', (value) => inspect(value), '[secret]'],
  ['inspect of what is hidden', (value) => inspect(value, { showHidden: true, depth: null }), '[secret]'],
  ['inspect of what holds it', (value) => inspect({ key: [value] }), '{ key: [ [secret] ] }'],
  ['a format', (value) => format('%s %o %O %j', value, value, value, value), '[secret] [secret] [secret] "[secret]"'],
  ['console.log', (value) => format(value), '[secret]'],
])('%s shows a secret as [secret]', (_, print, expected) => {
  expect(print(secret)).toBe(expected);
});

test('nothing of a secret can be listed, and no copy of it has its value', () => {
  expect(Object.entries(secret)).toEqual([]);
  expect(Reflect.ownKeys(secret)).toEqual([]);
  expect(JSON.stringify({ ...secret })).toBe('{}');
  expect(inspect(structuredClone(secret))).not.toContain('a key');
});

test('a secret in a line of the log is [secret]', async () => {
  let lines = '';
  const write = (line: string) => {
    lines += line;
  };
  createLog('trace', { write }).info('kept', { key: secret, error: new Error('no', { cause: secret }) });
  await vi.waitFor(() => expect(lines).toContain('"key":"[secret]"'));
  expect(lines).not.toContain('a key');
});

test('a secret gives its value to who opens it, and eight hex digits to tell it from another one', () => {
  expect(secret.open()).toBe('a key');
  expect(secret.fingerprint).toBe('8fa3aab2');
  expect(new Secret('a kez').fingerprint).not.toBe(secret.fingerprint);
});

import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import {
  answerNotFound,
  createSourceCheck,
  createToken,
  isReadable,
  isSecret,
  limitAnswer,
  notFromPage,
  refuse,
} from '../../../src/approval/channels/guard.ts';
import { styleSource } from '../../../src/approval/channels/pageHtml.ts';

const origin = 'http://127.0.0.1:5000';
const form = {
  Host: '127.0.0.1:5000',
  Origin: origin,
  'Content-Type': 'application/x-www-form-urlencoded',
  'Sec-Fetch-Site': 'same-origin',
};
type Headers = Readonly<Record<string, string>>;

const app = new Hono();
app.use(createSourceCheck(async () => origin));
app.post('/answer', limitAnswer);
app.all('/answer', (c) => c.text('taken'));
app.get('/refused', (c) => refuse(c, notFromPage));
app.notFound(answerNotFound);

const send = (method: string, headers: Headers, body?: string, path = '/answer') =>
  app.request(`${origin}${path}`, { method, headers, ...(body !== undefined && { body }) });
/** What became of a request: the status, and the heading and sentence of the page. */
async function readAnswer(response: Response): Promise<string> {
  const text = await response.text();
  const [, heading, sentence] = /<h1>(.*)<\/h1><p>(.*)<\/p>/.exec(text) ?? [];
  return `${response.status}: ${heading === undefined ? text : `${heading}. ${sentence}`}`;
}
const omit = (name: keyof typeof form): Headers =>
  Object.fromEntries(Object.entries(form).filter(([at]) => at !== name));

const taken = '200: taken';
const foreign = '403: Not accepted. This answer did not come from the page itself. Nothing was changed.';
const elsewhere = '403: Not accepted. This address is not the one that was opened. Nothing was changed.';
const unknown = '405: Not accepted. Only GET and POST are known here.';

describe('from the pages themselves', () => {
  test.each<[string, string, Headers, string]>([
    ['a form is taken', 'POST', form, taken],
    ['a form whose browser says nothing of the site is taken', 'POST', omit('Sec-Fetch-Site'), taken],
    [
      'a form that names its letters is taken',
      'POST',
      { ...form, 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' },
      taken,
    ],
    ['a reading is taken', 'GET', { Host: '127.0.0.1:5000' }, taken],
    ['a reading by a link from elsewhere is taken', 'GET', { ...form, 'Sec-Fetch-Site': 'cross-site' }, taken],
    ['a reading under another name is refused', 'GET', { Host: 'localhost:5000' }, elsewhere],
    ['a reading under another port is refused', 'GET', { Host: '127.0.0.1' }, elsewhere],
    ['a reading that names no host is refused', 'GET', {}, elsewhere],
    ['a form under another name is refused', 'POST', { ...form, Host: 'evil.example' }, elsewhere],
    ['a form of another origin is refused', 'POST', { ...form, Origin: 'https://evil.example' }, foreign],
    ['a form of a hidden origin is refused', 'POST', { ...form, Origin: 'null' }, foreign],
    ['a form without an origin is refused', 'POST', omit('Origin'), foreign],
    ['a form of another site is refused', 'POST', { ...form, 'Sec-Fetch-Site': 'cross-site' }, foreign],
    ['a form of another port is refused', 'POST', { ...form, 'Sec-Fetch-Site': 'same-site' }, foreign],
    ['a form of a person who typed the address is refused', 'POST', { ...form, 'Sec-Fetch-Site': 'none' }, foreign],
    ['plain text is refused', 'POST', { ...form, 'Content-Type': 'text/plain' }, foreign],
    ['JSON is refused', 'POST', { ...form, 'Content-Type': 'application/json' }, foreign],
    ['what does not say what it is is refused', 'POST', omit('Content-Type'), foreign],
    ['HEAD is not known', 'HEAD', form, '405: '],
    ['PUT is not known', 'PUT', form, unknown],
    ['DELETE is not known', 'DELETE', form, unknown],
    ['OPTIONS is not known', 'OPTIONS', form, unknown],
  ])('%s', async (_, method, headers, answer) => {
    expect(await readAnswer(await send(method, headers))).toBe(answer);
  });
});

test.each<[string, () => Response | Promise<Response>]>([
  ['what is taken', () => send('POST', form)],
  ['what is refused', () => send('GET', { Host: 'evil.example' })],
])('no browser frames, keeps, guesses or adds anything to %s', async (_, ask) => {
  const headers = Object.fromEntries((await ask()).headers);
  expect(headers).toEqual({
    'cache-control': 'no-store',
    'content-security-policy': `default-src 'none'; style-src ${styleSource}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
    'content-type': expect.stringMatching(/^text\/(plain|html); ?charset=UTF-8$/i),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  });
});

test('an answer has at most 8 KiB', async () => {
  expect(await readAnswer(await send('POST', form, 'x'.repeat(8_192)))).toBe(taken);
  expect(await readAnswer(await send('POST', form, 'x'.repeat(8_193)))).toBe(
    '403: Not accepted. This answer is too long. Nothing was changed.',
  );
});

test('a page tells what is not there, and what was refused', async () => {
  expect(await readAnswer(await send('GET', form, undefined, '/nothing'))).toBe(
    '404: Not found. There is no question here.',
  );
  expect(await readAnswer(await send('GET', form, undefined, '/refused'))).toBe(foreign);
});

test('a token has 192 bits, and is never the same', () => {
  expect(createToken()).toMatch(/^[\w-]{32}$/);
  expect(createToken()).not.toBe(createToken());
});

test.each([
  ['the secret', true],
  ['the secreT', false],
  ['the secret ', false],
  ['thé secret', false],
  ['', false],
])('of all texts the secret is itself alone: %j', (text, is) => {
  expect(isSecret(text, 'the secret')).toBe(is);
});

test.each([
  [999, false],
  [1_000, true],
])('a page that was shown %i ms ago has been read: %j', (ageMs, is) => {
  expect(isReadable({ secret: '', shownAtMs: 5_000 }, 5_000 + ageMs)).toBe(is);
});

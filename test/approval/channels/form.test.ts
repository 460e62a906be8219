import type { McpServer, ServerContext } from '@modelcontextprotocol/server';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  describeClient,
  FormChannel,
  readDecision,
  type SealedReply,
  unattendedAnswer,
} from '../../../src/approval/channels/form.ts';
import { makeRequest } from '../questions.ts';

const info = (name: string, version = '1.0') => ({ 'io.modelcontextprotocol/clientInfo': { name, version } });
const can = (elicitation?: object) => ({
  'io.modelcontextprotocol/clientCapabilities': elicitation === undefined ? {} : { elicitation },
});

/** What is read of a client whose connection said this, and whose request says that. */
const describeWith = (
  envelope: object | undefined,
  said: { readonly info?: object; readonly capabilities?: object } = {},
) =>
  describeClient(
    { server: { getClientVersion: () => said.info, getClientCapabilities: () => said.capabilities } } as McpServer,
    { mcpReq: { envelope } } as unknown as ServerContext,
  );

describe('what a client says of itself', () => {
  test('is read from each request, whatever the connection said', () => {
    const connection = { info: { name: 'old', version: '0' }, capabilities: {} };
    expect(describeWith({ ...info('claude-code', '2.1.332'), ...can({ form: {} }) }, connection)).toEqual({
      name: 'claude-code 2.1.332',
      canShowForm: true,
      hidesForms: false,
      canOpenUrl: false,
    });
  });

  test('is read from the connection where a request says nothing', () => {
    const connection = { info: { name: 'old', version: '0' }, capabilities: { elicitation: { url: {} } } };
    expect(describeWith(undefined, connection)).toEqual({
      name: 'old 0',
      canShowForm: false,
      hidesForms: false,
      canOpenUrl: true,
    });
  });

  test('may be nothing at all', () => {
    expect(describeWith(undefined)).toEqual({
      name: '',
      canShowForm: false,
      hidesForms: false,
      canOpenUrl: false,
    });
  });

  test('is cut where it is read, and shows what is hidden in it', () => {
    const { name } = describeWith({ ...info('n'.repeat(1_000_000), 'v\u200b'.repeat(500)), ...can() });
    expect(name).toBe(`${'n'.repeat(49)}… ${String.raw`v\u{200b}`.repeat(5)}v…`);
  });

  test.each([
    ['nothing of elicitation', undefined, false, false],
    ['elicitation without a kind, as the first clients', {}, true, false],
    ['forms', { form: {} }, true, false],
    ['addresses only', { url: {} }, false, true],
    ['forms and addresses', { form: {}, url: {} }, true, true],
  ])('%s', (_, elicitation, canShowForm, canOpenUrl) => {
    expect(describeWith(can(elicitation))).toMatchObject({ canShowForm, canOpenUrl });
  });

  test.each([
    ['claude-ai', true],
    ['Claude Desktop', true],
    ['claude_desktop', true],
    ['claudedesktop', true],
    ['Cowork', true],
    ['claude-ai-like', false],
    ['not-claude-ai', false],
    ['claude-code', false],
    ['vscode', false],
  ])('%s draws no forms, whatever it says: %s', (name, hidesForms) => {
    expect(describeWith({ ...info(name), ...can({ form: {} }) }).hidesForms).toBe(hidesForms);
  });
});

const request = makeRequest();

const callOf = (method: string, state?: unknown, inputResponses?: object) =>
  ({ mcpReq: { method, requestState: () => state, inputResponses } }) as unknown as ServerContext;
const call = callOf('tools/call');

/** A form of the deletion of DC07, and what comes back with its state. */
async function askForm(channel = new FormChannel('auto')) {
  const form = await channel.ask(request, { context: call, minutes: 10, command: 'mdi-sensors-mcp approve' });
  const state = form.requestState ?? '';
  const verified = (text = state, context = call) => channel.serverOptions.requestState.verify(text, context);
  return { channel, form, state, verified };
}

describe('a question as a form', () => {
  test('has one field that has to be filled in, and names what to type', async () => {
    const { form } = await askForm();
    expect(form.inputRequests?.confirm?.params).toEqual({
      mode: 'form',
      message: [
        'Contoso 8c157435: delete DC07.contoso.com',
        'Tenant "Contoso" (8c157435-5df6-4f27-8379-39535f133377)',
        'To approve, type: DC07.contoso.com',
      ].join('  \n'),
      requestedSchema: {
        type: 'object',
        properties: {
          typed: {
            type: 'string',
            title: 'Type DC07.contoso.com',
            description: 'Valid for 10 minutes; the whole question: mdi-sensors-mcp approve',
          },
        },
        required: ['typed'],
      },
    });
  });

  test('waits as long as the question is open, and four rounds at most', () => {
    expect(new FormChannel('auto').serverOptions.inputRequired).toEqual({ roundTimeoutMs: 600_000, maxRounds: 4 });
  });
});

describe('the sealed state of a form', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('holds its nonce and digest', async () => {
    const { verified } = await askForm();
    expect(await verified()).toEqual({ ok: true, payload: { v: 1, nonce: 'the nonce', digest: 'the digest' } });
  });

  test.each<[string, (state: string) => string, string]>([
    ['nothing', () => '', 'malformed'],
    ['garbage', () => 'approve', 'malformed'],
    ['a changed ending', (state) => `${state.slice(0, -4)}AAAA`, 'mac'],
  ])('that is %s is told as unsealed, and throws nothing', async (_, change, reason) => {
    const { state, verified } = await askForm();
    expect(await verified(change(state))).toEqual({ ok: false, reason });
  });

  test('of another process is not sealed here', async () => {
    const [{ verified }, { state }] = await Promise.all([askForm(), askForm()]);
    expect(await verified(state)).toEqual({ ok: false, reason: 'mac' });
  });

  test('counts for calls of tools alone', async () => {
    const { state, verified } = await askForm();
    expect(await verified(state, callOf('prompts/get'))).toEqual({ ok: false, reason: 'bind' });
  });

  test.each([
    ['14 minutes', 14 * 60_000, true],
    ['16 minutes', 16 * 60_000, false],
  ])('lasts 15 minutes, longer than the question: after %s', async (_, ageMs, ok) => {
    const { state, verified } = await askForm();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ageMs });
    expect((await verified(state)).ok).toBe(ok);
  });
});

describe('what a client brings back', () => {
  const channel = new FormChannel('auto');
  const sealed = { ok: true, payload: { v: 1, nonce: 'n', digest: 'd' } };
  const confirm = (answer: unknown) => ({ confirm: answer });

  test.each<[string, unknown, object | undefined, object]>([
    ['nothing', undefined, undefined, { kind: 'none', isStray: false }],
    ['no answer', undefined, {}, { kind: 'none', isStray: false }],
    ['a sign-in', undefined, { signIn: { action: 'accept' } }, { kind: 'none', isStray: false }],
    ['an answer without a state', undefined, confirm({ action: 'accept' }), { kind: 'none', isStray: true }],
    [
      'a sign-in and an answer without a state',
      undefined,
      { signIn: { action: 'accept' }, ...confirm({ action: 'accept' }) },
      { kind: 'none', isStray: true },
    ],
    ['a state that nobody has verified', 'a text', undefined, { kind: 'unsealed', reason: 'unreadable' }],
    ['a state of nothing', null, undefined, { kind: 'unsealed', reason: 'unreadable' }],
    [
      'a changed state',
      { ok: false, reason: 'mac' },
      confirm({ action: 'accept' }),
      { kind: 'unsealed', reason: 'mac' },
    ],
    [
      'a state of another version',
      { ok: true, payload: { v: 2, nonce: 'n', digest: 'd' } },
      confirm({ action: 'accept' }),
      { kind: 'unsealed', reason: 'unreadable' },
    ],
    ['a state alone', sealed, undefined, { action: 'missing', content: undefined }],
    ['an answer to something else', sealed, { other: { action: 'accept' } }, { action: 'missing', content: undefined }],
    ['null for an answer', sealed, confirm(null), { action: 'missing', content: undefined }],
    ['an unknown action', sealed, confirm({ action: 'approve' }), { action: 'missing', content: undefined }],
    ['an answer of another kind', sealed, confirm({ roots: [] }), { action: 'missing', content: undefined }],
    ['a decline', sealed, confirm({ action: 'decline' }), { action: 'decline', content: undefined }],
    ['a closed form', sealed, confirm({ action: 'cancel' }), { action: 'cancel', content: undefined }],
    [
      'a filled form',
      sealed,
      confirm({ action: 'accept', content: { typed: 'x' } }),
      { action: 'accept', content: { typed: 'x' } },
    ],
  ])('%s', (_, state, responses, reply) => {
    const expected = 'kind' in reply ? reply : { kind: 'sealed', nonce: 'n', digest: 'd', ...reply };
    expect(channel.readReply(callOf('tools/call', state, responses))).toEqual(expected);
  });
});

describe('what a form decides', () => {
  const answer = (action: SealedReply['action'], content?: unknown): SealedReply => ({
    kind: 'sealed',
    nonce: 'n',
    digest: 'd',
    action,
    content,
  });
  const right = { typed: 'DC07.contoso.com' };
  const unattended = { kind: 'unattended' };

  test.each<[string, SealedReply, number, object]>([
    ['an approval a millisecond too soon', answer('accept', right), 999, unattended],
    ['an approval after a second', answer('accept', right), 1_000, { kind: 'approve', typed: 'DC07.contoso.com' }],
    ['a decline a millisecond too soon', answer('decline'), 299, unattended],
    ['a decline after 300 milliseconds', answer('decline'), 300, { kind: 'decline' }],
    ['a closing a millisecond too soon', answer('cancel'), 299, unattended],
    ['a closing after 300 milliseconds', answer('cancel'), 300, { kind: 'close' }],
    ['an answer that the line filter made', { ...answer('cancel'), ...unattendedAnswer }, 60_000, unattended],
    ['a decline that says more', answer('decline', { unattended: true }), 60_000, { kind: 'decline' }],
    ['an approval of nothing', answer('accept'), 60_000, unattended],
    ['an approval with nothing in it', answer('accept', {}), 60_000, unattended],
    ['an approval of blanks', answer('accept', { typed: ' \t ' }), 60_000, unattended],
    ['an approval of null', answer('accept', { typed: null }), 60_000, unattended],
    ['an approval of a number', answer('accept', { typed: 7 }), 60_000, unattended],
    ['an approval by a text that says no', answer('accept', { typed: ' No ' }), 60_000, { kind: 'decline' }],
    ['an approval by a wrong text', answer('accept', { typed: 'yes' }), 60_000, { kind: 'approve', typed: 'yes' }],
    ['an approval that says more', answer('accept', { ...right, more: 1 }), 60_000, { kind: 'approve', ...right }],
  ])('%s', (_, reply, ageMs, decision) => {
    expect(readDecision(reply, ageMs)).toEqual(decision);
  });
});

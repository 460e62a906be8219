import { expect, test } from 'vitest';
import { prepareSignIn } from '../../src/commands/approvalSignIn.ts';
import { readConfig } from '../../src/config.ts';
import { createVirtualClock } from '../harness/clock.ts';

const prepare = (flags: object, environment: Record<string, string>) =>
  prepareSignIn(readConfig({ ...flags }, {}), environment, createVirtualClock());
const tenant = { AZURE_TENANT_ID: 'contoso.onmicrosoft.com' };
const app = { AZURE_CLIENT_ID: '33333333-3333-4333-8333-333333333333' };

test('with --approval signin a tenant and an app are enough, whichever app it is', () => {
  const own = { MDI_MCP_APPROVAL_CLIENT_ID: app.AZURE_CLIENT_ID };
  for (const variables of [app, own])
    expect(prepare({ approval: 'signin' }, { ...tenant, ...variables })).toBeDefined();
  expect(prepare({ approval: 'auto' }, {})).toBeUndefined();
});

test.each<[string, object, Record<string, string>, string]>([
  [
    'without a tenant',
    { approval: 'signin' },
    app,
    '--approval signin needs AZURE_TENANT_ID, the tenant in which people sign in to approve.',
  ],
  [
    'without an app',
    { approval: 'signin' },
    tenant,
    '--approval signin needs MDI_MCP_APPROVAL_CLIENT_ID or AZURE_CLIENT_ID, the app in which people sign in to approve.',
  ],
  [
    'with a simulated tenant',
    { approval: 'signin', simulate: true },
    { ...tenant, ...app },
    '--approval signin is for a real tenant, and nobody can sign in to a simulated one; use --approval page.',
  ],
  [
    'with --approvers other on another channel',
    { approval: 'page', approvers: 'other' },
    { ...tenant, ...app },
    '--approvers other needs --approval signin: without a sign-in nobody knows who answers.',
  ],
])('%s the start ends with a sentence', (_, flags, variables, sentence) => {
  expect(() => prepare(flags, variables)).toThrow(new Error(sentence));
});

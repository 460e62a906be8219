import { expect, test } from 'vitest';
import {
  approvalPath,
  callbackPath,
  createRemoteChannels,
  formatApprovalAddress,
} from '../../../src/approval/channels/address.ts';

const origin = 'https://mdi.contoso.com';
const question = { nonce: 'the nonce', id: 'a1b2', channel: 'signin' } as const;

test('everything of the page behind a sign-in lies below one path', () => {
  expect([approvalPath, callbackPath]).toEqual(['/approve', '/approve/callback']);
  expect(formatApprovalAddress(origin, question)).toBe('https://mdi.contoso.com/approve/a1b2');
});

test('a server under a public URL asks behind a sign-in alone, and opens nothing', async () => {
  const channels = createRemoteChannels(origin);
  expect(channels.preferred).toBe('signin');
  expect(await channels.show('signin', question, true)).toBeUndefined();
  expect(await channels.offerTerminal()).toBeUndefined();
  expect([channels.isOnScreen('signin'), channels.isUnfetched('the nonce')]).toEqual([false, false]);
  expect(channels.describePlace(question)).toBe(
    'on the page https://mdi.contoso.com/approve/a1b2, after a sign-in with Microsoft Entra',
  );
});

import { expect, test } from 'vitest';
import { createLedger } from '../../src/approval/ledger.ts';
import { questionOf } from '../../src/approval/question.ts';

const place = (principal: string) => ({
  cloud: 'global' as const,
  graphRoot: 'https://graph.microsoft.com',
  graphVersion: 'v1.0' as const,
  tenantLabel: 'Contoso',
  simulated: true,
  identity: { tenantId: 't', kind: 'app' as const, id: 'a', appId: 'a', name: 'a' },
  principal,
  clientName: 'somebody',
  settings: [],
  secretsFolder: undefined,
});
const plan = {
  act: { verb: 'Delete', noun: 'sensor' },
  confirm: 'targets' as const,
  targets: [],
  changes: [],
  consequences: [],
  requests: [],
};

test('a full ledger refuses a new question, whoever asks, and keeps every live one', () => {
  const ledger = createLedger({ wall: () => 0, monotonic: () => 0 }, () => undefined);
  const open = (index: number) =>
    ledger.open({
      key: String(index),
      digest: '',
      channel: 'page',
      note: [],
      leaving: new Set(),
      question: questionOf('delete_sensor', plan, place(`principal ${Math.floor(index / 3)}`)),
    });
  const entries = Array.from({ length: 100 }, (_, index) => open(index));
  expect(() => open(100)).toThrow(
    expect.objectContaining({ code: 'approval_busy', message: expect.stringContaining('Too much was asked') }),
  );
  expect(entries.map(({ nonce }) => ledger.look(nonce)?.status)).toEqual(Array(100).fill('pending'));
});

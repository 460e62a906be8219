import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { formatKills, kill, secretsIn } from '../fuzz/kills.ts';

const cli = (...args: string[]) => {
  const { status, stdout } = spawnSync(process.execPath, ['dist/main.js', ...args], { encoding: 'utf8' });
  return { status, stdout };
};

test('servers that are killed in the middle of gated calls leave logs that tell the truth, and no approval', async () => {
  const seed = 833;
  const all = await kill(6, seed);
  process.stdout.write(`${formatKills(seed, all)}\n`);
  expect(all).toMatchObject({ runs: 6, unannounced: 0, untrue: 0, broken: 0, survived: 0 });
  for (const count of [all.acts, all.open, all.requests, all.brought]) expect(count).toBeGreaterThan(0);

  const verified = cli('--audit-log', all.auditLog, 'audit', 'verify');
  // Some acts have no known outcome.
  expect(verified.status).toBe(3);
  expect(verified.stdout.match(/began an act whose outcome is unknown/g)).toHaveLength(all.open);

  const { whole, waiting, torn } = secretsIn(all.secretsDir);
  expect(torn).toBe(0);
  const listed = cli('--secrets-dir', all.secretsDir, 'secrets').stdout;
  expect(listed.match(/access-key_/g)).toHaveLength(whole + waiting);
  expect(listed.match(/ unfinished /g) ?? []).toHaveLength(waiting);
}, 120_000);

import { expect, test } from 'vitest';
import { formatFindings, fuzz } from './fuzz.ts';

// A long run is `npm run fuzz`.

const seed = 7;
test('whatever a client sends over stdio, the server goes on, answers, and lets nothing gated through', async () => {
  const found = await fuzz('over stdio', 300, seed);
  process.stdout.write(`${formatFindings('over stdio', seed, found)}\n`);
  expect(found).toMatchObject({ crashes: 0, hangs: 0, strays: 0, gated: 0 });
  expect(found.messages).toBeGreaterThanOrEqual(300);
  expect(found.questions).toBeGreaterThan(0);
}, 120_000);

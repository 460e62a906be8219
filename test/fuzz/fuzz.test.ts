import { expect, test } from 'vitest';
import { formatFindings, fuzz } from './fuzz.ts';

// A long run is `npm run fuzz`.

const seed = 7;
test.each([
  ['in process', 2_000],
  ['over stdio', 500],
] as const)(
  'whatever a client sends %s, the server goes on, answers, and lets nothing gated through',
  async (transport, messages) => {
    const found = await fuzz(transport, messages, seed);
    process.stdout.write(`${formatFindings(transport, seed, found)}\n`);
    expect(found).toMatchObject({ crashes: 0, hangs: 0, strays: 0, gated: 0 });
    expect(found.messages).toBeGreaterThanOrEqual(messages);
    expect(found.questions).toBeGreaterThan(0);
  },
  120_000,
);

import { expect, type TestContext, test } from 'vitest';
import { tell } from './tables.ts';

const headings = ['attack', 'channel', 'era and client', 'gated requests that reached Graph'];

/** A test that tries to get round the gate and answers with the number of gated requests that reached Graph: 0, or what is named. */
export function attack(
  name: string,
  { on, channel = 'form', reach = 0 }: { on: string; channel?: string; reach?: number },
  attempt: (context: TestContext) => Promise<number>,
) {
  test(`${name} (${on})`, async (context) => {
    const requests = await attempt(context);
    tell(context, headings, [name, channel, on, String(requests)]);
    expect(requests).toBe(reach);
  });
}

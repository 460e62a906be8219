import { expect } from 'vitest';

/** How every access key of the simulated tenant begins. */
export const keysBegin = 'U0lNVUxBVEVE';

/** Fails when an access key got into what a model, a person or a log has seen. */
export function expectNoKeyIn(seen: string): void {
  const at = seen.indexOf(keysBegin);
  expect(at === -1 ? 'no key' : seen.slice(Math.max(0, at - 200), at + 100)).toBe('no key');
}

import { expect, test } from 'vitest';
import { catalogue } from './catalogue.ts';
import { stages } from './cells.ts';

test('the matrix has at least 1,976 cells: every stage of every tool under every fault', () => {
  expect(Object.values(stages).flat().length * catalogue.length).toBeGreaterThanOrEqual(1_976);
});

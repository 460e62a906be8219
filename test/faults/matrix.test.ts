import { expect, test } from 'vitest';
import { catalogue } from './catalogue.ts';
import { stages } from './cells.ts';

test('the matrix has 1,976 cells: every stage of every tool under every fault', () => {
  const { read, plan, send, after } = stages;
  expect([read, plan, send, after].map(({ length }) => length * catalogue.length)).toEqual([572, 468, 520, 416]);
  expect(Object.values(stages).flat().length * catalogue.length).toBe(1_976);
});

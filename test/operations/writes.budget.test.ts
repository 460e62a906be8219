import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { operations } from '../../src/operations/index.ts';
import { gatedTools } from '../harness/tools.ts';

const writes = operations.filter(({ effect }) => effect !== 'read');
const slim = (schema: z.ZodType, io: 'input' | 'output') => {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
};

test('names, descriptions and inputs of the writes have at most 125 tokens each, on average', () => {
  const tools = writes.map(({ name, description, input }) => ({
    name,
    description,
    inputSchema: slim(input, 'input'),
  }));
  expect(tools.map(({ name }) => name)).toEqual(gatedTools);
  const tokens = tools.reduce((sum, tool) => sum + encode(JSON.stringify(tool)).length, 0);
  expect(tokens).toBeLessThanOrEqual(125 * gatedTools.length);
  expect(tools.filter(({ description }) => description.length > 400)).toEqual([]);
});

test('no output schema of a write has more than 700 bytes, and the outcome is its first word', () => {
  for (const { output } of writes) {
    expect(JSON.stringify(slim(output, 'output')).length).toBeLessThanOrEqual(700);
    expect(Object.keys(output.shape)[0]).toBe('outcome');
  }
});

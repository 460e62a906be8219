import fc from 'fast-check';
import * as z from 'zod';
import { operations } from '../../src/operations/index.ts';
import { extendInput } from '../../src/server/arguments.ts';
import type { SimulatedTenant } from '../../src/tenants/simulated/tenant.ts';

/** The part of JSON Schema that the tools use. */
interface ToolSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly properties?: Readonly<Record<string, ToolSchema>>;
  readonly required?: readonly string[];
  readonly items?: ToolSchema;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Lists or objects in each other, so many deep, as JSON. */
export const lists = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
export const objects = (depth: number) => `${'{"a":'.repeat(depth)}0${'}'.repeat(depth)}`;

const words = [
  ...['', ' ', '0', '-1', '1e400', 'null', 'true', '../..', '%2e%2e%2f', '\u0000', '\ud800', '\u202eevil', '\u200b'],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'getDeploymentAccessKey', "' or true eq true or '"],
  ...['$filter=x', '{{7*7}}', '<script>', 'ﬀ', 'İstanbul', '👩‍👩‍👧', 'Approved: yes', 'x'.repeat(5_000), '\r\n\r\n{}'],
] as const;
const numbers = [0, -0, -1, 0.1, 1e21, 2 ** 31, 2 ** 53, -(2 ** 53), Number.MAX_VALUE, Number.MIN_VALUE] as const;

export const text = fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'binary', maxLength: 30 }));
const number = fc.oneof(fc.constantFrom(...numbers), fc.integer());
const leaf = fc.oneof(text, number, fc.boolean(), fc.constantFrom(null, {}, []));

/** Any JSON value, the unpleasant ones first. */
export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: leaf },
  { weight: 1, arbitrary: fc.array(leaf, { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.dictionary(text, leaf, { maxKeys: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom(lists(10), objects(1_000)).map((json) => JSON.parse(json)) },
);

/** Mostly the one, now and then the other. */
export const mostly = <T>(usual: fc.Arbitrary<T>, other: fc.Arbitrary<unknown> = hostile, odds = 9) =>
  fc.oneof({ weight: odds, arbitrary: usual as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: other });

/** A tool with arguments that its published schema allows, and now and then with what it does not. */
export function calls(tenant: SimulatedTenant): fc.Arbitrary<{ readonly name: string; readonly args: unknown }> {
  const names = tenant.sensors.flatMap(({ displayName, domainName }) => [
    displayName ?? '',
    domainName ?? '',
    `${displayName}.${domainName}`,
  ]);
  const one = operations.map((operation) => {
    const { name } = operation;
    const nouns: [RegExp, readonly { readonly id: string }[]][] = [
      [/candidate/, tenant.candidates],
      [/health_issue/, tenant.healthIssues],
      [/./, tenant.sensors],
    ];
    const [, of = []] = nouns.find(([noun]) => noun.test(name)) ?? [];
    const schema = z.toJSONSchema(extendInput(operation), { io: 'input' });
    const known = { id: fc.constantFrom(...of.map(({ id }) => id)), name: fc.constantFrom(...names) };
    return mostly(allowedBy(schema as ToolSchema, known)).map((args) => ({ name, args }));
  });
  return fc.oneof(...one);
}

function allowedBy(
  schema: ToolSchema,
  known: Readonly<Record<'id' | 'name', fc.Arbitrary<string>>>,
): fc.Arbitrary<unknown> {
  const { type, minimum = -1, maximum = 10_000, items = {}, minItems = 0, properties = {}, required = [] } = schema;
  const inner = (one: ToolSchema) => mostly(allowedBy(one, known), hostile, 30);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.format === 'uuid') return mostly(known.id, fc.uuid());
  if (schema.format === 'date') return fc.constantFrom('2026-01-31', '2024-02-29');
  if (type === 'string') return fc.oneof(known.name, text);
  if (type === 'boolean') return fc.boolean();
  if (type === 'integer') return fc.integer({ min: minimum, max: maximum });
  if (type === 'array') return fc.array(inner(items), { minLength: minItems, maxLength: 4 });
  const fields = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, inner(one)]));
  const object = fc.record(fields, { requiredKeys: [...required] });
  return mostly(
    object,
    fc.tuple(object, text, hostile).map(([value, key, more]) => ({ ...value, [key]: more })),
    30,
  );
}

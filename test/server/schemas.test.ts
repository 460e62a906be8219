import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { operations } from '../../src/operations/index.ts';
import { extendInput } from '../../src/server/arguments.ts';
import { describeTool } from '../../src/server/tools.ts';
import { tell } from '../harness/tables.ts';
import { tools as toolRows } from '../harness/tools.ts';

/** The part of JSON Schema that can be published. */
interface PublishedSchema {
  readonly [keyword: string]: unknown;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, PublishedSchema>>;
  readonly items?: PublishedSchema;
  readonly required?: readonly string[];
}

const publish = (operation: (typeof operations)[number]) =>
  describeTool(operation).inputSchema['~standard'].jsonSchema.input({ target: 'draft-2020-12' }) as PublishedSchema;
const published = operations.map((operation) => ({ name: operation.name, schema: publish(operation) }));

/** A schema and every one inside it. */
function listSchemas(schema: PublishedSchema): PublishedSchema[] {
  const inner = [...Object.values(schema.properties ?? {}), ...(schema.items ? [schema.items] : [])];
  return [schema, ...inner.flatMap(listSchemas)];
}
const listKeywords = (schema: PublishedSchema) => [...new Set(listSchemas(schema).flatMap((one) => Object.keys(one)))];

const bounds = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength'];
const compositions = ['anyOf', 'oneOf', 'allOf', 'not', 'if', '$ref', '$defs', 'patternProperties', 'prefixItems'];

interface HostRules {
  readonly host: string;
  /** What it leaves out without a word. */
  readonly drops: readonly string[];
  /** Why it would refuse a tool with this schema; empty where it takes it. */
  readonly refuse: (schema: PublishedSchema) => readonly string[];
}

const refuseKeywords = (refused: readonly string[]) => (schema: PublishedSchema) =>
  listKeywords(schema).filter((keyword) => refused.includes(keyword));

const isClosed = ({ type, additionalProperties, properties }: PublishedSchema) =>
  type !== 'object' || (additionalProperties === false && properties !== undefined);

const hostRules: readonly HostRules[] = [
  {
    // https://platform.openai.com/docs/guides/function-calling
    host: 'OpenAI functions',
    drops: [],
    refuse: (schema) => [
      ...(schema.type === 'object' && schema.properties !== undefined ? [] : ['no object with properties']),
      ...listSchemas(schema).flatMap(({ type, items }) =>
        type === 'array' && items === undefined ? ['no items'] : [],
      ),
      ...refuseKeywords(['oneOf', 'anyOf', 'allOf', 'enum', 'not'])({ ...schema, properties: {} }),
    ],
  },
  {
    // https://platform.openai.com/docs/guides/structured-outputs#supported-schemas; `mcpToFunctionTool` of @openai/agents-core
    // makes every argument required and nullable, so that a model sends null for the optional ones. Azure refuses defaults:
    // https://github.com/openai/openai-agents-python/issues/4390
    host: 'OpenAI strict mode',
    drops: [],
    refuse: (schema) => [
      ...refuseKeywords(['default', 'minLength', 'maxLength', 'oneOf', 'allOf', 'not', 'if', 'patternProperties'])(
        schema,
      ),
      ...listSchemas(schema).flatMap((one) => (isClosed(one) ? [] : ['additionalProperties'])),
      ...listSchemas(schema).flatMap(({ format }) =>
        format === undefined || /^(date-time|time|date|duration|email|hostname|ipv[46]|uuid)$/.test(String(format))
          ? []
          : ['format'],
      ),
    ],
  },
  {
    // https://ai.google.dev/api/caching#Schema; `processJsonSchema` of @google/genai leaves out additionalProperties alone, and
    // @ai-sdk/google `default` too.
    host: 'Gemini parameters',
    drops: ['additionalProperties'],
    refuse: (schema) => [
      ...refuseKeywords([
        'oneOf',
        'allOf',
        'not',
        'if',
        '$ref',
        '$defs',
        'const',
        'patternProperties',
        'exclusiveMinimum',
        'exclusiveMaximum',
      ])(schema),
      ...listSchemas(schema).flatMap(({ type }) => (typeof type === 'string' ? [] : ['type'])),
      ...listSchemas(schema).flatMap(({ type, format }) =>
        type !== 'string' || format === undefined || format === 'enum' || format === 'date-time' ? [] : ['format'],
      ),
      ...listSchemas(schema).flatMap(({ type, enum: words }) =>
        words === undefined || type === 'string' ? [] : ['enum'],
      ),
    ],
  },
  {
    // https://platform.claude.com/docs/en/build-with-claude/structured-outputs
    host: 'Anthropic strict tools',
    drops: [],
    refuse: (schema) => [
      ...refuseKeywords([...bounds, 'minItems', 'maxItems', 'if', 'not', 'patternProperties', 'prefixItems'])(schema),
      ...refuseKeywords(['oneOf', 'anyOf', 'allOf'])({ ...schema, properties: {} }),
      ...listSchemas(schema).flatMap((one) => (isClosed(one) ? [] : ['additionalProperties'])),
      ...Object.keys(schema.properties ?? {}).filter((name) => !/^[a-zA-Z0-9_.-]{1,64}$/.test(name)),
    ],
  },
  {
    // https://learn.microsoft.com/microsoft-copilot-studio/mcp-troubleshooting: an enum is plain text there, so that its words come
    // in any letter case.
    host: 'Copilot Studio',
    drops: ['enum'],
    refuse: (schema) => [
      ...refuseKeywords(['$ref', '$defs'])(schema),
      ...listSchemas(schema).flatMap(({ type }) => (Array.isArray(type) ? ['type'] : [])),
    ],
  },
  {
    // https://ajv.js.org/strict-mode.html: it throws at a format or keyword that it does not know.
    host: 'Ajv without formats',
    drops: [],
    refuse: (schema) => {
      try {
        new Ajv({ logger: false }).compile(schema);
        return [];
      } catch (error) {
        return [String(error)];
      }
    },
  },
];

describe.each(hostRules)('for $host', ({ host, drops, refuse }) => {
  test('no published schema is refused', (context) => {
    const refused = published
      .map(({ name, schema }) => [name, refuse(schema)] as const)
      .filter(([, why]) => why.length > 0);
    const used = new Set(published.flatMap(({ schema }) => listKeywords(schema)));
    tell(
      context,
      ['Host', 'Tools', 'Refused', 'Left out by it'],
      [
        host,
        String(published.length),
        String(refused.length),
        drops.filter((keyword) => used.has(keyword)).join() || 'nothing',
      ],
    );
    expect(published).toHaveLength(22);
    expect(refused).toEqual([]);
  });
});

test.each<[string, PublishedSchema, string[]]>([
  ['a format', { type: 'string', format: 'word' }, ['OpenAI strict mode', 'Gemini parameters', 'Ajv without formats']],
  ['the format uuid', { type: 'string', format: 'uuid' }, ['Gemini parameters', 'Ajv without formats']],
  ['a bound', { type: 'integer', maximum: 200 }, ['Anthropic strict tools']],
  ['a length of text', { type: 'string', maxLength: 20 }, ['OpenAI strict mode', 'Anthropic strict tools']],
  ['a length of a list', { type: 'array', items: { type: 'string' }, maxItems: 50 }, ['Anthropic strict tools']],
  ['a default', { type: 'boolean', default: false }, ['OpenAI strict mode']],
  ['two types', { type: ['string', 'null'] as never }, ['Gemini parameters', 'Copilot Studio']],
])('the rules would see %s', (_, one, hosts) => {
  const schema = { type: 'object', properties: { one }, required: [], additionalProperties: false };
  expect(hostRules.filter(({ refuse }) => refuse(schema).length > 0).map(({ host }) => host)).toEqual(hosts);
});

test('the schemas have these keywords and no others, and `required` also where nothing is', () => {
  expect([...new Set(published.flatMap(({ schema }) => listKeywords(schema)))].sort()).toEqual([
    'additionalProperties',
    'description',
    'enum',
    'items',
    'properties',
    'required',
    'type',
  ]);
  expect(published.filter(({ schema }) => compositions.some((keyword) => keyword in schema))).toEqual([]);
  expect(published.filter(({ schema }) => !Array.isArray(schema.required))).toEqual([]);
  expect(published.find(({ name }) => name === 'get_sensor')?.schema.required).toEqual([]);
});

test.each(published)(
  'every argument of $name that is published is described and checked, and the other way',
  ({ name, schema }) => {
    const operation = operations.find((one) => one.name === name);
    const { shape } = extendInput(operation ?? operations[0]);
    expect(Object.keys(schema.properties ?? {}).sort()).toEqual(Object.keys(shape).sort());
    const undescribed = Object.entries(schema.properties ?? {}).filter(
      ([, { description }]) => typeof description !== 'string',
    );
    expect(undescribed).toEqual([]);
  },
);

test.each(published)('the ordinary call of $name fits what is published and what is checked', ({ name, schema }) => {
  const { args } = toolRows[name];
  const validate = new Ajv().compile(schema);
  expect(validate(args), JSON.stringify(validate.errors)).toBe(true);
  const operation = operations.find((one) => one.name === name);
  expect(extendInput(operation ?? operations[0]).safeParse(args).success).toBe(true);
});

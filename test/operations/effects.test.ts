import { expect, test } from 'vitest';
import { createQuestion } from '../../src/approval/question.ts';
import { describeQuestion, formatQuestion } from '../../src/approval/questionText.ts';
import { isPersonAsked } from '../../src/operations/effects.ts';
import { operations } from '../../src/operations/index.ts';
import type { Plan } from '../../src/operations/operation.ts';

const base = { targets: [], changes: [], consequences: [], requests: [] };
const act = { word: 'delete', verb: 'Delete', noun: 'sensor tag' };
const identity = {
  tenantId: '8c157435-0000-4000-8000-000000000000',
  kind: 'app',
  id: 'a',
  appId: 'a',
  name: 'app',
} as const;
const place = {
  cloud: 'global',
  graphRoot: 'https://graph.microsoft.com',
  graphVersion: 'v1.0',
  tenantLabel: 'Contoso',
  simulated: true,
  identity,
  principal: 'somebody',
  clientName: 'test',
  settings: [],
} as const;

test('an act that cannot be taken back, discloses or rolls out and names nothing to type does not compile', () => {
  // @ts-expect-error without `types` there is no such plan
  const unnamed: Plan<'destroy'> = { act, ...base };
  // @ts-expect-error nothing but a name, a count or the tenant is typed
  const chosen: Plan<'destroy'> = { act, ...base, types: 'everything' };
  // @ts-expect-error a count is not enough to disclose
  const disclosed: Plan<'disclose'> = { act, ...base, types: 'count' };
  // @ts-expect-error a rollout says what it takes
  const rolledOut: Plan<'rollout'> = { act, ...base };
  const typed: Plan<'destroy'> = { act, ...base, types: 'count' };
  expect([unnamed, chosen, disclosed, rolledOut, typed]).toHaveLength(5);
});

test('the heading names the object that the plan names, never another one', () => {
  const plan: Plan = { act, ...base, targets: [{ id: '1', name: 'Empty', details: {} }], types: 'name' };
  const question = createQuestion('delete_sensor_tag', 'destroy', plan, place);
  expect(describeQuestion(question).action).toBe('Delete sensor tag Empty?');
  expect(formatQuestion(question)).toContain('\n\nDelete sensor tag Empty?\n');
});

test('of an act on several the heading says how many, and what is typed begins with the verb', () => {
  const targets = [
    { id: '1', name: 'Empty', details: {} },
    { id: '2', name: 'Full', details: {} },
  ];
  const question = createQuestion('delete_sensor_tag', 'destroy', { act, ...base, targets, types: 'count' }, place);
  expect(describeQuestion(question).action).toBe('Delete 2 sensor tags?');
  expect(question.typed).toBe('delete 2 Contoso');
});

test.each([
  ['a change of one without a consequence', 'change', 1, 0, false],
  ['a change of several', 'change', 2, 0, true],
  ['a change with a consequence', 'change', 1, 1, true],
  ['a rollout', 'rollout', 0, 0, true],
  ['a disclosure', 'disclose', 0, 0, true],
  ['what cannot be taken back', 'destroy', 1, 0, true],
] as const)('a person is asked as the table says: %s', (_, effect, targets, consequences, asked) => {
  const plan = { targets: Array(targets).fill(0), consequences: Array(consequences).fill(0) };
  expect(isPersonAsked(effect, plan, false)).toBe(asked);
  expect(isPersonAsked(effect, plan, true)).toBe(true);
});

test('only the tools that remove sensors make sensors count as gone while they wait', () => {
  const removing = operations.filter((operation) => 'removesSensors' in operation).map(({ name }) => name);
  expect(removing).toEqual(['delete_sensor', 'delete_stale_sensors']);
});

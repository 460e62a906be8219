import { expect, test } from 'vitest';
import * as z from 'zod';
import { clouds } from '../../src/graph/clouds.ts';
import type { Endpoint } from '../../src/graph/endpoint.ts';
import { issueSeverities, issueStatuses, issueTypes } from '../../src/graph/endpoints/healthIssues.ts';
import { endpoints } from '../../src/graph/endpoints/index.ts';
import { activationModes, deviceTypes } from '../../src/graph/endpoints/sensorCandidates.ts';
import {
  deploymentStatuses,
  migrationStates,
  sensorHealthStatuses,
  sensorTypes,
  serviceStatuses,
} from '../../src/graph/endpoints/sensors.ts';
import { graphAppId, roleIds, scopeIds } from '../../src/graph/permissions.ts';
import { answerFacts, bodyFacts, cloudFacts, enumFacts, operationFacts, permissionFacts } from './facts.ts';

const rows = Object.entries<Endpoint>(endpoints);
const rowOf = (name: string): Endpoint => {
  const [, row] = rows.find(([own]) => own === name) ?? [];
  if (row === undefined) throw new Error(`no endpoint is called ${name}`);
  return row;
};

const schema: z.ZodType<JsonSchema> = z.looseObject({
  properties: z
    .record(
      z.string(),
      z.lazy(() => schema),
    )
    .optional(),
  items: z.lazy(() => schema).optional(),
  anyOf: z.array(z.lazy(() => schema)).optional(),
});
interface JsonSchema {
  properties?: Record<string, JsonSchema> | undefined;
  items?: JsonSchema | undefined;
  anyOf?: JsonSchema[] | undefined;
}

/** Every property that a schema names, nested ones behind a dot; a page counts as its items. */
function namesIn(of: z.ZodType): string[] {
  const json = schema.parse(z.toJSONSchema(of, { io: 'input', unrepresentable: 'any' }));
  const walk = ({ properties = {}, items, anyOf = [] }: JsonSchema, before: string): string[] => [
    ...Object.entries(properties).flatMap(([name, inner]) => [`${before}${name}`, ...walk(inner, `${before}${name}.`)]),
    ...[items, ...anyOf].flatMap((inner) => (inner === undefined ? [] : walk(inner, before))),
  ];
  const names = walk(json, '').filter((name) => name !== 'value' && !name.startsWith('@odata.'));
  return [...new Set(names.map((name) => name.replace(/^value\./, '')))].sort();
}

const words = (text = '') => text.split(/\s+/).filter(Boolean).sort();

test('the clouds have the published addresses', () => {
  const addresses = Object.entries(clouds).map(([cloud, { graphRoot, authority }]) => [cloud, [graphRoot, authority]]);
  expect(Object.fromEntries(addresses)).toEqual(cloudFacts);
});

test('the permissions have the published ids', () => {
  const scopes: Readonly<Record<string, string>> = scopeIds;
  const ids = Object.entries(roleIds).map(([permission, role]) => [permission, [role, scopes[permission]]]);
  expect(Object.fromEntries(ids)).toEqual(permissionFacts);
  expect(graphAppId).toBe('00000003-0000-0000-c000-000000000000');
});

test('every operation of Graph has its row, and no other', () => {
  expect(rows.map(([name]) => name).sort()).toEqual(Object.keys(operationFacts).sort());
});

test.each(Object.entries(operationFacts))(
  '%s: routes, clouds, versions and permission are the published ones',
  (name, fact) => {
    const row = rowOf(name);
    const routes = [row.route, ...(row.alternatives ?? [])].map((route) => route.replace(/\{\w+\}/g, '{}'));
    expect({ routes, availability: row.availability, resend: row.resend, discloses: row.discloses }).toEqual({
      routes: fact.routes,
      availability: fact.availability,
      resend: fact.repeatable ? 'always' : 'never',
      discloses: fact.secret === true,
    });
    expect(fact.permission).toContain(row.permission);
  },
);

test.each(Object.entries(answerFacts))('%s: the answer has the published properties', (name, fact) => {
  expect([...rowOf(name).answer.names].sort()).toEqual(words(fact));
});

test.each([
  ['getSensor', 'listSensors'],
  ['getHealthIssue', 'listHealthIssues'],
  ['listSensorHealthIssues', 'listHealthIssues'],
])('%s answers with what %s lists', (single, listed) => {
  expect([...rowOf(single).answer.names].sort()).toEqual(words(answerFacts[listed]));
});

test.each(rows.map(([name, { body }]) => [name, body] as const))(
  '%s: the body has the published properties',
  (name, body) => {
    expect(body instanceof z.ZodUndefined ? [] : namesIn(body)).toEqual(words(bodyFacts[name]));
  },
);

test('the enumerations have the published members', () => {
  const own = {
    deploymentStatus: deploymentStatuses,
    sensorHealthStatus: sensorHealthStatuses,
    sensorType: sensorTypes,
    serviceStatus: serviceStatuses,
    sensorCandidateActivationMode: activationModes,
    healthIssueSeverity: issueSeverities,
    healthIssueStatus: issueStatuses,
    healthIssueType: issueTypes,
    migrationState: migrationStates,
    deviceType: deviceTypes,
  };
  expect(Object.fromEntries(Object.entries(own).map(([name, members]) => [name, members.join(' ')]))).toEqual(
    enumFacts,
  );
});

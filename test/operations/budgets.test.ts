import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { describe, expect, test } from 'vitest';
import { listSensorCandidates } from '../../src/operations/candidates/read.ts';
import { compareInventory } from '../../src/operations/fleet/compareInventory.ts';
import { summarizeFleet } from '../../src/operations/fleet/summarize.ts';
import { listHealthIssues } from '../../src/operations/healthIssues.ts';
import { operations } from '../../src/operations/index.ts';
import { listSensorMigrations } from '../../src/operations/migrations.ts';
import type { Operation } from '../../src/operations/operation.ts';
import { listSensors } from '../../src/operations/sensors/read.ts';
import { describeTool } from '../../src/server/tools.ts';
import { readTools } from '../harness/tools.ts';
import { type Holdings, openReader } from './graph.ts';

const reads = operations.filter(({ effect }) => effect === 'read');
const tokens = (value: unknown) => encode(JSON.stringify(value)).length;

/** A GUID whose digits do not repeat: a model's tokens count those dearer than zeros. */
const guid = (number: number) => {
  const hex = [1, 2, 3, 4].map((seed) => (Math.imul(number + seed, 2654435761) >>> 0).toString(16).padStart(8, '0'));
  return hex.join('').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};
const pick = <T>(values: readonly T[], index: number) => values[index % values.length];

const types = ['domainControllerIntegrated', 'adfsIntegrated', 'adcsIntegrated', 'adConnectIntegrated'] as const;
const statuses = ['upToDate', 'outdated', 'updating', 'updateFailed', 'notConfigured', 'unreachable', 'disconnected'];
const services = ['running', 'stopped', 'starting', 'disabled', 'onboarding', 'unknown'];
const titles = [
  'Directory Services Object Auditing is not enabled as required',
  'Network configuration mismatch for sensors running on VMware',
  'Sensor running on an operating system that will soon become unsupported',
  'Some network traffic could not be analyzed',
];

/** A fleet in which nothing is short: long names, many domains, every status, an issue and a candidate for each sensor. */
function fleetOf(size: number): Holdings {
  const all = Array.from({ length: size }, (_, index) => index);
  const domain = (index: number) => `region-${index % Math.ceil(size / 15)}.emea.contoso-corporation.com`;
  const host = (index: number) => `CONTOSODC${String(index).padStart(5, '0')}`;
  return {
    sensors: all.map((index) => ({
      id: guid(index),
      displayName: host(index),
      domainName: domain(index),
      sensorType: pick(types, index),
      version: pick(['2.239.18124.58593', '3.0.7.1281'], index),
      deploymentStatus: pick(statuses, index),
      serviceStatus: pick(services, index),
      healthStatus: pick(['healthy', 'notHealthyLow', 'notHealthyMedium', 'notHealthyHigh'], index),
      openHealthIssuesCount: 1,
      createdDateTime: '2023-11-16T09:41:24.2585071Z',
      settings: { description: 'x'.repeat(200), domainControllerDnsNames: all.slice(0, 3).map(host) },
    })),
    sensorCandidates: all.map((index) => ({
      id: guid(index + size),
      computerDnsName: `candidate${index}.${domain(index)}`,
      domainName: domain(index),
      lastSeenDateTime: '2024-10-29T19:55:10.9452778Z',
    })),
    healthIssues: all.map((index) => ({
      id: guid(index + 2 * size),
      displayName: `${pick(titles, index)} ${index % 24}`,
      healthIssueType: pick(['sensor', 'sensor', 'sensor', 'global', 'sensor'], index),
      severity: pick(['low', 'medium', 'high'], index),
      status: 'open',
      createdDateTime: '2023-11-16T09:41:24.2585071Z',
      domainNames: [domain(index)],
      sensorDNSNames: [0, 1, 2].map((more) => `${host(index + more)}.${domain(index + more)}`),
      description: 'd'.repeat(200),
    })),
    sensorMigration: all.map((index) => ({
      id: guid(index),
      displayName: host(index),
      domainName: domain(index),
      sensorType: 'domainControllerIntegrated',
      version: '2.239.18124.58593',
      healthStatus: 'notHealthyMedium',
      migrationState: 'notReadyForMigration',
    })),
    'sensors/getDeploymentPackageUri': { version: '2.240.18124.58593' },
    '/v1.0/security/secureScores?$top=1': {
      value: [
        {
          createdDateTime: '2026-05-31T00:00:00Z',
          controlScores: [
            {
              controlName: 'AATP_Sensor',
              implementationStatus: `You have ${2 * size} domain controllers in your environment and Defender for Identity sensor is installed on ${size} of them.`,
            },
          ],
        },
      ],
    },
  };
}

describe.each([45, 5000])('at %i sensors', (size) => {
  const reader = openReader(fleetOf(size));

  test('the summary has at most 1,200 tokens', async () => {
    const found = await summarizeFleet.run({}, reader);
    expect(found.sensors.total).toBe(size);
    expect(tokens(found)).toBeLessThanOrEqual(1200);
  });

  test('a default list has at most 4,000 tokens, and 80 for each sensor', async () => {
    const { sensors, ...rest } = await listSensors.run(listSensors.input.parse({}), reader);
    expect(sensors).toHaveLength(40);
    expect(tokens({ ...rest, sensors })).toBeLessThanOrEqual(40 * 80 + 50);
    const candidates = await listSensorCandidates.run(listSensorCandidates.input.parse({}), reader);
    expect(tokens(candidates)).toBeLessThanOrEqual(4000);
    const issues = await listHealthIssues.run(listHealthIssues.input.parse({}), reader);
    expect(issues.issues).toHaveLength(40);
    expect(tokens(issues)).toBeLessThanOrEqual(4000);
    const migrations = await listSensorMigrations.run(listSensorMigrations.input.parse({}), reader);
    expect(tokens(migrations)).toBeLessThanOrEqual(4000);
  });

  test('a comparison of a thousand names has at most 4,000 tokens', async () => {
    const kinds = ['CONTOSODC0000', 'candidate', 'unknown-server-of-another-forest-'];
    const names = Array.from({ length: 1000 }, (_, index) => `${pick(kinds, index)}${index}`);
    const long = names.map((name, index) => `${name}.region-${index % 3}.emea.contoso-corporation.com`);
    expect(tokens(await compareInventory.run({ names: long, limit: 25 }, reader))).toBeLessThanOrEqual(4000);
  });

  test('the cursor walks over the whole fleet without a loss', async () => {
    const seen = new Set<unknown>();
    let cursor: string | undefined;
    do {
      const found = await listSensors.run(listSensors.input.parse({ limit: 200, cursor }), reader);
      expect(found.total).toBe(size);
      for (const { id } of found.sensors) seen.add(id);
      cursor = found.cursor;
    } while (cursor !== undefined);
    expect(seen.size).toBe(size);
  });
});

const options = { target: 'draft-2020-12' } as const;
const offer = (operation: Operation) => {
  const { inputSchema, outputSchema, ...rest } = describeTool(operation);
  const input = inputSchema['~standard'].jsonSchema.input(options);
  return {
    name: operation.name,
    ...rest,
    inputSchema: input,
    outputSchema: outputSchema['~standard'].jsonSchema.output(options),
  };
};

describe('what a host reads before any call', () => {
  test('names, descriptions and inputs of the reads have at most 154 tokens each, on average', () => {
    const offered = reads.map(offer).map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));
    expect(offered.reduce((sum, tool) => sum + tokens(tool), 0)).toBeLessThanOrEqual(154 * reads.length);
  });

  test('the reads have at most 1,180 bytes each, on average', () => {
    expect(JSON.stringify(reads.map(offer)).length).toBeLessThanOrEqual(1_180 * reads.length);
  });

  test('no description is longer than 400 characters', () => {
    expect(reads.filter(({ description }) => description.length > 400)).toEqual([]);
    expect(reads.map(({ name }) => name)).toEqual(readTools);
  });
});

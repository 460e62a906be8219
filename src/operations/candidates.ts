import * as z from 'zod';
import { endpoints } from '../graph/endpoints/index.ts';
import type { SensorCandidate } from '../graph/endpoints/sensorCandidates.ts';
import { atLeast, contains, detail, is, pageOf, paging, shown } from './lists.ts';
import { read } from './operation.ts';

const text = z.string().optional();

const candidateRow = (candidate: SensorCandidate) => ({
  id: shown(candidate.id),
  name: shown(candidate.computerDnsName),
  domain: shown(candidate.domainName),
  lastSeen: shown(candidate.lastSeenDateTime?.slice(0, 10)),
});

const candidateDetail = (candidate: SensorCandidate) => ({
  ...candidateRow(candidate),
  lastSeen: shown(candidate.lastSeenDateTime),
  senseClientVersion: shown(candidate.senseClientVersion),
});

export const listSensorCandidates = read({
  name: 'list_sensor_candidates',
  title: 'List sensor candidates',
  description:
    'Servers that Defender for Endpoint knows and that could run the v3.x sensor but do not yet. Their ids go to activate_sensor_candidates.',
  input: z.strictObject({
    domain: z.string().optional(),
    name: z.string().optional().describe('Part of the FQDN'),
    staleDays: z.int().min(0).max(10000).optional().describe('Not seen for so many days'),
    ...paging,
    detail,
  }),
  output: z.looseObject({
    total: z.number(),
    candidates: z.array(z.looseObject({ id: text, name: text, domain: text, lastSeen: text })),
    cursor: text,
  }),
  uses: [endpoints.listSensorCandidates],
  async run(input, graph) {
    const candidates = (await graph.all(endpoints.listSensorCandidates)).filter(
      (candidate) =>
        is(input.domain, candidate.domainName) &&
        contains(input.name, candidate.computerDnsName) &&
        atLeast(input.staleDays, candidate.lastSeenDateTime),
    );
    const { page, ...where } = pageOf(candidates, ({ computerDnsName }) => computerDnsName, input);
    return { ...where, candidates: page.map(input.detail ? candidateDetail : candidateRow) };
  },
});

const meanings = new Map([
  ['manual', 'A person chooses which candidates get a sensor.'],
  [
    'automated',
    'Defender for Identity activates the sensor on every eligible domain controller as soon as it is discovered.',
  ],
]);

export const getActivationConfiguration = read({
  name: 'get_activation_configuration',
  title: 'Get activation configuration',
  description: 'Whether new candidates are activated by hand or automatically in this tenant, and what that means.',
  input: z.strictObject({}),
  output: z.looseObject({ activationMode: text, meaning: z.string() }),
  uses: [endpoints.getActivationConfiguration],
  async run(_input, graph) {
    const { activationMode } = await graph.get(endpoints.getActivationConfiguration);
    return { activationMode, meaning: meanings.get(activationMode ?? '') ?? 'This server does not know this mode.' };
  },
});

import * as z from 'zod';
import { endpoints } from '../../graph/endpoints/index.ts';
import type { SensorCandidate } from '../../graph/endpoints/sensorCandidates.ts';
import { toSafeText } from '../../text.ts';
import { isAtLeastDaysOld, isPartOf } from '../filters.ts';
import { readDomainName } from '../machineNames.ts';
import { decideCandidateMachine, indexMachines } from '../machines.ts';
import { read } from '../operation.ts';
import { columns, paginate, paging, pickColumns } from '../paging.ts';
import { hostname, text, word } from '../schemas.ts';

const toCandidateRow = (candidate: SensorCandidate) => ({
  id: toSafeText(candidate.id),
  name: toSafeText(candidate.computerDnsName),
  domain: toSafeText(candidate.domainName || decideCandidateMachine(candidate).domain || undefined),
  lastSeen: toSafeText(candidate.lastSeenDateTime?.slice(0, 10)),
});

const toWideRow = (candidate: SensorCandidate) => ({
  ...toCandidateRow(candidate),
  senseClientVersion: toSafeText(candidate.senseClientVersion),
  sensorTypes: candidate.sensorTypes,
});

export const listSensorCandidates = read({
  name: 'list_sensor_candidates',
  title: 'List sensor candidates',
  description:
    'Servers that Defender for Endpoint knows and that could run the v3.x sensor but do not yet. Their ids go to activate_sensor_candidates.',
  input: z.strictObject({
    domain: hostname.optional().describe('Exact domain'),
    name: word.optional().describe('Part of the FQDN'),
    staleDays: z.int().min(0).max(10000).optional().describe('Not seen for so many days'),
    ...paging,
    fields: columns(['domain', 'lastSeen', 'senseClientVersion', 'sensorTypes']),
  }),
  output: z.looseObject({
    rows: z.number(),
    total: z.number(),
    candidates: z.array(z.looseObject({ id: text, name: text, domain: text, lastSeen: text })),
    cursor: text,
  }),
  uses: [endpoints.listSensorCandidates],
  async run(input, graph) {
    const all = await graph.getAll(endpoints.listSensorCandidates);
    const domain = input.domain === undefined ? undefined : readDomainName(input.domain);
    const called = new Set(input.name === undefined ? [] : indexMachines(all, decideCandidateMachine)(input.name));
    const candidates = all.filter(
      (candidate) =>
        (domain === undefined || decideCandidateMachine(candidate).domain === domain) &&
        (isPartOf(input.name, `${candidate.computerDnsName ?? ''}.`) || called.has(candidate)) &&
        isAtLeastDaysOld(input.staleDays, candidate.lastSeenDateTime),
    );
    const { fields } = input;
    const toRow = (candidate: SensorCandidate) =>
      fields === undefined ? toCandidateRow(candidate) : pickColumns(toWideRow(candidate), fields);
    const { page, ...pageInfo } = paginate(
      candidates,
      { getName: ({ computerDnsName }) => computerDnsName, toRow },
      input,
    );
    return { ...pageInfo, candidates: page };
  },
});

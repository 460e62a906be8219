import * as z from 'zod';
import {
  type Content,
  date,
  elements,
  entity,
  member,
  noContent,
  optional,
  page,
  single,
  string,
  text,
} from '../answer.ts';
import { globalAndUsGovBeta, globalOnly } from '../clouds.ts';
import { endpoint, nameCmdlets, typed } from '../endpoint.ts';

export const deviceTypes = ['domainController', 'adfs', 'adcs', 'entraConnect'] as const;

/** A list in the SDKs; the page calls it a flags enumeration, which is one text with commas. */
const deviceTypeList = optional(elements(member(deviceTypes)));
const listedOrJoined: typeof deviceTypeList = {
  ...deviceTypeList,
  read: (raw) => deviceTypeList.read(typeof raw === 'string' ? raw.split(/\s*,\s*/) : raw),
};

/** microsoft.graph.security.sensorCandidate: a server that Defender for Endpoint knows and that can run the v3.x sensor. */
export const sensorCandidate = entity({
  id: string,
  computerDnsName: text,
  domainName: text,
  lastSeenDateTime: date,
  senseClientVersion: text,
  /** In beta only: what the server is. */
  sensorTypes: listedOrJoined,
});
export type SensorCandidate = Content<typeof sensorCandidate>;

export const activationModes = ['manual', 'automated'] as const;

export const candidateEndpoints = {
  listSensorCandidates: endpoint({
    route: 'GET /security/identities/sensorCandidates',
    availability: globalAndUsGovBeta,
    permission: 'SecurityIdentitiesSensors.Read.All',
    cmdlets: { 'v1.0': 'Get-MgSecurityIdentitySensorCandidate' },
    counts: true,
    answer: page(sensorCandidate),
  }),
  /** `serverIds` are the candidates' ids. The answer tells nothing about the single server. */
  activateSensorCandidates: endpoint({
    route: 'POST /security/identities/sensorCandidates/activate',
    availability: globalAndUsGovBeta,
    permission: 'SecurityIdentitiesSensors.ReadWrite.All',
    cmdlets: nameCmdlets('Initialize-MgSecurityIdentitySensorCandidate'),
    body: z.strictObject({ serverIds: z.array(z.string()).min(1) }),
    answer: noContent,
  }),
  getActivationConfiguration: endpoint({
    route: 'GET /security/identities/sensorCandidateActivationConfiguration',
    availability: globalOnly,
    permission: 'SecurityIdentitiesSensors.Read.All',
    cmdlets: { 'v1.0': 'Get-MgSecurityIdentitySensorCandidateActivationConfiguration' },
    answer: single(entity({ activationMode: optional(member(activationModes)) })),
  }),
  /** Microsoft's page says POST on the plural, its permission data POST on the singular, schema and SDKs PATCH on the singular. */
  updateActivationConfiguration: endpoint({
    route: 'POST /security/identities/sensorCandidateActivationConfigurations',
    alternatives: [
      'POST /security/identities/sensorCandidateActivationConfiguration',
      'PATCH /security/identities/sensorCandidateActivationConfiguration',
    ],
    availability: globalOnly,
    permission: 'SecurityIdentitiesSensors.ReadWrite.All',
    cmdlets: { 'v1.0': 'Update-MgSecurityIdentitySensorCandidateActivationConfiguration' },
    resend: 'always',
    body: typed('sensorCandidateActivationConfiguration', { activationMode: z.enum(activationModes) }),
    answer: noContent,
  }),
};

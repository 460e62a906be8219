import * as z from 'zod';
import { type Content, date, entity, list, member, optional, page, single, string, text } from '../answer.ts';
import { globalAndUsGov, globalAndUsGovV1 } from '../clouds.ts';
import { endpoint } from '../endpoint.ts';

export const issueSeverities = ['low', 'medium', 'high'] as const;
export const issueStatuses = ['open', 'closed', 'suppressed'] as const;
export const issueTypes = ['sensor', 'global'] as const;

/** microsoft.graph.security.healthIssue; the sensors' names are FQDNs. */
export const healthIssue = entity({
  id: string,
  displayName: text,
  healthIssueType: optional(member(issueTypes)),
  issueTypeId: text,
  severity: optional(member(issueSeverities)),
  status: optional(member(issueStatuses)),
  createdDateTime: date,
  lastModifiedDateTime: date,
  description: text,
  domainNames: list(string),
  sensorDNSNames: list(string),
  recommendations: list(string),
  recommendedActionCommands: list(string),
  additionalInformation: list(string),
});
export type HealthIssue = Content<typeof healthIssue>;

export const healthIssueEndpoints = {
  listHealthIssues: endpoint({
    route: 'GET /security/identities/healthIssues',
    availability: globalAndUsGovV1,
    permission: 'SecurityIdentitiesHealth.Read.All',
    cmdlets: { 'v1.0': 'Get-MgSecurityIdentityHealthIssue' },
    counts: true,
    skips: true,
    answer: page(healthIssue),
  }),
  getHealthIssue: endpoint({
    route: 'GET /security/identities/healthIssues/{healthIssueId}',
    availability: globalAndUsGov,
    permission: 'SecurityIdentitiesHealth.Read.All',
    cmdlets: { 'v1.0': 'Get-MgSecurityIdentityHealthIssue' },
    answer: single(healthIssue),
  }),
  updateHealthIssue: endpoint({
    route: 'PATCH /security/identities/healthIssues/{healthIssueId}',
    availability: globalAndUsGovV1,
    permission: 'SecurityIdentitiesHealth.ReadWrite.All',
    cmdlets: { 'v1.0': 'Update-MgSecurityIdentityHealthIssue' },
    body: z.strictObject({ status: z.enum(issueStatuses) }),
    answer: single(healthIssue),
  }),
};

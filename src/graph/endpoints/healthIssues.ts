import * as z from 'zod';
import { globalAndUsGov, globalAndUsGovV1 } from '../clouds.ts';
import { date, endpoint, entity, list, member, optional, page, single, text } from '../endpoint.ts';

export const issueSeverities = ['low', 'medium', 'high'] as const;
export const issueStatuses = ['open', 'closed', 'suppressed'] as const;
export const issueTypes = ['sensor', 'global'] as const;

/** microsoft.graph.security.healthIssue; the sensors' names are FQDNs. */
export const healthIssue = entity({
  id: z.string(),
  displayName: text,
  healthIssueType: optional(member(issueTypes)),
  issueTypeId: text,
  severity: optional(member(issueSeverities)),
  status: optional(member(issueStatuses)),
  createdDateTime: date,
  lastModifiedDateTime: date,
  description: text,
  domainNames: list(z.string()),
  sensorDNSNames: list(z.string()),
  recommendations: list(z.string()),
  recommendedActionCommands: list(z.string()),
  additionalInformation: list(z.string()),
});
export type HealthIssue = z.output<typeof healthIssue>;

export const healthIssueEndpoints = {
  listHealthIssues: endpoint({
    route: 'GET /security/identities/healthIssues',
    availability: globalAndUsGovV1,
    permission: 'SecurityIdentitiesHealth.Read.All',
    cmdlets: { 'v1.0': 'Get-MgSecurityIdentityHealthIssue' },
    counts: true,
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

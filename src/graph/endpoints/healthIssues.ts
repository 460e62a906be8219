import * as z from 'zod';
import { globalAndUsGov, globalAndUsGovV1 } from '../clouds.ts';
import { endpoint, entity, list, member, optional, page, single } from '../endpoint.ts';

export const healthIssueSeverities = ['low', 'medium', 'high'] as const;
export const healthIssueStatuses = ['open', 'closed', 'suppressed'] as const;
export const healthIssueTypes = ['sensor', 'global'] as const;

/** microsoft.graph.security.healthIssue; the sensors' names are FQDNs. */
export const healthIssue = entity({
  id: z.string(),
  displayName: optional(z.string()),
  healthIssueType: optional(member(healthIssueTypes)),
  issueTypeId: optional(z.string()),
  severity: optional(member(healthIssueSeverities)),
  status: optional(member(healthIssueStatuses)),
  createdDateTime: optional(z.string()),
  lastModifiedDateTime: optional(z.string()),
  description: optional(z.string()),
  domainNames: list(z.string()),
  sensorDNSNames: list(z.string()),
  recommendations: list(z.string()),
  recommendedActionCommands: list(z.string()),
  additionalInformation: list(z.string()),
});
export type HealthIssue = z.output<typeof healthIssue>;

export const listHealthIssues = endpoint({
  route: 'GET /security/identities/healthIssues',
  availability: globalAndUsGovV1,
  permission: 'SecurityIdentitiesHealth.Read.All',
  cmdlets: { 'v1.0': 'Get-MgSecurityIdentityHealthIssue' },
  resend: 'always',
  counts: true,
  answer: page(healthIssue),
});

export const getHealthIssue = endpoint({
  route: 'GET /security/identities/healthIssues/{healthIssueId}',
  availability: globalAndUsGov,
  permission: 'SecurityIdentitiesHealth.Read.All',
  cmdlets: { 'v1.0': 'Get-MgSecurityIdentityHealthIssue' },
  resend: 'always',
  answer: single(healthIssue),
});

export const updateHealthIssue = endpoint({
  route: 'PATCH /security/identities/healthIssues/{healthIssueId}',
  availability: globalAndUsGovV1,
  permission: 'SecurityIdentitiesHealth.ReadWrite.All',
  cmdlets: { 'v1.0': 'Update-MgSecurityIdentityHealthIssue' },
  resend: 'always',
  body: z.strictObject({ status: z.enum(healthIssueStatuses) }),
  answer: single(healthIssue),
});

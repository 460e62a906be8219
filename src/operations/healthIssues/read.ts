import * as z from 'zod';
import {
  type HealthIssue,
  healthIssueSeverities,
  healthIssueStatuses,
  healthIssueTypes,
} from '../../graph/endpoints/healthIssues.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import { toSafeText, toSafeTexts } from '../../text.ts';
import { equalsIgnoreCase, isAtLeastDaysOld, isOneOf } from '../filters.ts';
import { id } from '../inputs.ts';
import { isSameMachine } from '../machines.ts';
import { read } from '../operation.ts';
import { detail, paginate, paging } from '../paging.ts';

const text = z.string().optional();
/** A health issue in a result. */
export const issueItem = z.looseObject({
  id: text,
  title: text,
  severity: text,
  status: text,
  type: text,
  sensors: z.array(z.string()).optional(),
  created: text,
});

/** What a health issue is, without the machines that it names. */
export const toIssueFacts = (issue: HealthIssue) => ({
  id: toSafeText(issue.id),
  title: toSafeText(issue.displayName),
  severity: issue.severity,
  status: issue.status,
  type: issue.healthIssueType,
  created: toSafeText(issue.createdDateTime?.slice(0, 10)),
});

const toIssueRow = (issue: HealthIssue) => ({
  ...toIssueFacts(issue),
  ...toSafeTexts('sensors', issue.sensorDNSNames, { maxCount: 1 }),
});

const toIssueDetail = (issue: HealthIssue, maxTextLength: number) => ({
  ...toIssueFacts(issue),
  issueTypeId: toSafeText(issue.issueTypeId),
  created: toSafeText(issue.createdDateTime),
  modified: toSafeText(issue.lastModifiedDateTime),
  ...toSafeTexts('sensors', issue.sensorDNSNames),
  ...toSafeTexts('domains', issue.domainNames),
  description: toSafeText(issue.description, maxTextLength),
  ...toSafeTexts('recommendations', issue.recommendations, { maxLength: maxTextLength }),
  ...toSafeTexts('commandsForAPersonToRun', issue.recommendedActionCommands, { maxLength: maxTextLength }),
  ...toSafeTexts('additionalInformation', issue.additionalInformation, { maxLength: maxTextLength }),
});

const getDomain = (fqdn: string) => fqdn.slice(fqdn.indexOf('.') + 1);

/** Whether an FQDN is what a person calls by a host name or an FQDN. */
function isCalled(name: string, fqdn: string): boolean {
  const [displayName, ...domain] = name.trim().replace(/\.$/, '').split('.');
  return isSameMachine(fqdn, { displayName, domainName: domain.length === 0 ? getDomain(fqdn) : domain.join('.') });
}

export const listHealthIssues = read({
  name: 'list_health_issues',
  title: 'List health issues',
  description:
    'What is wrong with sensors or the whole tenant: open health issues unless status says otherwise, with severity, sensors and age.',
  input: z.strictObject({
    status: z.array(z.enum(healthIssueStatuses)).min(1).default(['open']),
    severity: z.array(z.enum(healthIssueSeverities)).min(1).optional(),
    type: z.enum(healthIssueTypes).optional(),
    domain: z.string().optional(),
    sensor: z.string().optional().describe('Host name or FQDN'),
    olderThanDays: z.int().min(0).max(10000).optional(),
    issueTypeId: z.string().optional(),
    ...paging,
    detail,
  }),
  output: z.looseObject({ total: z.number(), issues: z.array(issueItem), cursor: text }),
  uses: [endpoints.listHealthIssues],
  async run(input, graph) {
    const { status, severity, type, domain, sensor, olderThanDays, issueTypeId } = input;
    const isInDomain = (issue: HealthIssue) =>
      domain === undefined ||
      [...issue.domainNames, ...issue.sensorDNSNames.map(getDomain)].some((name) => equalsIgnoreCase(domain, name));
    const issues = (await graph.getAll(endpoints.listHealthIssues)).filter(
      (issue) =>
        isOneOf(status, issue.status) &&
        isOneOf(severity, issue.severity) &&
        equalsIgnoreCase(type, issue.healthIssueType) &&
        equalsIgnoreCase(issueTypeId, issue.issueTypeId) &&
        isAtLeastDaysOld(olderThanDays, issue.createdDateTime) &&
        isInDomain(issue) &&
        (sensor === undefined || issue.sensorDNSNames.some((fqdn) => isCalled(sensor, fqdn))),
    );
    const { page, ...pageInfo } = paginate(issues, ({ displayName }) => displayName, input);
    return { ...pageInfo, issues: page.map((issue) => (input.detail ? toIssueDetail(issue, 300) : toIssueRow(issue))) };
  },
});

export const getHealthIssue = read({
  name: 'get_health_issue',
  title: 'Get health issue',
  description:
    'One health issue in full: description, recommendations, affected sensors, and on-premises commands for a person to review and run; nothing is executed.',
  input: z.strictObject({ id }),
  output: issueItem,
  uses: [endpoints.getHealthIssue],
  async run(input, graph) {
    const issue = await graph.get(endpoints.getHealthIssue, { healthIssueId: input.id });
    return {
      ...toIssueDetail(issue, 2000),
      ...(issue.recommendedActionCommands.length > 0 && {
        note: 'The commands change servers or Active Directory on premises; a person reviews and runs them there. Nothing was executed.',
      }),
    };
  },
});

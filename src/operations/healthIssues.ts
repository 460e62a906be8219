import * as z from 'zod';
import { ToolError } from '../errors.ts';
import type { Reader } from '../graph/client/reader.ts';
import { createRequest } from '../graph/endpoint.ts';
import { type HealthIssue, issueSeverities, issueStatuses, issueTypes } from '../graph/endpoints/healthIssues.ts';
import { endpoints } from '../graph/endpoints/index.ts';
import { quoteText, toSafeLines, toSafeText, toSafeTexts } from '../text.ts';
import { warn } from './consequences.ts';
import { equalsIgnoreCase, isAtLeastDaysOld, isOneOf, isSince } from './filters.ts';
import { explainCommands, listCommands } from './issueCommands.ts';
import { getHost, getSuffix, isSameName, readDomainName, readMachineName } from './machineNames.ts';
import { groupBy, indexSensors } from './machines.ts';
import { type Consequence, type Plan, read, type Target, write } from './operation.ts';
import { columns, paginate, paging, pickColumns } from './paging.ts';
import { catchToolError, describeMissing, readIfAllowed } from './partial.ts';
import { date, hostname, id, ids, targetStates, text, word } from './schemas.ts';
import { findFirstSeen, findSuppressionEnd } from './silence.ts';
import { nothingToDo, observeValue, reportValues } from './verification.ts';

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
  suppressedUntil: findSuppressionEnd(issue),
  ...toSafeTexts('sensors', issue.sensorDNSNames, { maxCount: 1 }),
});

const toIssueDetail = (issue: HealthIssue, maxTextLength: number, isInList = true) => ({
  ...toIssueFacts(issue),
  issueTypeId: toSafeText(issue.issueTypeId),
  created: toSafeText(issue.createdDateTime),
  modified: toSafeText(issue.lastModifiedDateTime),
  suppressedUntil: findSuppressionEnd(issue),
  ...toSafeTexts('sensors', issue.sensorDNSNames),
  ...toSafeTexts('domains', issue.domainNames),
  description: issue.description === undefined ? undefined : toSafeLines(issue.description, maxTextLength),
  ...toSafeTexts('recommendations', issue.recommendations, { maxLength: maxTextLength }),
  ...listCommands(issue.recommendedActionCommands, isInList ? maxTextLength : undefined),
  ...toSafeTexts('additionalInformation', issue.additionalInformation, { maxLength: maxTextLength }),
});

/** The same issue again: Graph lists it anew each time that its status changes. */
const getIssueKey = ({ displayName, sensorDNSNames, domainNames }: HealthIssue) =>
  JSON.stringify([displayName, sensorDNSNames.toSorted(), domainNames.toSorted()]);

/** Tells when an issue was first seen, where that was before this entry of it. */
function createHistory(issues: readonly HealthIssue[]) {
  const entries = groupBy(issues, getIssueKey);
  return (issue: HealthIssue) => {
    const firstSeen = findFirstSeen(issue, entries.get(getIssueKey(issue)) ?? []);
    return firstSeen === issue.createdDateTime?.slice(0, 10) ? {} : { firstSeen };
  };
}

const issueColumns = [
  ...['severity', 'status', 'type', 'issueTypeId', 'created', 'firstSeen', 'modified', 'suppressedUntil'],
  ...['sensors', 'domains', 'description', 'recommendations', 'commands', 'additionalInformation'],
] as const;

/** The commands of an issue lie under the names that say what to make of them. */
const commandKeys = ['commandsForAPersonToRun', 'unknownCommandsDoNotRun', 'commandsTooLongToShow'];
const listKeys = (fields: readonly string[]) => fields.flatMap((field) => (field === 'commands' ? commandKeys : field));

/** Whether an FQDN is what a person calls by a name in any form, also by the 15 characters of a long one that a sensor shows. */
function isCalled(name: string, fqdn: string): boolean {
  const asked = readMachineName(name);
  const shown = [getHost(fqdn).slice(0, 15), getSuffix(fqdn)].filter((part) => part !== '').join('.');
  return asked !== undefined && (isSameName(asked, fqdn) || isSameName(asked, shown));
}

const knownStatuses: readonly (string | undefined)[] = issueStatuses;
/** The status by which an issue is listed: Graph has more than it documents, such as `dismissed`. */
const nameStatus = ({ status }: HealthIssue) => (knownStatuses.includes(status) ? status : 'other');

export const listHealthIssues = read({
  name: 'list_health_issues',
  title: 'List health issues',
  description:
    'What is wrong with sensors or the whole tenant: open health issues unless status or changedSince says otherwise, with severity, sensors and age.',
  input: z.strictObject({
    status: z
      .array(z.enum([...issueStatuses, 'other']))
      .min(1)
      .optional()
      .describe('Any of'),
    severity: z.array(z.enum(issueSeverities)).min(1).optional().describe('Any of'),
    type: z.enum(issueTypes).optional().describe('Of sensors or the tenant'),
    domain: hostname.optional().describe('Exact domain'),
    sensor: hostname.optional().describe('Host name or FQDN'),
    olderThanDays: z.int().min(0).max(10000).optional().describe('Age at least'),
    changedSince: date.optional().describe('Such as 2026-01-31; of any status if none is given'),
    issueTypeId: word.optional().describe("Microsoft's number of the title"),
    ...paging,
    fields: columns(issueColumns, 'title'),
  }),
  output: z.looseObject({ rows: z.number(), total: z.number(), issues: z.array(issueItem), cursor: text }),
  uses: [endpoints.listHealthIssues],
  usesIfAllowed: [endpoints.listSensors],
  async run(input, graph) {
    const { severity, type, domain, sensor, olderThanDays, issueTypeId, changedSince, fields } = input;
    const status = input.status ?? (changedSince === undefined ? ['open'] : undefined);
    const wantedDomain = domain === undefined ? undefined : readDomainName(domain);
    const isInDomain = (issue: HealthIssue) =>
      wantedDomain === undefined ||
      [...issue.domainNames.map(readDomainName), ...issue.sensorDNSNames.map(getSuffix)].includes(wantedDomain);
    const [all, { isOfSensor, missing }] = await Promise.all([
      graph.getAll(endpoints.listHealthIssues),
      createSensorFilter(sensor, graph),
    ]);
    const issues = all.filter(
      (issue) =>
        isOneOf(status, nameStatus(issue)) &&
        isOneOf(severity, issue.severity) &&
        equalsIgnoreCase(type, issue.healthIssueType) &&
        equalsIgnoreCase(issueTypeId, issue.issueTypeId) &&
        isAtLeastDaysOld(olderThanDays, issue.createdDateTime) &&
        isSince(changedSince, issue.lastModifiedDateTime ?? issue.createdDateTime) &&
        isInDomain(issue) &&
        isOfSensor(issue),
    );
    const describeHistory = createHistory(all);
    const toRow = (issue: HealthIssue) =>
      fields === undefined
        ? { ...toIssueRow(issue), ...describeHistory(issue) }
        : pickColumns({ ...toIssueDetail(issue, 300), ...describeHistory(issue) }, listKeys(fields));
    const { page, ...pageInfo } = paginate(issues, { getName: ({ displayName }) => displayName, toRow }, input);
    return { ...pageInfo, issues: page, ...(missing.length > 0 && { missing }) };
  },
});

/**
 * Issues name machines by FQDN alone: which of them a name in Active Directory is, the sensors tell. A machine that has none, or
 * sensors that may not be read, leave the name itself.
 */
async function createSensorFilter(wanted: string | undefined, graph: Reader) {
  if (wanted === undefined) return { isOfSensor: () => true, missing: [] };
  const sensors = await readIfAllowed(graph.getAll(endpoints.listSensors));
  const find = indexSensors(sensors instanceof ToolError ? [] : sensors);
  const named = new Set(find(wanted));
  const isNamed = (fqdn: string) => {
    const owners = find(fqdn);
    return owners.length === 0 ? isCalled(wanted, fqdn) : owners.some((owner) => named.has(owner));
  };
  return {
    isOfSensor: ({ sensorDNSNames }: HealthIssue) => sensorDNSNames.some(isNamed),
    missing: describeMissing('sensors', sensors, endpoints.listSensors),
  };
}

export const getHealthIssue = read({
  name: 'get_health_issue',
  title: 'Get health issue',
  description:
    'One health issue in full: description, recommendations, affected sensors, and on-premises commands for a person to review and run; nothing is executed.',
  input: z.strictObject({ id: id.describe('From list_health_issues') }),
  output: issueItem,
  uses: [endpoints.getHealthIssue],
  async run(input, graph) {
    const issue = await graph.get(endpoints.getHealthIssue, { healthIssueId: input.id });
    const note = explainCommands(issue.recommendedActionCommands);
    return { ...toIssueDetail(issue, 2000, false), ...(note !== undefined && { note }) };
  },
});

export const updateHealthIssue = write({
  name: 'update_health_issue',
  title: 'Update health issue',
  description:
    'Closes, suppresses (hidden for seven days) or reopens up to 50 health issues; none of it repairs a cause. A person is asked before one is hidden, or several change. Returns the status of each before and after, as read back.',
  effect: 'change',
  input: z.strictObject({
    ids: ids.describe('From list_health_issues, at most 50'),
    status: z.enum(issueStatuses).describe('What they become'),
  }),
  output: z.looseObject({ outcome: z.string(), issues: targetStates.optional(), alreadySo: z.number().optional() }),
  uses: [endpoints.getHealthIssue],
  sends: [endpoints.updateHealthIssue],
  plan: ({ ids, status }, graph) => planStatus(ids, status, graph),
  async finish({ ids, status }, { targets, changes }, outcomes, graph) {
    const alreadySo = ids.length - targets.length;
    if (targets.length === 0) return { ...nothingToDo, alreadySo };
    const checks = targets.map(({ id }, index) =>
      observeValue(outcomes[index], graph, {
        read: () => graph.get(endpoints.getHealthIssue, { healthIssueId: id }),
        isApplied: (issue) => issue.status === status,
        describe: () => `status ${status}`,
        readTool: 'get_health_issue',
      }),
    );
    const seen = (await Promise.all(checks)).map(({ observation, current }) => ({
      observation,
      current: current && new Map([['status', current.status]]),
    }));
    const { rows: issues, ...report } = reportValues(targets, changes, seen);
    return { ...report, issues, ...(alreadySo > 0 && { alreadySo }) };
  },
});

type IssueStatus = (typeof issueStatuses)[number];

async function planStatus(ids: readonly string[], status: IssueStatus, graph: Reader): Promise<Plan<'change'>> {
  const issues = await Promise.all(ids.map((id) => readIssue(id, graph)));
  const toChange = issues.filter((issue) => issue.status !== status);
  return {
    act: { ...acts[status], noun: 'health issue' },
    types: 'count',
    targets: toChange.map(toIssueTarget),
    changes: toChange.map(({ id, status: before }) => ({
      targetId: id.toLowerCase(),
      field: 'status',
      before,
      after: status,
    })),
    consequences: toChange.flatMap((issue) => assessHiding(issue, status)),
    requests: toChange.map(({ id }) =>
      createRequest(endpoints.updateHealthIssue, { params: { healthIssueId: id }, body: { status } }),
    ),
    recheck: (id, reader) => planStatus([id], status, reader),
  };
}

async function readIssue(id: string, graph: Reader): Promise<HealthIssue> {
  const issue = await catchToolError(graph.get(endpoints.getHealthIssue, { healthIssueId: id }), 'not_found');
  if (!(issue instanceof ToolError)) return issue;
  throw new ToolError('not_found', `No health issue has the id ${id}.`, 'Take the ids from list_health_issues.');
}

const toIssueTarget = (issue: HealthIssue): Target => ({
  id: issue.id.toLowerCase(),
  name: issue.displayName ?? '',
  ...(issue.createdDateTime !== undefined && { createdDateTime: issue.createdDateTime }),
  details: {
    severity: issue.severity ?? 'not stated',
    status: issue.status ?? 'not stated',
    sensors: String(issue.sensorDNSNames.length),
  },
});

const acts = {
  closed: { word: 'close', verb: 'Close' },
  suppressed: { word: 'suppress', verb: 'Suppress' },
  open: { word: 'reopen', verb: 'Reopen' },
};

function assessHiding(issue: HealthIssue, status: string): Consequence[] {
  if (status === 'open') return [];
  const name = quoteText(issue.displayName ?? issue.id);
  const content =
    status === 'suppressed'
      ? {
          text: `Suppressing ${name} hides it for seven days; its cause stays.`,
          short: 'hidden for 7 days, cause stays',
        }
      : {
          text: `Closing ${name} hides it from the open issues; its cause may still be there.`,
          short: 'hidden, cause may still be there',
        };
  return [warn('hides_issue', { ...content, about: issue.id })];
}

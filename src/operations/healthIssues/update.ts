import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import type { Outcome } from '../../graph/client/outcome.ts';
import type { Reader } from '../../graph/client/reader.ts';
import { createRequest } from '../../graph/endpoint.ts';
import { type HealthIssue, healthIssueStatuses } from '../../graph/endpoints/healthIssues.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import { escapeInvisible } from '../../text.ts';
import { quoteName, warning } from '../consequences.ts';
import { ids } from '../inputs.ts';
import { type Consequence, type Target, write } from '../operation.ts';
import {
  catchToolError,
  describeReadBack,
  nothingToDo,
  type Observation,
  observeNoEffect,
  readAfterWrite,
  summarizeObservations,
} from '../verification.ts';

export const updateHealthIssue = write({
  name: 'update_health_issue',
  title: 'Update health issue',
  description:
    'Closes, suppresses (hidden for seven days) or reopens up to 50 health issues; none of it repairs a cause. A person is asked when an open issue gets hidden. Returns the status of each as read back.',
  effect: 'change',
  input: z.strictObject({ ids: ids(50), status: z.enum(healthIssueStatuses) }),
  output: z.looseObject({
    outcome: z.string(),
    issues: z.array(z.looseObject({ id: z.string(), name: z.string(), state: z.string() })).optional(),
    alreadySo: z.number().optional(),
  }),
  uses: [endpoints.getHealthIssue],
  sends: [endpoints.updateHealthIssue],
  async plan({ ids, status }, graph) {
    const issues = await Promise.all(ids.map((id) => readIssue(id, graph)));
    const toChange = issues.filter((issue) => issue.status !== status);
    return {
      act: { verb: 'Set', noun: 'health issue', how: `to ${status}` },
      confirm: 'choice',
      targets: toChange.map(toIssueTarget),
      changes: toChange.map((issue) => ({
        targetId: issue.id.toLowerCase(),
        field: 'status',
        before: issue.status,
        after: status,
      })),
      consequences: toChange.flatMap((issue) => assessHiding(issue, status)),
      requests: toChange.map(({ id }) =>
        createRequest(endpoints.updateHealthIssue, { params: { healthIssueId: id }, body: { status } }),
      ),
    };
  },
  async finish({ ids, status }, { targets }, outcomes, graph) {
    const alreadySo = ids.length - targets.length;
    if (targets.length === 0) return { ...nothingToDo, alreadySo };
    const observations = await Promise.all(
      targets.map(({ id }, index) => observeIssue(outcomes[index], id, status, graph)),
    );
    return {
      ...summarizeObservations(observations),
      issues: targets.map(({ id, name }, index) => ({
        id,
        name: escapeInvisible(name, 100),
        state: observations[index]?.state ?? '',
      })),
      ...(alreadySo > 0 && { alreadySo }),
    };
  },
});

async function readIssue(healthIssueId: string, graph: Reader): Promise<HealthIssue> {
  const issue = await catchToolError(graph.get(endpoints.getHealthIssue, { healthIssueId }));
  if (!(issue instanceof ToolError)) return issue;
  if (issue.code !== 'not_found') throw issue;
  throw new ToolError(
    'not_found',
    `No health issue has the id ${healthIssueId}.`,
    'Take the ids from list_health_issues.',
  );
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

/** An issue that is closed or suppressed already is hidden already. */
function assessHiding(issue: HealthIssue, status: string): Consequence[] {
  if (status === 'open' || issue.status === 'closed' || issue.status === 'suppressed') return [];
  const name = quoteName(issue.displayName ?? issue.id);
  const text =
    status === 'suppressed'
      ? `Suppressing ${name} hides it for seven days; its cause stays.`
      : `Closing ${name} hides it from the open issues; its cause may still be there.`;
  return [warning('hides_issue', text, issue.id)];
}

async function observeIssue(
  outcome: Outcome | undefined,
  healthIssueId: string,
  status: string,
  graph: Reader,
): Promise<Observation> {
  const noEffect = observeNoEffect(outcome);
  if (noEffect !== undefined) return noEffect;
  const readCurrent = () => graph.get(endpoints.getHealthIssue, { healthIssueId });
  const { confirmed } = await readAfterWrite(graph, readCurrent, (issue) => issue.status === status);
  return describeReadBack(outcome, confirmed, `status ${status}`, 'get_health_issue');
}

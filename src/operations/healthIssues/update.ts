import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import type { Outcome } from '../../graph/client/outcome.ts';
import type { Reader } from '../../graph/client/reader.ts';
import { createRequest } from '../../graph/endpoint.ts';
import { type HealthIssue, healthIssueStatuses } from '../../graph/endpoints/healthIssues.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import { escapeInvisible } from '../../text.ts';
import { quoted, warning } from '../consequences.ts';
import { ids } from '../inputs.ts';
import { type Consequence, type Target, write } from '../operation.ts';
import { concluded, looked, nothingToDo, readBack, type Seen, tried, withoutEffect } from '../verification.ts';

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
    const issues = await Promise.all(ids.map((id) => issueOf(id, graph)));
    const changing = issues.filter((issue) => issue.status !== status);
    return {
      act: { verb: 'Set', noun: 'health issue', how: `to ${status}` },
      confirm: 'choice',
      targets: changing.map(targetOf),
      changes: changing.map((issue) => ({
        targetId: issue.id.toLowerCase(),
        field: 'status',
        before: issue.status,
        after: status,
      })),
      consequences: changing.flatMap((issue) => hiding(issue, status)),
      send: changing.map(({ id }) =>
        createRequest(endpoints.updateHealthIssue, { params: { healthIssueId: id }, body: { status } }),
      ),
    };
  },
  async finish({ ids, status }, { targets }, outcomes, graph) {
    const alreadySo = ids.length - targets.length;
    if (targets.length === 0) return { ...nothingToDo, alreadySo };
    const seen = await Promise.all(targets.map(({ id }, index) => seenOf(outcomes[index], id, status, graph)));
    return {
      ...concluded(seen),
      issues: targets.map(({ id, name }, index) => ({
        id,
        name: escapeInvisible(name, 100),
        state: seen[index]?.state ?? '',
      })),
      ...(alreadySo > 0 && { alreadySo }),
    };
  },
});

async function issueOf(healthIssueId: string, graph: Reader): Promise<HealthIssue> {
  const issue = await tried(graph.get(endpoints.getHealthIssue, { healthIssueId }));
  if (!(issue instanceof ToolError)) return issue;
  if (issue.code !== 'not_found') throw issue;
  throw new ToolError(
    'not_found',
    `No health issue has the id ${healthIssueId}.`,
    'Take the ids from list_health_issues.',
  );
}

const targetOf = (issue: HealthIssue): Target => ({
  id: issue.id.toLowerCase(),
  name: issue.displayName ?? '',
  ...(issue.createdDateTime !== undefined && { createdDateTime: issue.createdDateTime }),
  shown: {
    severity: issue.severity ?? 'not stated',
    status: issue.status ?? 'not stated',
    sensors: String(issue.sensorDNSNames.length),
  },
});

/** An issue that is closed or suppressed already is hidden already. */
function hiding(issue: HealthIssue, status: string): Consequence[] {
  if (status === 'open' || issue.status === 'closed' || issue.status === 'suppressed') return [];
  const name = quoted(issue.displayName ?? issue.id);
  const text =
    status === 'suppressed'
      ? `Suppressing ${name} hides it for seven days; its cause stays.`
      : `Closing ${name} hides it from the open issues; its cause may still be there.`;
  return [warning('hides_issue', text, issue.id)];
}

async function seenOf(
  outcome: Outcome | undefined,
  healthIssueId: string,
  status: string,
  graph: Reader,
): Promise<Seen> {
  const none = withoutEffect(outcome);
  if (none !== undefined) return none;
  const issue = () => graph.get(endpoints.getHealthIssue, { healthIssueId });
  const { is } = await looked(graph, issue, (one) => one.status === status);
  return readBack(outcome, is, `status ${status}`, 'get_health_issue');
}

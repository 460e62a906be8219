import { describe, expect, test } from 'vitest';
import { getHealthIssue, listHealthIssues } from '../../src/operations/healthIssues.ts';
import { getSensor } from '../../src/operations/sensors/read.ts';
import { daysAgo, disconnected, listed, makeId } from './factories.ts';
import { type GraphObject, openReader } from './graph.ts';

const issue = (number: number, createdDays: number, more: GraphObject = {}) => ({
  id: makeId(number),
  displayName: 'Sensor stopped communicating',
  status: 'open',
  createdDateTime: daysAgo(createdDays),
  lastModifiedDateTime: daysAgo(createdDays / 2),
  sensorDNSNames: ['dc01.contoso.com'],
  ...more,
});
const closed = (number: number, createdDays: number, closedDays: number, more: GraphObject = {}) =>
  issue(number, createdDays, { status: 'closed', lastModifiedDateTime: daysAgo(closedDays), ...more });

const decoy = listed(9, 'DC09', disconnected);
const ofDecoy = issue(99, 500, { sensorDNSNames: ['dc09.contoso.com'] });

async function get(healthIssues: GraphObject[], status: GraphObject = disconnected) {
  const held = { sensors: [listed(1, 'DC01', status), decoy], healthIssues: [...healthIssues, ofDecoy] };
  return JSON.parse(JSON.stringify(await getSensor.run(getSensor.input.parse({ id: makeId(1) }), openReader(held))));
}

describe('silent since', () => {
  test.each<[string, GraphObject[], number | undefined]>([
    ['one open issue', [issue(11, 40.5)], 40],
    ['a chain that is raised every seven days', [closed(11, 21.5, 14), closed(12, 13.5, 7), issue(13, 6.5)], 21],
    ['a break of more than a day', [closed(11, 21.5, 14), closed(12, 12.5, 7), issue(13, 6.5)], 12],
    ['a break of a day', [closed(11, 21.5, 14), issue(12, 13.1)], 21],
    ['one inside of another', [issue(11, 30.5), closed(12, 20, 10)], 30],
    ['a suppressed one', [issue(11, 8.5, { status: 'suppressed' })], 8],
    ['only one that was closed long ago', [closed(11, 40, 20)], undefined],
    ['an issue of another title', [issue(11, 40, { displayName: 'Sensor outdated' })], undefined],
    ['an issue without a date', [issue(11, 40, { createdDateTime: '0001-01-01T00:00:00Z' })], undefined],
    ['a closed one whose end nobody states', [closed(11, 40, 1, { lastModifiedDateTime: null })], undefined],
    ['none', [], undefined],
  ])('%s', async (_, healthIssues, days) => {
    const found = await get(healthIssues);
    expect(found.silentAtLeastDays).toBe(days);
    expect(found.silentAtLeastSince).toBe(days === undefined ? undefined : daysAgo(days + 0.5).slice(0, 10));
  });

  test('is not said of a sensor that communicates', async () => {
    expect(await get([issue(11, 40.5)], {})).not.toHaveProperty('silentAtLeastSince');
  });
});

describe('issues of one sensor', () => {
  test('tell when they were first seen, where an earlier entry of the same title says so', async () => {
    const { issues } = await get([closed(11, 20, 15), issue(12, 10), issue(13, 5, { displayName: 'Other' })]);
    expect(issues.map(({ title, firstSeen }: GraphObject) => [title, firstSeen])).toEqual([
      ['Sensor stopped communicating', daysAgo(20).slice(0, 10)],
      ['Other', undefined],
    ]);
  });

  test('tell until when they are suppressed', async () => {
    const { suppressed } = await get([issue(11, 6, { status: 'suppressed', lastModifiedDateTime: daysAgo(2) })]);
    expect(suppressed).toEqual([{ title: 'Sensor stopped communicating', until: daysAgo(-5).slice(0, 10) }]);
  });

  test('tell in lists when they were first seen on the same machines, and until when they are suppressed', async () => {
    const healthIssues = [
      closed(11, 20, 15),
      issue(12, 10, { status: 'suppressed', lastModifiedDateTime: daysAgo(2) }),
      closed(13, 300, 200, { sensorDNSNames: ['dc01.contoso.com', 'dc02.contoso.com'] }),
      closed(14, 400, 300, { displayName: 'Other' }),
    ];
    const input = listHealthIssues.input.parse({ status: ['suppressed'] });
    const { issues } = await listHealthIssues.run(input, openReader({ healthIssues }));
    const [firstSeen, suppressedUntil] = [daysAgo(20).slice(0, 10), daysAgo(-5).slice(0, 10)];
    expect(issues).toMatchObject([{ id: makeId(12), firstSeen, suppressedUntil }]);
    const fields = listHealthIssues.input.parse({ status: ['suppressed'], fields: ['firstSeen', 'suppressedUntil'] });
    expect((await listHealthIssues.run(fields, openReader({ healthIssues }))).issues).toEqual([
      { id: makeId(12), title: 'Sensor stopped communicating', firstSeen, suppressedUntil },
    ]);
    const one = await getHealthIssue.run({ id: makeId(12) }, openReader({ healthIssues }));
    expect(one).toMatchObject({ suppressedUntil });
    const first = listHealthIssues.input.parse({ status: ['closed'], fields: ['firstSeen'] });
    const { issues: entries } = await listHealthIssues.run(first, openReader({ healthIssues }));
    expect(entries.map((entry) => 'firstSeen' in entry)).toEqual([false, false, false]);
  });

  test.each([
    ['outdated', 'Sensor outdated', true],
    ['outdated', 'Low power', false],
    ['upToDate', 'Sensor outdated', false],
  ])('%s and running with an open "%s" is a contradiction: %s', async (deploymentStatus, displayName, isSaid) => {
    const found = await get([issue(11, 1, { displayName })], { deploymentStatus });
    expect('statusNote' in found).toBe(isSaid);
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type TestClient } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { startServer, type TestServer } from '../harness/server.ts';
import { tell } from '../harness/tables.ts';
import type { ToolName } from '../harness/tools.ts';

type Args = Record<string, unknown>;

let server: TestServer;
let client: TestClient;
beforeAll(async () => {
  server = await startServer();
  client = await connect('v2 modern', server, () => ({ action: 'decline' }));
});
afterAll(async () => {
  await client.close();
  await server.end();
});

/** What a model does that knows nothing but the sentence: each rule reads one, and changes the arguments as it says. */
const rules: readonly (readonly [RegExp, (args: Args, found: readonly string[]) => Args | Promise<Args>])[] = [
  [
    /has no argument "(\w+)"; nearest first, it takes (\w+)/,
    (args, [, key = '', nearest = '']) => ({ ...omit(args, key), [nearest]: args[key] }),
  ],
  [/takes no arguments; leave out "(\w+)"/, (args, [, key = '']) => omit(args, key)],
  [/(\w+) takes at (?:least|most) (\d+),/, (args, [, key = '', bound]) => ({ ...args, [key]: Number(bound) })],
  [/(\w+)(?:\.\d+)? takes (\w+)(?:, \w+)* or \w+, not/, (args, [, key = '', word]) => ({ ...args, [key]: word })],
  [/(\w+) takes a whole number, not/, (args, [, key = '']) => ({ ...args, [key]: 20 })],
  [/(\w+) takes text, not/, (args, [, key = '']) => ({ ...args, [key]: String([args[key]].flat()[0]) })],
  [/(\w+) is not a (?:date|version) such as ([\d.-]+\d)/, (args, [, key = '', such]) => ({ ...args, [key]: such })],
  [/(\w+) is missing \(From (\w+)/, async (args, [, key = '', list = '']) => ({ ...args, [key]: await readId(list) })],
  [/(\w+) is missing \((\w+) or \w+\)/, (args, [, key = '', word]) => ({ ...args, [key]: word })],
  [/(\w+) is missing \(true for on\)/, (args, [, key = '']) => ({ ...args, [key]: true })],
  [/(\w+) is missing \(FQDNs or host names/, (args, [, key = '']) => ({ ...args, [key]: ['dc01.contoso.com'] })],
  [
    /(\w+)(?:\.\d+)? is not a GUID; take the id from a list/,
    async (args, [, key = '']) => ({ ...args, [key]: await readId('list_sensors') }),
  ],
  [/(\w+)\.\d+ is not an FQDN/, (args, [, key = '']) => ({ ...args, [key]: [`${args[key]}.contoso.com`] })],
  [
    /id or name is needed, one of the two/,
    async (args) => ('id' in args ? omit(args, 'name') : { id: await readId('list_sensors') }),
  ],
  [/(\w+) goes only with name/, (args, [, key = '']) => omit(args, key)],
  [/needs a setting to change: (\w+),/, (args, [, key = '']) => ({ ...args, [key]: 'of the branch' })],
  [/takes a setting with a new value or in clear/, (args) => omit(args, 'clear')],
  [/Call again without a cursor/, (args) => omit(args, 'cursor')],
];

const omit = (args: Args, key: string) => Object.fromEntries(Object.entries(args).filter(([name]) => name !== key));

async function readId(list: string): Promise<unknown> {
  const { structured = {} } = await client.call(list, { limit: 1 });
  const [first] = Object.values(structured).find(Array.isArray) ?? [];
  return first?.id;
}

const id = find('sensors', 'PM01.contoso.com');

test.for<readonly [tool: ToolName, sent: Args, refusal: string]>([
  ['list_sensors', { status: ['unreachable'] }, 'list_sensors has no argument "status"'],
  ['list_sensors', { sensorName: 'dc01' }, 'list_sensors has no argument "sensorName"'],
  ['list_sensors', { top: 50 }, 'list_sensors has no argument "top"'],
  ['list_sensors', { health: 'sick' }, 'health.0 takes healthy,'],
  ['list_sensors', { generation: 3 }, 'generation takes v2 or v3, not "3"'],
  ['list_sensors', { limit: 1000 }, 'limit takes at most 200, not 1000'],
  ['list_sensors', { limit: 'all' }, 'limit takes a whole number, not "all"'],
  ['list_sensors', { notCommunicating: 'yes' }, 'notCommunicating takes true or false, not "yes"'],
  ['list_sensors', { createdAfter: 'last week' }, 'createdAfter is not a date such as 2026-01-31'],
  ['list_sensors', { versionBelow: '2' }, 'versionBelow is not a version such as 2.240'],
  ['list_sensors', { domain: ['contoso.com', 'emea.contoso.com'] }, 'domain takes text, not a list of 2'],
  ['list_sensors', { cursor: 'next' }, 'The cursor is not one of this server.'],
  ['get_sensor', { sensorId: id }, 'get_sensor has no argument "sensorId"'],
  ['get_sensor', { id, name: 'PM01' }, 'id or name is needed, one of the two'],
  ['get_sensor', { id, domain: 'contoso.com' }, 'domain goes only with name'],
  ['get_sensor', {}, 'id or name is needed, one of the two'],
  ['get_sensor', { id: 'PM01' }, 'id is not a GUID; take the id from a list'],
  ['summarize_fleet', { domain: 'contoso.com' }, 'summarize_fleet takes no arguments; leave out "domain"'],
  ['compare_inventory', { names: [] }, 'names is missing (FQDNs or host names'],
  ['compare_inventory', { servers: 'dc01.contoso.com' }, 'compare_inventory has no argument "servers"'],
  ['get_health_issue', {}, 'id is missing (From list_health_issues)'],
  ['delete_sensor', {}, 'id is missing (From list_sensors)'],
  ['delete_stale_sensors', { ids: 'all' }, 'ids.0 is not a GUID'],
  ['delete_stale_sensors', { sensorIds: [id] }, 'delete_stale_sensors has no argument "sensorIds"'],
  ['activate_sensor_candidates', { ids: null }, 'ids is missing (From list_sensor_candidates'],
  ['migrate_sensors', { ids: [] }, 'ids is missing (From list_sensor_migrations'],
  ['update_activation_configuration', {}, 'activationMode is missing (manual or automated)'],
  ['update_activation_configuration', { activationMode: 'off' }, 'activationMode takes manual or automated'],
  ['update_auto_auditing_configuration', { isAutomatic: '' }, 'isAutomatic is missing (true for on)'],
  ['update_sensor', { ids: [id], description: '' }, 'update_sensor needs a setting to change: description,'],
  [
    'update_sensor',
    { ids: [id], description: 'x', clear: 'description' },
    'update_sensor takes a setting with a new value',
  ],
  ['update_sensor', { ids: [id], domainControllerDnsNames: ['dc17'] }, 'domainControllerDnsNames.0 is not an FQDN'],
  ['regenerate_deployment_access_key', { confirm: true }, 'regenerate_deployment_access_key takes no arguments'],
])(
  'a model that only does what the sentence says is at its goal one call later: %s %j',
  async ([tool, sent, refusal], context) => {
    const { text, isError } = await client.call(tool, sent);
    expect(isError).toBe(true);
    expect(text.slice(0, `invalid_input: ${refusal}`.length)).toBe(`invalid_input: ${refusal}`);
    const rule = rules.find(([sentence]) => sentence.test(text));
    const corrected = await rule?.[1](sent, rule[0].exec(text) ?? []);
    const isLookedUp =
      /is missing \(From|take the id from a list|^invalid_input: id or name/.test(text) && sent.name === undefined;
    tell(
      context,
      ['Tool', 'Sent', 'Sentence', 'Calls to the right one', 'Why'],
      [tool, JSON.stringify(sent), text, isLookedUp ? '2' : '1', isLookedUp ? 'an id has to be looked up first' : ''],
    );
    expect((await client.call(tool, corrected)).text).not.toMatch(/^invalid_input/);
  },
);

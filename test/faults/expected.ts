import { isWrite } from '../../src/graph/client/errors.ts';
import { parseMethod } from '../../src/graph/endpoint.ts';
import type { Words } from './catalogue.ts';
import { type FaultCase, getEndpoint, isPaged, listRoutes } from './cells.ts';

/** What a call has to answer: for a read `same` as without the fault, else the sentence of its outcome, or a refusal's whole text. */
export interface ExpectedAnswer {
  /** `same`, `other`, `done`, `accepted`, or the code of the refusal. */
  readonly kind: string;
  readonly text?: string;
}

const simulated = '(SIMULATED tenant)';
const unknown =
  'It is unknown whether the request took effect. Read the current state before doing anything else; do not repeat the call blindly.';

/** What the answer is by the meaning of a fault, by what a request may be sent again, and by where in the call it is met. */
export function getExpectedAnswer(cell: FaultCase): ExpectedAnswer {
  const special = specials[`${cell.stage} ${cell.tool}: ${cell.fault.name}`];
  if (special !== undefined) return special;
  const { fault, stage, endpoint, writing } = cell;
  const gets = parseMethod(getEndpoint(endpoint).route) === 'GET';
  const words = told(cell, gets);
  const isFine = words === undefined;
  if (stage === 'read') return isFine ? same(cell) : refusal(words, '');
  if (writing === undefined) throw new Error('a stage of a write without one');
  const { done, seen = done, lost = '', accepted = '' } = writing;
  if (isFine) return { kind: 'done', text: done };
  if (stage === 'after') {
    // A deleted object is answered with 404, whatever is wrong with the body of that.
    const isGone = endpoint === 'getSensor' && writing.sends === 'deleteSensor';
    const says = isGone && (fault.means === 'unreadable' || words.code === 'not_found' || fault.inBody === true);
    return says ? { kind: 'done', text: done } : { kind: 'accepted', text: accepted };
  }
  if (stage === 'send' && !gets && (fault.means === 'unreadable' || fault.inBody)) return { kind: 'done', text: seen };
  if (stage === 'send' && !gets && fault.means === 'ambiguous') {
    if (fault.late) return { kind: 'done', text: seen };
    // The fingerprint of the key of now has decided.
    if (writing.tool === 'regenerate_deployment_access_key') {
      return { kind: 'not_done', text: `not_done: ${words.message} ${simulated} ${lost}` };
    }
    return { kind: 'outcome_unknown', text: `outcome_unknown: ${words.message} ${unknown} ${simulated} ${lost}` };
  }
  return refusal(words, 'Nothing was changed. ');
}

/** A fault may change what a read finds: a list of nothing is one, too. */
function same({ fault: { name }, endpoint, tool }: FaultCase): ExpectedAnswer {
  const isOther =
    (name === 'missing item' && isPaged(endpoint) && tool !== 'compare_inventory') ||
    (name === 'unknown enum members' && withEnums.has(endpoint)) ||
    (name === 'null collections' && withLists.has(endpoint));
  if (!isOther) return { kind: 'same' };
  const total = totalsOf[tool]?.[name];
  return { kind: 'other', ...(total !== undefined && { text: `total ${total}` }) };
}

/** How many items a list of a tool has where a fault changes them. */
const totalsOf: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  list_sensors: { 'missing item': 36, 'unknown enum members': 44, 'null collections': 0 },
  compare_inventory: { 'unknown enum members': 4, 'null collections': 4 },
  list_sensor_candidates: { 'missing item': 7, 'null collections': 0 },
  list_health_issues: { 'missing item': 16, 'unknown enum members': 0, 'null collections': 0 },
  list_sensor_migrations: { 'missing item': 27, 'unknown enum members': 33, 'null collections': 0 },
};
const lists = ['listSensors', 'listHealthIssues', 'listSensorMigrations', 'getSensor', 'getHealthIssue'];
const withEnums: ReadonlySet<string> = new Set([...lists, 'getActivationConfiguration']);
const withLists: ReadonlySet<string> = new Set([...lists, 'listSensorCandidates']);

function refusal({ code, message, next }: Words, unchanged: string): ExpectedAnswer {
  return { kind: code, text: `${code}: ${message} ${unchanged}${next === undefined ? '' : `${next} `}${simulated}` };
}

const mayNotHave = 'This tenant, or this version of Microsoft Graph, may not have it.';

/** The words of the refusal that a fault comes to; undefined where nothing comes of it. */
function told({ fault, endpoint }: FaultCase, gets: boolean): Words | undefined {
  const { route, resend, discloses } = getEndpoint(endpoint);
  const { name, means, ever, paged, words, wordsOfWrite = words } = fault;
  const routes = listRoutes(endpoint);
  const spelled = (of: Words): Words => {
    const message = of.message.replace('{route}', route);
    // What Graph says of an endpoint with a secret stays out.
    return {
      ...of,
      message: discloses ? message.replace(/(; Graph's words: ".*")? \(Graph (\d+) \w+\)/, ' (Graph $2)') : message,
    };
  };
  if (name === 'first route off' && routes.length > 1) return undefined;
  if (name.endsWith('off') || (name === '404 after a deletion' && routes.length > 1)) {
    // Graph takes the name of a function for an id.
    if (/\/getDeployment\w+$/.test(route)) {
      return spelled({
        code: 'not_found',
        message: 'Microsoft Graph finds nothing for {route} (Graph 404 NotFound).',
        next: mayNotHave,
      });
    }
    const answer = name.startsWith('404')
      ? '404 NotFound'
      : onAnother.has(endpoint)
        ? '405 MethodNotAllowed'
        : '400 BadRequest';
    return spelled({
      code: 'not_in_this_cloud',
      message: `Microsoft Graph in the global cloud does not have {route} in this version (Graph ${answer}).`,
    });
  }
  const passes =
    means === 'harmless' ||
    (paged === true && !(gets && isPaged(endpoint))) ||
    (means === 'not executed' && ever === undefined) ||
    (means === 'ambiguous' && ever === undefined && resend === 'always');
  const said = gets ? words : wordsOfWrite;
  if (passes || said === undefined) return undefined;
  const isAboutNoId = said.code === 'not_found' && !route.includes('{');
  return spelled(isAboutNoId ? { ...said, next: mayNotHave } : said);
}

/** Their path has another method, so a route that is off is a method that is not allowed. */
const onAnother: ReadonlySet<string> = new Set([
  'getSensor',
  'updateSensor',
  'deleteSensor',
  'regenerateDeploymentAccessKey',
  'getActivationConfiguration',
  'getHealthIssue',
  'updateHealthIssue',
  'getAutoAuditingConfiguration',
  'updateAutoAuditingConfiguration',
  'updateActivationConfiguration',
]);

const already = (outcome: string): ExpectedAnswer => ({ kind: 'done', text: outcome });
const refused = (text: string): ExpectedAnswer => ({
  kind: /^\w+/.exec(text)?.[0] ?? '',
  text: `${text} ${simulated}`,
});
const contradicted = (outcome: string): ExpectedAnswer => ({
  kind: 'outcome_unknown',
  text: `outcome_unknown: Graph confirmed the request, but does not show what came of it. Read the current state before doing anything else. ${simulated} ${outcome}`,
});
const half = (message: string): ExpectedAnswer => ({
  kind: 'partly_done',
  text: `partly_done: ${message} ${simulated} 1 of 2: deleted; Graph answers 404 for it now. 1 of 2: not sent; nothing was changed`,
});
const deletion = 'DELETE /security/identities/sensors/{sensorId}';
const notJson = half(`The answer of Microsoft Graph to ${deletion} cannot be used: it is not JSON.`);

/** Where a tool has something of its own to say. */
const specials: Readonly<Record<string, ExpectedAnswer>> = {
  'plan update_sensor: unknown enum members': refused(
    'not_writable: domainControllerDnsNames of "PM01.contoso.com" cannot change: its type is not known. Nothing was changed. For this sensor give only description or isDelayedDeploymentEnabled.',
  ),
  'plan delete_stale_sensors: null collections': refused(
    'not_found: No sensor has the id 6c9b96b1-4f56-45e1-8d59-4bc01d049910. Nothing was changed. Take the ids from list_sensors.',
  ),
  'plan delete_stale_sensors: unknown enum members': refused(
    'not_writable: 2 of 2 sensors may not be deleted as stale: "SIN-DC03.apac.contoso.com" (6c9b96b1-4f56-45e1-8d59-4bc01d049910) is somethingNew, not unreachable, and has no communicating duplicate; "DC12.contoso.com" (cee5fa67-b249-494d-806f-59164f5d97f0) is somethingNew, not unreachable, and has no communicating duplicate. Nothing was changed. Call again without them, or ask the user about delete_sensor for a single one.',
  ),
  'plan regenerate_deployment_access_key: first route off': already('Regenerated: the key has another fingerprint now'),
  'plan regenerate_deployment_access_key: all routes off': already('Regenerated: the key has another fingerprint now'),
  'plan activate_sensor_candidates: null collections': refused(
    'not_found: No candidate has the id 8023c537-8218-42f6-8232-7639f584fafe; it may be activated already. Nothing was changed. Look with list_sensors, then take ids from list_sensor_candidates.',
  ),
  'plan update_health_issue: 404 after a deletion': refused(
    'not_found: No health issue has the id 99631e4f-9103-4b39-850b-965996754858. Nothing was changed. Take the ids from list_health_issues.',
  ),
  'plan migrate_sensors: null collections': refused(
    'not_found: No sensor to migrate has the id d69be7ef-5971-4bbd-8caf-3f9c17ccc8ad. Nothing was changed. Take ids from list_sensor_migrations.',
  ),
  'plan migrate_sensors: unknown enum members': refused(
    'not_writable: 1 of 1 sensor cannot be migrated; in Microsoft\'s words: "DC02.contoso.com" (d69be7ef-5971-4bbd-8caf-3f9c17ccc8ad) is somethingNew. Nothing was changed. Call again with those that are readyForMigration or migrationFailed.',
  ),
  'send delete_sensor: 404 after a deletion': already('Was already gone'),
  'send delete_stale_sensors: 404 after a deletion': already(
    '1 of 2: was already gone. 1 of 2: deleted; Graph answers 404 for it now',
  ),
  'send delete_stale_sensors: reset before the body, for ever': half(
    `Microsoft Graph gave no answer to ${deletion}: the connection failed (ECONNRESET).`,
  ),
  'send delete_stale_sensors: malformed JSON': notJson,
  'send delete_stale_sensors: HTML of a proxy': notJson,
  'send activate_sensor_candidates: 404 after a deletion': {
    kind: 'accepted',
    text: '2 of 2: left the candidates, not seen as a sensor yet',
  },
  'send migrate_sensors: 404 after a deletion': {
    kind: 'not_done',
    text: `not_done: Graph confirmed the request, but nothing of it took effect. ${simulated} Graph did not start it; its state could not be read`,
  },
  'send migrate_sensors: null collections': already('Its state is migrating'),
  // A migration of the simulated tenant takes less than a deadline.
  'send migrate_sensors: silence after the effect': already('Its state is upToDate'),
  'send migrate_sensors: drip without an end': already('Its state is upToDate'),
  'after update_sensor: null collections': contradicted(
    'Graph accepted the request but does not show the new domainControllerDnsNames; get_sensor decides',
  ),
  'after update_activation_configuration: unknown enum members': contradicted(
    'Graph accepted the request but does not show the activation mode automated; get_activation_configuration decides',
  ),
  'after update_health_issue: unknown enum members': contradicted(
    'Graph accepted the request but does not show status suppressed; get_health_issue decides',
  ),
  'after migrate_sensors: unknown enum members': already('Started; its state is somethingNew'),
  'after migrate_sensors: null collections': { kind: 'accepted', text: 'Started; its state could not be read' },
};

/** How many requests are sent where the fault meets those that write or disclose. */
export function countExpectedSends({ fault, endpoint, writing }: FaultCase): number {
  if (writing === undefined) throw new Error('a read sends nothing');
  const { means, ever, atOnce, inBody, name } = fault;
  const { resend } = getEndpoint(endpoint);
  const routes = listRoutes(endpoint).length;
  const others = writing.effects - 1;
  if (writing.tool === 'delete_stale_sensors' && /^(malformed JSON|HTML)/.test(name)) return 1;
  if (name === 'all routes off') return routes;
  if (name === 'first route off') return routes === 1 ? 1 : 2 + others;
  if (name === '404 after a deletion') return routes > 1 ? routes : 1 + (endpoint === 'deleteSensor' ? others : 0);
  if (means === 'no token') return 0;
  const resends =
    means === 'not executed' ||
    (means === 'ambiguous' && resend === 'always' && !(inBody && isWrite(getEndpoint(endpoint))));
  if (ever && !(inBody && isWrite(getEndpoint(endpoint)))) return resends && !atOnce ? 5 : 1;
  if (name.startsWith('CAE')) return 2 + others;
  if (means === 'refused') return 1;
  return (resends ? 2 : 1) + (means === 'ambiguous' && !resends && !inBody ? 0 : others);
}

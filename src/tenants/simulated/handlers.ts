import type { endpoints } from '../../graph/endpoints/index.ts';
import { activationBody, auditingBody, parsed, sensorIds, serverIds, statusBody, update } from './bodies.ts';
import { candidateAs, issueAs, issuesOf, type Look, migrationsAs, sensorsAs, wrapped } from './dialect.ts';
import { badRequest, notFound } from './errors.ts';
import { type Item, type Options, pageOf, readQuery, selected } from './odata.ts';
import { activate, migrate, newAccessKey, remove, type State } from './state.ts';

/** One request that is allowed, on its way to its answer. */
export interface Ask {
  readonly state: State;
  readonly look: Look;
  readonly url: URL;
  readonly pageSize: number;
  readonly id: string;
  readonly body: unknown;
}

export interface Answered {
  readonly status: number;
  readonly json?: Item;
  /** What `@odata.context` says after `$metadata#`. */
  readonly context?: string;
  /** Whether the request changed something or disclosed the key: a value that was there before has no effect. */
  readonly effect?: boolean;
}

type Handler = (ask: Ask) => Answered;
export type EndpointName = keyof typeof endpoints;

const none: Options = { options: [] };
const collection: Options = { options: [], paged: true };
const listed: Options = { options: ['$count', '$filter', '$skip', '$top'], paged: true };
const issueOptions: Options = { options: [...listed.options, '$select'], paged: true };
const candidateOptions: Options = {
  options: ['$count', '$filter'],
  filter: /^\s*senseClientVersion\s+eq\s+'[^']*'\s*$/i,
  paged: true,
};

const withId = <T extends { readonly id: string }>(all: readonly T[], id: string, what: string): T => {
  const found = all.find((one) => one.id.toLowerCase() === id.toLowerCase());
  if (found === undefined) throw notFound(`${what} '${id}'`);
  return found;
};
const sensorOf = ({ state, id }: Ask) => withId(state.sensors, id, 'Sensor');
const issueOf = ({ state, id }: Ask) => withId(state.healthIssues, id, 'Health issue');

const keyAnswer = ({ state, look }: Ask): Answered => ({
  status: 200,
  effect: true,
  context: 'microsoft.graph.security.deploymentAccessKeyType',
  json: wrapped(look, 'deploymentAccessKeyType', {
    [look.shapes === 'documented' ? 'sensorDeploymentAccessKey' : 'deploymentAccessKey']: state.accessKey,
  }),
});

const activationConfiguration = ({ state, look }: Ask) => ({
  context: 'security/identities/sensorCandidateActivationConfiguration/$entity',
  json: wrapped(look, 'sensorCandidateActivationConfiguration', { activationMode: state.activationMode }),
});
const auditingConfiguration = ({ state, look }: Ask) => ({
  context: 'security/identities/settings/autoAuditingConfiguration/$entity',
  json: wrapped(look, 'autoAuditingConfiguration', { isAutomatic: state.isAutomatic }),
});

/** No page shows a body after these updates; the SDKs expect the updated object or none. */
const updated = ({ look }: Ask, effect: boolean, answer: { context: string; json: Item }): Answered =>
  look.shapes === 'documented' ? { status: 200, effect } : { status: 200, effect, ...answer };

const single = (set: string) => `security/identities/${set}/$entity`;

/** What the tenant answers, endpoint by endpoint. */
export const answers: { readonly [Name in EndpointName]: Handler } = {
  listSensors(ask) {
    const query = readQuery(ask.url, listed);
    const render = sensorsAs(ask.state, ask.look);
    return {
      status: 200,
      context: 'security/identities/sensors',
      json: pageOf({ ...ask, all: ask.state.sensors, render, query }),
    };
  },

  getSensor(ask) {
    const query = readQuery(ask.url, { options: ['$select', '$expand'] });
    const sensor = sensorOf(ask);
    const expand = query.get('$expand');
    if (expand !== undefined && expand.toLowerCase() !== 'healthissues') {
      throw badRequest(`Could not find a property named '${expand}' to expand.`);
    }
    const json = selected(sensorsAs(ask.state, ask.look)(sensor), query.get('$select'));
    const healthIssues = issuesOf(ask.state, sensor).map(issueAs(ask.look));
    return { status: 200, context: single('sensors'), json: expand === undefined ? json : { ...json, healthIssues } };
  },

  updateSensor(ask) {
    readQuery(ask.url, none);
    const sensor = sensorOf(ask);
    const before = JSON.stringify(sensor);
    update(sensor, ask.body);
    const effect = JSON.stringify(sensor) !== before;
    return { status: 200, effect, context: single('sensors'), json: sensorsAs(ask.state, ask.look)(sensor) };
  },

  deleteSensor(ask) {
    readQuery(ask.url, none);
    remove(ask.state, sensorOf(ask));
    return { status: 204, effect: true };
  },

  listSensorHealthIssues(ask) {
    const query = readQuery(ask.url, issueOptions);
    const all = issuesOf(ask.state, sensorOf(ask));
    return {
      status: 200,
      context: 'security/identities/healthIssues',
      json: pageOf({ ...ask, all, render: issueAs(ask.look), query }),
    };
  },

  getDeploymentAccessKey(ask) {
    readQuery(ask.url, none);
    return keyAnswer(ask);
  },

  regenerateDeploymentAccessKey(ask) {
    readQuery(ask.url, none);
    ask.state.accessKey = newAccessKey();
    return keyAnswer(ask);
  },

  getDeploymentPackageUri(ask) {
    readQuery(ask.url, none);
    const version = ask.state.packageVersion;
    const downloadUrl = `https://sensorpackage-prd.mdi.securitycenter.microsoft.com/${version}/AzureATPSensorSetup.zip?sig=simulated`;
    return {
      status: 200,
      context: 'microsoft.graph.security.sensorDeploymentPackage',
      json: wrapped(ask.look, 'sensorDeploymentPackage', { downloadUrl, version }),
    };
  },

  listSensorCandidates(ask) {
    const query = readQuery(ask.url, candidateOptions);
    return {
      status: 200,
      context: 'security/identities/sensorCandidates',
      json: pageOf({ ...ask, all: ask.state.candidates, render: candidateAs(ask.look), query }),
    };
  },

  activateSensorCandidates(ask) {
    readQuery(ask.url, none);
    const ids = parsed(serverIds, ask.body).serverIds.map((id) => id.toLowerCase());
    const effect = activate(ask.state, new Set(ids)) > 0;
    // The pages say 200; an action without a return type may answer 204 as well.
    return { status: ask.look.shapes === 'documented' ? 200 : 204, effect };
  },

  getActivationConfiguration(ask) {
    readQuery(ask.url, none);
    return { status: 200, ...activationConfiguration(ask) };
  },

  updateActivationConfiguration(ask) {
    readQuery(ask.url, none);
    const { activationMode } = parsed(activationBody, ask.body);
    const effect = ask.state.activationMode !== activationMode;
    ask.state.activationMode = activationMode;
    return updated(ask, effect, activationConfiguration(ask));
  },

  listHealthIssues(ask) {
    const query = readQuery(ask.url, ask.look.version === 'beta' ? listed : issueOptions);
    return {
      status: 200,
      context: 'security/identities/healthIssues',
      json: pageOf({ ...ask, all: ask.state.healthIssues, render: issueAs(ask.look), query }),
    };
  },

  getHealthIssue(ask) {
    const query = readQuery(ask.url, { options: ['$select'] });
    const json = selected(issueAs(ask.look)(issueOf(ask)), query.get('$select'));
    return { status: 200, context: single('healthIssues'), json };
  },

  updateHealthIssue(ask) {
    readQuery(ask.url, none);
    const issue = issueOf(ask);
    const { status } = parsed(statusBody, ask.body);
    const effect = issue.status !== status;
    issue.status = status;
    return { status: 200, effect, context: single('healthIssues'), json: issueAs(ask.look)(issue) };
  },

  getAutoAuditingConfiguration(ask) {
    readQuery(ask.url, none);
    return { status: 200, ...auditingConfiguration(ask) };
  },

  updateAutoAuditingConfiguration(ask) {
    readQuery(ask.url, none);
    const { isAutomatic } = parsed(auditingBody, ask.body);
    const effect = ask.state.isAutomatic !== isAutomatic;
    ask.state.isAutomatic = isAutomatic;
    return updated(ask, effect, auditingConfiguration(ask));
  },

  listSensorMigrations(ask) {
    const query = readQuery(ask.url, collection);
    const render = migrationsAs(ask.state, ask.look);
    return {
      status: 200,
      context: 'security/identities/sensorMigration',
      json: pageOf({ ...ask, all: ask.state.migrations, render, query }),
    };
  },

  migrateSensors(ask) {
    readQuery(ask.url, none);
    const ids = parsed(sensorIds, ask.body).sensorIds;
    const started = migrate(ask.state, ids);
    return {
      status: 200,
      effect: started.size > 0,
      context: 'microsoft.graph.security.migrateSensorsResult',
      json: {
        ...(ask.look.shapes === 'documented' && { '@odata.type': '#microsoft.graph.security.migrateSensorsResult' }),
        successfulMigrationSensorIds: ids.filter((id) => started.has(id.toLowerCase())),
        failedMigrationSensorIds: ids.filter((id) => !started.has(id.toLowerCase())),
      },
    };
  },
};

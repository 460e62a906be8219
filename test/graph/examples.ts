import type { ToolErrorCode } from '../../src/errors.ts';
import type { endpoints } from '../../src/graph/endpoints/index.ts';

/** One operation of Microsoft's pages as they show it: what is sent, what comes back, what a reader gets out of it. */
export interface Example {
  readonly of: keyof typeof endpoints;
  readonly versions: readonly ('v1.0' | 'beta')[];
  readonly method: string;
  readonly path: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly input?: unknown;
  readonly body?: unknown;
  /** No page shows it: it follows from schema, SDKs or permission data, and its body may lack the type annotation. */
  readonly derived?: true;
  readonly status: number;
  readonly answer?: unknown;
  /** The answer as the schema has it, where a page shows another shape. */
  readonly bare?: unknown;
  readonly read?: unknown;
}

/** What the service answers when it refuses. */
export interface ErrorExample {
  readonly version: 'v1.0' | 'beta';
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly refusal: ToolErrorCode;
}

const both = ['v1.0', 'beta'] as const;
const base = '/security/identities';
/** The id in most of the requests; the answers have another one. */
export const asked = 'd31dd827-92cd-4cd6-b269-c151a0eec55d';
const returned = 'b3c1b5fc-828c-45fa-a1e1-10d74f6d6e9c';
const typed = (type: string, value: object) => ({ '@odata.type': type, ...value });

const settings = {
  description: 'dc1 settings',
  domainControllerDnsNames: ['DC1.domain1.test.local'],
  isDelayedDeploymentEnabled: true,
};
const changed = { ...settings, description: 'dc1 settings new description', isDelayedDeploymentEnabled: false };
const dc1 = {
  id: returned,
  displayName: 'DC1',
  sensorType: 'domainControllerIntegrated',
  version: '2.239.18124.58593',
  deploymentStatus: 'upToDate',
  createdDateTime: '2023-11-16T09:41:24.2585071Z',
  domainName: 'domain1.test.local',
  healthStatus: 'healthy',
  openHealthIssuesCount: 0,
};
const sensor = (more: object = {}, of: object = settings) =>
  typed('#microsoft.graph.security.sensor', {
    ...dc1,
    settings: typed('microsoft.graph.security.sensorSettings', of),
    ...more,
  });
const sensorRead = { ...dc1, settings: { ...settings, networkAdapters: [] } };

const wrapped = (type: string, value: object) => ({ value: typed(`microsoft.graph.security.${type}`, value) });
const config = (name: string, value: object) => ({ value: typed(`#microsoft.graph.security.${name}`, value) });

const key = '<Deployment access key (Secret)>';
const keyAnswer = {
  status: 200,
  answer: wrapped('deploymentAccessKeyType', { sensorDeploymentAccessKey: key }),
  bare: { deploymentAccessKey: key },
  read: { secret: key },
};
const installer = { downloadUrl: '<Download URL string>', version: '2.239.18124.58593' };

const candidateId = 'c0633ebb-8cfb-f17a-0b9e-83aa661f53a3';
const candidate = {
  id: candidateId,
  computerDnsName: 'win-11.def.defensor.local',
  senseClientVersion: '10.8780.27711.1000',
  lastSeenDateTime: '2024-10-29T19:55:10.9452778Z',
};
const candidateWithDomain = { ...candidate, domainName: 'def.defensor.local' };
const candidates = (value: object) => ({ value: [typed('#microsoft.graph.security.sensorCandidate', value)] });

const activationConfiguration = '#microsoft.graph.security.sensorCandidateActivationConfiguration';
const singular = `${base}/sensorCandidateActivationConfiguration`;
const autoAuditing = `${base}/settings/autoAuditingConfiguration`;
const automatic = typed('#microsoft.graph.security.autoAuditingConfiguration', { isAutomatic: true });

const objects = [
  'Descendant User Objects (Schema-Id-Guid: bf967aba-0de6-11d0-a285-00aa003049e2)',
  'Descendant Group Objects (Schema-Id-Guid: bf967a9c-0de6-11d0-a285-00aa003049e2)',
  'Descendant Computer Objects (Schema-Id-Guid: bf967a86-0de6-11d0-a285-00aa003049e2)',
  'Descendant msDS-GroupManagedServiceAccount Objects (Schema-Id-Guid: 7b8b558a-93a5-4af7-adca-c017e67f1057)',
  'Descendant msDS-ManagedServiceAccount Objects (Schema-Id-Guid: ce206244-5827-4a86-ba1c-1c0c386c1b64)',
];
const commands = [
  'Import-Module DefenderForIdentity',
  'Set-MDIConfiguration -Configuration DomainObjectAuditing -Mode Domain -Force',
];
const is = {
  createdDateTime: '2022-07-15T12:19:27.7211305Z',
  description: 'Directory Services Object Auditing is not configured as required on domain1.contoso.com',
  displayName: 'Directory Services Object Auditing is not configured as required',
  domainNames: ['domain1.contoso.com', 'domain2.contoso.com'],
  issueTypeId: '1031',
  lastModifiedDateTime: '2022-07-15T12:19:27.7211305Z',
  recommendations: [
    'Please configure the Directory Services Object Auditing events according to the guidance as described in https://aka.ms/mdi/objectauditing',
  ],
  sensorDNSNames: ['DC1.domain1.contoso.com', 'DC2.domain2.contoso.com'],
  severity: 'medium',
  status: 'open',
};
const isnt = {
  ...is,
  description: "Directory Services Object Auditing isn't configured as required on domain1.contoso.com",
  displayName: "Directory Services Object Auditing isn't configured as required",
};
const brief = { additionalInformation: objects.slice(0, 1), recommendedActionCommands: commands.slice(0, 1) };
const long = { additionalInformation: objects, recommendedActionCommands: commands };
const issue = (facts: object, id: object = { id: returned }) =>
  typed('#microsoft.graph.security.healthIssue', { ...facts, ...id, healthIssueType: 'Global' });
const issueRead = (facts: object) => ({ ...facts, id: returned, healthIssueType: 'global' });

const migrating = 'fdce0c43-15e8-e322-7656-aff297505af5';
const failing = 'a1b2c3d4-e5f6-7890-abcd-ef1234567890';
const migration = {
  id: migrating,
  displayName: 'DC01 Sensor',
  sensorType: 'domainControllerIntegrated',
  version: '2.239.18124.58593',
  createdDateTime: '2024-09-10T14:22:46.8774591Z',
  domainName: 'contoso.com',
  healthStatus: 'healthy',
  serviceStatus: 'running',
  migrationState: 'readyForMigration',
};
const migrated = { successfulMigrationSensorIds: [migrating], failedMigrationSensorIds: [failing] };

const listSensors = { of: 'listSensors', method: 'GET', path: `${base}/sensors`, status: 200 } as const;
const getSensor = {
  of: 'getSensor',
  method: 'GET',
  path: `${base}/sensors/${asked}`,
  params: { sensorId: asked },
  status: 200,
} as const;
const updateSensor = {
  of: 'updateSensor',
  method: 'PATCH',
  path: `${base}/sensors/${asked}`,
  params: { sensorId: asked },
  input: { settings: changed },
  body: { settings: changed },
  status: 200,
} as const;
const listSensorCandidates = { ...listSensors, of: 'listSensorCandidates', path: `${base}/sensorCandidates` } as const;
const updateActivation = {
  of: 'updateActivationConfiguration',
  versions: both,
  input: { activationMode: 'automated' },
  body: { activationMode: 'automated' },
  status: 200,
} as const;
const listHealthIssues = { ...listSensors, of: 'listHealthIssues', path: `${base}/healthIssues` } as const;
const getHealthIssue = (id: string) =>
  ({
    of: 'getHealthIssue',
    method: 'GET',
    path: `${base}/healthIssues/${id}`,
    params: { healthIssueId: id },
    status: 200,
  }) as const;
const updateHealthIssue = {
  of: 'updateHealthIssue',
  method: 'PATCH',
  path: `${base}/healthIssues/${returned}`,
  params: { healthIssueId: returned },
  input: { status: 'closed' },
  body: { status: 'closed' },
  status: 200,
} as const;
const updateAutoAuditing = {
  of: 'updateAutoAuditingConfiguration',
  path: autoAuditing,
  input: { isAutomatic: true },
  body: automatic,
  status: 200,
} as const;

export const examples: readonly Example[] = [
  { ...listSensors, versions: ['v1.0'], answer: { value: [sensor()] }, read: [sensorRead] },
  {
    ...listSensors,
    versions: ['beta'],
    answer: { value: [sensor({ serviceStatus: 'running' })] },
    read: [{ ...sensorRead, serviceStatus: 'running' }],
  },
  { ...getSensor, versions: ['v1.0'], answer: sensor(), read: sensorRead },
  {
    ...getSensor,
    versions: ['beta'],
    answer: sensor({ serviceStatus: 'running' }),
    read: { ...sensorRead, serviceStatus: 'running' },
  },
  {
    ...updateSensor,
    versions: ['v1.0'],
    answer: sensor({}, changed),
    read: { ...sensorRead, settings: { ...sensorRead.settings, ...changed } },
  },
  {
    ...updateSensor,
    versions: ['beta'],
    answer: sensor({ serviceStatus: 'String' }, changed),
    read: { ...sensorRead, serviceStatus: 'String', settings: { ...sensorRead.settings, ...changed } },
  },
  {
    of: 'deleteSensor',
    versions: both,
    method: 'DELETE',
    path: `${base}/sensors/${asked}`,
    params: { sensorId: asked },
    status: 204,
  },
  {
    of: 'getDeploymentAccessKey',
    versions: both,
    method: 'GET',
    path: `${base}/sensors/getDeploymentAccessKey`,
    ...keyAnswer,
  },
  {
    of: 'regenerateDeploymentAccessKey',
    versions: both,
    method: 'POST',
    path: `${base}/sensors/regenerateDeploymentAccessKey`,
    ...keyAnswer,
  },
  {
    of: 'getDeploymentPackageUri',
    versions: both,
    method: 'GET',
    path: `${base}/sensors/getDeploymentPackageUri`,
    status: 200,
    answer: wrapped('sensorDeploymentPackage', installer),
    bare: installer,
    read: installer,
  },
  {
    ...listSensorCandidates,
    versions: ['v1.0'],
    answer: candidates(candidateWithDomain),
    read: [candidateWithDomain],
  },
  { ...listSensorCandidates, versions: ['beta'], answer: candidates(candidate), read: [candidate] },
  {
    of: 'activateSensorCandidates',
    versions: both,
    method: 'POST',
    path: `${base}/sensorCandidates/activate`,
    input: { serverIds: [candidateId] },
    body: { serverIds: [candidateId] },
    status: 200,
  },
  {
    of: 'getActivationConfiguration',
    versions: both,
    method: 'GET',
    path: singular,
    status: 200,
    answer: config('sensorCandidateActivationConfiguration', { activationMode: 'manual' }),
    bare: { activationMode: 'manual' },
    read: { activationMode: 'manual' },
  },
  {
    ...updateActivation,
    method: 'POST',
    path: `${singular}s`,
    body: { '@odata.type': activationConfiguration, activationMode: 'automated' },
  },
  { ...updateActivation, derived: true, method: 'PATCH', path: singular, bare: { activationMode: 'automated' } },
  { ...updateActivation, derived: true, method: 'POST', path: singular },
  {
    ...listHealthIssues,
    versions: ['v1.0'],
    answer: { value: [issue({ ...is, ...brief })] },
    read: [issueRead({ ...is, ...brief })],
  },
  {
    ...listHealthIssues,
    versions: ['beta'],
    answer: { value: [issue({ ...is, ...long }, { ID: returned })] },
    read: [issueRead({ ...is, ...long })],
  },
  {
    ...getHealthIssue('bf600aba-e975-0274-d332-c0f79dc75740'),
    versions: ['v1.0'],
    answer: issue({ ...isnt, ...brief }),
    read: issueRead({ ...isnt, ...brief }),
  },
  {
    ...getHealthIssue(returned),
    versions: ['beta'],
    answer: issue({ ...is, ...brief }),
    read: issueRead({ ...is, ...brief }),
  },
  {
    ...updateHealthIssue,
    versions: ['v1.0'],
    answer: issue({ ...isnt, ...brief, status: 'closed' }),
    read: issueRead({ ...isnt, ...brief, status: 'closed' }),
  },
  {
    ...updateHealthIssue,
    versions: ['beta'],
    answer: issue({ ...is, ...long, status: 'closed' }, { ID: returned }),
    read: issueRead({ ...is, ...long, status: 'closed' }),
  },
  {
    of: 'getAutoAuditingConfiguration',
    versions: both,
    method: 'GET',
    path: autoAuditing,
    status: 200,
    answer: { value: automatic },
    bare: { isAutomatic: true },
    read: { isAutomatic: true },
  },
  { ...updateAutoAuditing, versions: ['v1.0'], method: 'PATCH' },
  { ...updateAutoAuditing, versions: ['beta'], method: 'POST' },
  {
    of: 'listSensorHealthIssues',
    versions: both,
    method: 'GET',
    path: `${base}/sensors/${asked}/healthIssues`,
    params: { sensorId: asked },
    derived: true,
    status: 200,
    answer: { value: [issue({ ...is, ...brief })] },
    read: [issueRead({ ...is, ...brief })],
  },
  {
    of: 'listSensorMigrations',
    versions: ['beta'],
    method: 'GET',
    path: `${base}/sensorMigration`,
    status: 200,
    answer: { value: [typed('#microsoft.graph.security.sensorMigration', migration)] },
    read: [migration],
  },
  {
    of: 'migrateSensors',
    versions: ['beta'],
    method: 'POST',
    path: `${base}/sensorMigration/migrate`,
    input: { sensorIds: [migrating, failing] },
    body: { sensorIds: [migrating, failing] },
    status: 200,
    answer: typed('#microsoft.graph.security.migrateSensorsResult', migrated),
    read: migrated,
  },
];

const challenge = 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", ';
const sensors = { version: 'v1.0', method: 'GET', path: `${base}/sensors` } as const;

export const errorExamples: readonly ErrorExample[] = [
  {
    ...sensors,
    version: 'beta',
    status: 403,
    code: 'Forbidden',
    message:
      'Tenant is not onboarded to Microsoft Defender for Identity. After license is purchased, first login to portal and sensor are required.',
    refusal: 'not_onboarded',
  },
  {
    ...sensors,
    version: 'beta',
    path: `${base}/healthIssues`,
    status: 403,
    code: 'UnknownError',
    message: '',
    refusal: 'permission_missing',
  },
  {
    ...sensors,
    path: '/security/incidents',
    status: 403,
    code: 'Forbidden',
    message:
      'Missing application roles. API required roles: SecurityIncident.Read.All,SecurityIncident.ReadWrite.All, application roles: .',
    refusal: 'permission_missing',
  },
  {
    ...sensors,
    status: 401,
    code: 'InvalidAuthenticationToken',
    message: 'Access token has expired or is not yet valid.',
    headers: { 'WWW-Authenticate': `${challenge}client_id="00000003-0000-0000-c000-000000000000"` },
    refusal: 'sign_in_failed',
  },
  {
    ...sensors,
    status: 401,
    code: 'InvalidAuthenticationToken',
    message: 'Continuous access evaluation resulted in challenge',
    headers: {
      'WWW-Authenticate': `${challenge}error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwgInZhbHVlIjoiMTYwNDEwNjY1MSJ9fX0="`,
    },
    refusal: 'sign_in_failed',
  },
  {
    ...sensors,
    method: 'POST',
    path: `${singular}s`,
    status: 400,
    code: 'BadRequest',
    message: "Resource not found for the segment 'sensorCandidateActivationConfigurations'.",
    refusal: 'not_in_this_cloud',
  },
  {
    ...sensors,
    status: 429,
    code: 'TooManyRequests',
    message: 'Too many requests.',
    headers: { 'Retry-After': '10' },
    refusal: 'throttled',
  },
];

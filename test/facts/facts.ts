/**
 * What Microsoft publishes about these operations, written down apart from the code: the v1.0 metadata (CSDL, July 2026,
 * of the global and the US Government cloud), the permission data of Graph Explorer (August 2026) and the reference pages
 * (beta where only beta has it).
 */

interface OperationFact {
  /** Method and path, with every spelling that a source has. */
  readonly routes: readonly string[];
  /** Where the pages and the schemas of the clouds have it, by version. */
  readonly availability: { readonly 'v1.0'?: readonly string[]; readonly beta?: readonly string[] };
  /** Least privileged permission; several where the sources leave it open. */
  readonly permission: readonly string[];
  /**
   * Every permission that opens it, where that is another list. The permission data lacks `DELETE` of a sensor (the page
   * says ReadWrite), the plural and `PATCH` of the activation configuration and `PATCH` of the auditing one (pages and
   * SDKs have them); health issues of one sensor are in the schema only, so theirs is a guess.
   */
  readonly opens?: readonly string[];
  /** A body that it takes. */
  readonly body?: unknown;
  /** True where another request may follow one whose outcome is unknown without doing anything twice. */
  readonly repeatable: boolean;
  readonly secret?: true;
}

const global = ['global'];
const usGov = ['global', 'usgov', 'usgovdod'];
const sensorsRead = ['SecurityIdentitiesSensors.Read.All'];
const sensorsWrite = ['SecurityIdentitiesSensors.ReadWrite.All'];
const healthRead = ['SecurityIdentitiesHealth.Read.All'];
const healthWrite = ['SecurityIdentitiesHealth.ReadWrite.All'];
const noId = '00000000-0000-4000-8000-000000000000';

export const operationFacts: Readonly<Record<string, OperationFact>> = {
  listSensors: {
    routes: ['GET /security/identities/sensors'],
    availability: { 'v1.0': usGov, beta: usGov },
    permission: sensorsRead,
    repeatable: true,
  },
  getSensor: {
    routes: ['GET /security/identities/sensors/{}'],
    availability: { 'v1.0': usGov, beta: usGov },
    permission: sensorsRead,
    repeatable: true,
  },
  updateSensor: {
    routes: ['PATCH /security/identities/sensors/{}'],
    availability: { 'v1.0': usGov, beta: usGov },
    permission: sensorsWrite,
    body: { settings: { description: 'x' } },
    repeatable: true,
  },
  deleteSensor: {
    routes: ['DELETE /security/identities/sensors/{}'],
    availability: { 'v1.0': usGov, beta: usGov },
    permission: sensorsWrite,
    repeatable: true,
  },
  listSensorHealthIssues: {
    routes: ['GET /security/identities/sensors/{}/healthIssues'],
    availability: { 'v1.0': usGov, beta: global },
    permission: [...healthRead, ...sensorsRead],
    opens: [...healthRead, ...healthWrite],
    repeatable: true,
  },
  getDeploymentAccessKey: {
    routes: ['GET /security/identities/sensors/getDeploymentAccessKey'],
    availability: { 'v1.0': usGov, beta: usGov },
    permission: sensorsWrite,
    repeatable: true,
    secret: true,
  },
  regenerateDeploymentAccessKey: {
    routes: ['POST /security/identities/sensors/regenerateDeploymentAccessKey'],
    availability: { 'v1.0': usGov, beta: global },
    permission: sensorsWrite,
    repeatable: false,
    secret: true,
  },
  getDeploymentPackageUri: {
    routes: ['GET /security/identities/sensors/getDeploymentPackageUri'],
    availability: { 'v1.0': usGov, beta: global },
    permission: sensorsRead,
    repeatable: true,
  },
  listSensorCandidates: {
    routes: ['GET /security/identities/sensorCandidates'],
    availability: { 'v1.0': global, beta: usGov },
    permission: sensorsRead,
    opens: [...sensorsRead, ...sensorsWrite],
    repeatable: true,
  },
  activateSensorCandidates: {
    routes: ['POST /security/identities/sensorCandidates/activate'],
    availability: { 'v1.0': global, beta: usGov },
    permission: sensorsWrite,
    body: { serverIds: [noId] },
    repeatable: false,
  },
  getActivationConfiguration: {
    routes: ['GET /security/identities/sensorCandidateActivationConfiguration'],
    availability: { 'v1.0': global, beta: global },
    permission: sensorsRead,
    opens: [...sensorsRead, ...sensorsWrite],
    repeatable: true,
  },
  updateActivationConfiguration: {
    routes: [
      'POST /security/identities/sensorCandidateActivationConfigurations',
      'POST /security/identities/sensorCandidateActivationConfiguration',
      'PATCH /security/identities/sensorCandidateActivationConfiguration',
    ],
    availability: { 'v1.0': global, beta: global },
    permission: sensorsWrite,
    body: { activationMode: 'manual' },
    repeatable: true,
  },
  listHealthIssues: {
    routes: ['GET /security/identities/healthIssues'],
    availability: { 'v1.0': usGov, beta: global },
    permission: healthRead,
    opens: [...healthRead, ...healthWrite],
    repeatable: true,
  },
  getHealthIssue: {
    routes: ['GET /security/identities/healthIssues/{}'],
    availability: { 'v1.0': usGov, beta: usGov },
    permission: healthRead,
    opens: [...healthRead, ...healthWrite],
    repeatable: true,
  },
  updateHealthIssue: {
    routes: ['PATCH /security/identities/healthIssues/{}'],
    availability: { 'v1.0': usGov, beta: global },
    permission: healthWrite,
    body: { status: 'closed' },
    repeatable: true,
  },
  getAutoAuditingConfiguration: {
    routes: ['GET /security/identities/settings/autoAuditingConfiguration'],
    availability: { 'v1.0': global, beta: global },
    permission: ['SecurityIdentitiesAutoConfig.Read.All'],
    repeatable: true,
  },
  updateAutoAuditingConfiguration: {
    routes: [
      'PATCH /security/identities/settings/autoAuditingConfiguration',
      'POST /security/identities/settings/autoAuditingConfiguration',
    ],
    availability: { 'v1.0': global, beta: global },
    permission: ['SecurityIdentitiesAutoConfig.ReadWrite.All'],
    body: { isAutomatic: true },
    repeatable: true,
  },
  listSensorMigrations: {
    routes: ['GET /security/identities/sensorMigration'],
    availability: { beta: global },
    permission: ['SecurityIdentitiesMigration.Read.All'],
    repeatable: true,
  },
  migrateSensors: {
    routes: ['POST /security/identities/sensorMigration/migrate'],
    availability: { beta: global },
    permission: ['SecurityIdentitiesMigration.ReadWrite.All'],
    body: { sensorIds: [noId] },
    repeatable: false,
  },
};

/** Properties of what comes back, by the operation that answers with it; nested ones behind a dot. */
export const answerFacts: Readonly<Record<string, string>> = {
  listSensors: `id createdDateTime deploymentStatus displayName domainName healthStatus migrationState openHealthIssuesCount
    sensorType serviceStatus settings settings.description settings.domainControllerDnsNames settings.isDelayedDeploymentEnabled
    settings.networkAdapters settings.networkAdapters.id settings.networkAdapters.isEnabled settings.networkAdapters.name
    version`,
  listSensorCandidates: 'id computerDnsName domainName lastSeenDateTime senseClientVersion sensorTypes',
  listHealthIssues: `id additionalInformation createdDateTime description displayName domainNames healthIssueType issueTypeId
    lastModifiedDateTime recommendations recommendedActionCommands sensorDNSNames severity status`,
  listSensorMigrations: `id createdDateTime displayName domainName healthStatus migrationState sensorType serviceStatus
    version`,
  getActivationConfiguration: 'activationMode',
  getAutoAuditingConfiguration: 'isAutomatic',
  getDeploymentPackageUri: 'downloadUrl version',
  migrateSensors: 'failedMigrationSensorIds successfulMigrationSensorIds',
};

/** Properties of what is sent. */
export const bodyFacts: Readonly<Record<string, string>> = {
  updateSensor: 'settings settings.description settings.domainControllerDnsNames settings.isDelayedDeploymentEnabled',
  activateSensorCandidates: 'serverIds',
  updateActivationConfiguration: 'activationMode',
  updateHealthIssue: 'status',
  updateAutoAuditingConfiguration: 'isAutomatic',
  migrateSensors: 'sensorIds',
};

/** Members of the enumerations, without the sentinel `unknownFutureValue`. */
export const enumFacts = {
  deploymentStatus:
    'upToDate outdated updating updateFailed notConfigured unreachable disconnected startFailure syncing',
  sensorHealthStatus: 'healthy notHealthyLow notHealthyMedium notHealthyHigh',
  sensorType: 'adConnectIntegrated adcsIntegrated adfsIntegrated domainControllerIntegrated domainControllerStandalone',
  serviceStatus: 'stopped starting running disabled onboarding unknown',
  sensorCandidateActivationMode: 'manual automated',
  healthIssueSeverity: 'low medium high',
  healthIssueStatus: 'open closed suppressed',
  healthIssueType: 'sensor global',
  migrationState: 'readyForMigration notReadyForMigration upToDate migrationFailed migrating',
  deviceType: 'domainController adfs adcs entraConnect',
};

/** Graph and sign-in of each cloud. */
export const cloudFacts = {
  global: ['https://graph.microsoft.com', 'https://login.microsoftonline.com'],
  usgov: ['https://graph.microsoft.us', 'https://login.microsoftonline.us'],
  usgovdod: ['https://dod-graph.microsoft.us', 'https://login.microsoftonline.us'],
  china: ['https://microsoftgraph.chinacloudapi.cn', 'https://login.chinacloudapi.cn'],
};

/** Ids of the permissions: application role, delegated scope. */
export const permissionFacts = {
  'SecurityEvents.Read.All': ['bf394140-e372-4bf9-a898-299cfc7564e5', '64733abd-851e-478a-bffb-e47a14b18235'],
  'SecurityIdentitiesSensors.Read.All': [
    '5f0ffea2-f474-4cf2-9834-61cda2bcea5c',
    '2c221239-7c5c-4b30-9355-d84663bfcd96',
  ],
  'SecurityIdentitiesSensors.ReadWrite.All': [
    'd4dcee6d-0774-412a-b06c-aeabbd99e816',
    '087c3ad9-c2ca-4b82-9885-d5e25ce9e183',
  ],
  'SecurityIdentitiesHealth.Read.All': ['f8dcd971-5d83-4e1e-aa95-ef44611ad351', 'a0d0da43-a6df-4416-b63d-99c79991aae8'],
  'SecurityIdentitiesHealth.ReadWrite.All': [
    'ab03ddd5-7ae4-4f2e-8af8-86654f7e0a27',
    '53e51eec-2d9b-4990-97f3-c9aa5d5652c3',
  ],
  'SecurityIdentitiesAutoConfig.Read.All': [
    '58971758-9844-4fe4-9fba-7e4ce7a659bf',
    '8ff90903-1ecb-4f3a-b8b2-42120374ecd6',
  ],
  'SecurityIdentitiesAutoConfig.ReadWrite.All': [
    '4f1f0deb-08d1-4ffb-8cca-21dfc362b7c0',
    'b810fdb4-8733-43bd-9b37-fddb7215c69f',
  ],
  'SecurityIdentitiesMigration.Read.All': [
    'b018cc1c-c680-4e91-bb6e-462ee243fdb5',
    '63595162-fcc0-4127-8b1e-bfe90b23a10e',
  ],
  'SecurityIdentitiesMigration.ReadWrite.All': [
    'afd28a5a-707f-4edf-85c2-c446291e63da',
    '741a6ef0-37e6-4b0a-9178-133d94fbc46e',
  ],
} as const;

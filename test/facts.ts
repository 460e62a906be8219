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
  /** True where another request may follow one whose outcome is unknown without doing anything twice. */
  readonly repeatable: boolean;
  readonly secret?: true;
}

const global = ['global'];
const usGov = ['global', 'usgov', 'usgovdod'];
const sensorsRead = ['SecurityIdentitiesSensors.Read.All'];
const sensorsWrite = ['SecurityIdentitiesSensors.ReadWrite.All'];

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
    permission: ['SecurityIdentitiesHealth.Read.All', 'SecurityIdentitiesSensors.Read.All'],
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
    repeatable: true,
  },
  activateSensorCandidates: {
    routes: ['POST /security/identities/sensorCandidates/activate'],
    availability: { 'v1.0': global, beta: usGov },
    permission: sensorsWrite,
    repeatable: false,
  },
  getActivationConfiguration: {
    routes: ['GET /security/identities/sensorCandidateActivationConfiguration'],
    availability: { 'v1.0': global, beta: global },
    permission: sensorsRead,
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
    repeatable: true,
  },
  listHealthIssues: {
    routes: ['GET /security/identities/healthIssues'],
    availability: { 'v1.0': usGov, beta: global },
    permission: ['SecurityIdentitiesHealth.Read.All'],
    repeatable: true,
  },
  getHealthIssue: {
    routes: ['GET /security/identities/healthIssues/{}'],
    availability: { 'v1.0': usGov, beta: usGov },
    permission: ['SecurityIdentitiesHealth.Read.All'],
    repeatable: true,
  },
  updateHealthIssue: {
    routes: ['PATCH /security/identities/healthIssues/{}'],
    availability: { 'v1.0': usGov, beta: global },
    permission: ['SecurityIdentitiesHealth.ReadWrite.All'],
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
    repeatable: false,
  },
};

/** Properties of what comes back, by the operation that answers with it; nested ones behind a dot. */
export const answerFacts: Readonly<Record<string, string>> = {
  listSensors: `id createdDateTime deploymentStatus displayName domainName healthStatus openHealthIssuesCount sensorType
    serviceStatus settings settings.description settings.domainControllerDnsNames settings.isDelayedDeploymentEnabled
    settings.networkAdapters settings.networkAdapters.id settings.networkAdapters.isEnabled settings.networkAdapters.name
    version`,
  listSensorCandidates: 'id computerDnsName domainName lastSeenDateTime senseClientVersion',
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
};

/** Graph and sign-in of each cloud. */
export const cloudFacts = {
  global: ['https://graph.microsoft.com', 'https://login.microsoftonline.com'],
  usgov: ['https://graph.microsoft.us', 'https://login.microsoftonline.us'],
  usgovdod: ['https://dod-graph.microsoft.us', 'https://login.microsoftonline.us'],
  china: ['https://microsoftgraph.chinacloudapi.cn', 'https://login.chinacloudapi.cn'],
};

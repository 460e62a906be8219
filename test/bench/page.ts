const sensor = (_: unknown, index: number) => ({
  '@odata.type': '#microsoft.graph.security.sensor',
  id: `d31dd827-92cd-4cd6-b269-${String(index).padStart(12, '0')}`,
  displayName: `DC${index}`,
  sensorType: 'domainControllerIntegrated',
  version: '2.239.18124.58593',
  deploymentStatus: 'upToDate',
  serviceStatus: 'running',
  createdDateTime: '2023-11-16T09:41:24.2585071Z',
  domainName: 'domain1.test.local',
  healthStatus: 'healthy',
  openHealthIssuesCount: 0,
  settings: {
    description: 'dc settings',
    domainControllerDnsNames: [`DC${index}.domain1.test.local`],
    isDelayedDeploymentEnabled: true,
  },
});

/** A page of 100 sensors as Graph sends it. */
export const page = JSON.stringify({
  '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#security/identities/sensors',
  value: Array.from({ length: 100 }, sensor),
});

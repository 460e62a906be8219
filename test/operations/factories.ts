import type { GraphObject } from './graph.ts';

/** Ids of the objects of a test, by their number. */
export const makeId = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
export const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();

export const running = { deploymentStatus: 'upToDate', serviceStatus: 'running', healthStatus: 'healthy' };
export const disconnected = { deploymentStatus: 'disconnected', serviceStatus: 'unknown' };

/** A v2.x sensor of a domain controller as Graph gives it, with nothing wrong. */
export const sensor = (number: number, displayName: string, more: GraphObject = {}) => ({
  id: makeId(number),
  displayName,
  domainName: 'contoso.com',
  sensorType: 'domainControllerIntegrated',
  version: '2.239.18124.58593',
  createdDateTime: '2023-11-16T09:41:24.2585071Z',
  ...running,
  ...more,
});

/** The same, with its own name in its list, as a domain controller's sensor has it. */
export const listed = (number: number, displayName: string, more: GraphObject = {}) => {
  const { domainName = 'contoso.com' } = more;
  return sensor(number, displayName, {
    settings: { domainControllerDnsNames: [`${displayName}.${domainName}`] },
    ...more,
  });
};

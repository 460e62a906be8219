import { describe, expect, test } from 'vitest';
import { isCommunicating, parseGeneration } from '../../src/operations/machines.ts';

describe('the major number of a version is its generation', () => {
  test.each(['0.1', '1.0.0.0', '2.0', '2.239.18124.58593', '2.999.1.1'])('%s is v2', (version) => {
    expect(parseGeneration(version)).toBe('v2');
  });
  test.each(['3.0', '3.0.7.1281', '4.1', '9.9', '10.1.0.0', '19.9', '20.1.0.0', '29.1', '30.1', '299.1'])(
    '%s is v3',
    (version) => {
      expect(parseGeneration(version)).toBe('v3');
    },
  );
  test.each([undefined, '', '2', '3', 'v3.0', ' 2.1', '-2.1', 'x2.1', '.3.0', 'unknown'])(
    '%j is neither',
    (version) => {
      expect(parseGeneration(version)).toBeUndefined();
    },
  );
});

describe('a sensor communicates', () => {
  const heard = ['upToDate', 'outdated', 'updating', 'updateFailed', 'syncing'] as const;
  const silent = [undefined, 'notConfigured', 'unreachable', 'disconnected', 'startFailure'] as const;
  const services = [
    'running',
    'stopped',
    'starting',
    'disabled',
    'onboarding',
    'unknown',
    'unknownFutureValue',
  ] as const;

  test.each(heard)('when it is %s and its service runs, or Graph does not state the service', (deploymentStatus) => {
    expect(
      [...services, undefined].filter((serviceStatus) => isCommunicating({ deploymentStatus, serviceStatus })),
    ).toEqual(['running', undefined]);
  });
  test.each(silent)('never when its deployment status is %s, whatever its service does', (deploymentStatus) => {
    expect(
      [...services, undefined].filter((serviceStatus) => isCommunicating({ deploymentStatus, serviceStatus })),
    ).toEqual([]);
  });
});

import { satisfies } from 'semver';
import { expect, test } from 'vitest';
import lock from '../../package-lock.json' with { type: 'json' };

const oldestTested = '20.20.0';

test('every package in the lock file runs on Node 20', () => {
  const packages: [string, { version?: string; engines?: unknown }][] = Object.entries(lock.packages);
  expect(packages.length).toBeGreaterThan(100);
  const excluded = packages.flatMap(([path, { version, engines }]) => {
    const range = typeof engines === 'object' && engines !== null && 'node' in engines ? String(engines.node) : '*';
    return satisfies(oldestTested, range) ? [] : [`${path} ${version} wants Node ${range}`];
  });
  expect(excluded).toEqual([]);
});

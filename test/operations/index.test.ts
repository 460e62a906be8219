import { describe, expect, test } from 'vitest';
import { listNeededPermissions, listOptionalPermissions } from '../../src/operations/grants.ts';
import { operations } from '../../src/operations/index.ts';
import { listNeededEndpoints } from '../../src/operations/operation.ts';
import { expandPermission, expandRoute, toolNames, tools } from '../harness/tools.ts';

const permissions = (short: readonly string[] = []) => short.map(expandPermission);

test('clients list the tools in the order of their rows', () => {
  expect(operations.map(({ name }) => name)).toEqual(toolNames);
});

describe('the row in test/harness/tools.ts has', () => {
  test.each(operations)('the permissions and the first route of $name', (operation) => {
    const { needs, optional, firstRoute } = tools[operation.name];
    expect({
      needs: listNeededPermissions(operation),
      optional: listOptionalPermissions(operation),
      firstRoute: listNeededEndpoints(operation)[0]?.route,
    }).toEqual({ needs: permissions(needs), optional: permissions(optional), firstRoute: expandRoute(firstRoute) });
  });
});

import { expect, test } from 'vitest';
import { canCall, listRolesFor } from '../../src/operations/roles.ts';

test.each([
  ['read', ['Sensors.Reader', 'Sensors.Operator', 'Sensors.Approver']],
  ['change', ['Sensors.Operator']],
  ['disclose', ['Sensors.Operator']],
  ['rollout', ['Sensors.Operator']],
  ['destroy', ['Sensors.Operator']],
] as const)('a tool of the effect %s is for %s', (effect, expected) => {
  expect(listRolesFor(effect)).toEqual(expected);
});

test.each([
  [[], false],
  [['Sensors.Reader'], false],
  [['Sensors.Approver', 'Sensors.Reader'], false],
  [['sensors.operator'], false],
  [['toString'], false],
  [['Mail.Send', 'Sensors.Operator'], true],
])('whoever has the roles %j may delete: %s', (assigned, expected) => {
  expect(canCall('destroy', assigned)).toBe(expected);
});

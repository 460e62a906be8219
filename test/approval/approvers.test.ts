import { describe, expect, test } from 'vitest';
import { describeApprover, findObjection } from '../../src/approval/approvers.ts';
import { place } from './questions.ts';

const tenantId = 'aaaabbbb-0000-cccc-1111-dddd2222eeee';
const ann = { tenantId, objectId: 'a11ce000-0000-0000-0000-000000000001', roles: [] };
const bob = { tenantId, objectId: 'b0b00000-0000-0000-0000-000000000002', roles: [] };
const approver = { ...bob, roles: ['Sensors.Approver'] };
const operator = { ...bob, roles: ['Sensors.Operator', 'Sensors.Reader'] };
const stranger = { ...ann, tenantId: '00000000-9999-4999-8999-000000000000' };

const anotherTenant = 'You signed in to another tenant than the one that is asked about.';
const somebodyElse = 'Only the person who asked may answer this, and you are somebody else.';
const secondPerson = 'You asked for this yourself, and this server wants a second person (--approvers other).';
const noRole = 'Only somebody with the app role Sensors.Approver may answer this, and you do not have it.';

/** Ids as Graph or an operator may spell them. */
const inTenant = { ...place.identity, tenantId: tenantId.toUpperCase() };
const askedByAnn = {
  identity: inTenant,
  requester: { tenantId: tenantId.toUpperCase(), objectId: ann.objectId.toUpperCase() },
};
const askedByApp = { identity: inTenant, requester: undefined };
const askedFromElsewhere = { identity: inTenant, requester: { ...stranger, objectId: bob.objectId } };

describe('a question that the person who asked may answer', () => {
  test.each([
    ['is answered by them, however their ids are spelled', ann, askedByAnn, undefined],
    ['is not answered by somebody else', bob, askedByAnn, somebodyElse],
    ['is not answered by an approver either', approver, askedByAnn, somebodyElse],
    ['is not answered from another tenant', stranger, askedByAnn, anotherTenant],
    ['is not answered by who has the same id in another tenant', bob, askedFromElsewhere, somebodyElse],
    ['is answered by an approver where an app asked', approver, askedByApp, undefined],
    ['is not answered by anybody else where an app asked', operator, askedByApp, noRole],
  ])('%s', (_, person, context, objection) => {
    expect(findObjection(person, context, 'requester')).toBe(objection);
  });
});

describe('a question that a second person has to answer', () => {
  test.each([
    ['is answered by an approver', approver, askedByAnn, undefined],
    ['is not answered by the person who asked', ann, askedByAnn, secondPerson],
    [
      'is not answered by them with the role of an approver',
      { ...ann, roles: approver.roles },
      askedByAnn,
      secondPerson,
    ],
    ['is not answered by somebody without that role', operator, askedByAnn, noRole],
    [
      'is not answered by an approver of another tenant',
      { ...stranger, roles: approver.roles },
      askedByAnn,
      anotherTenant,
    ],
    [
      'is answered by an approver who has the id of who asked in another tenant',
      approver,
      askedFromElsewhere,
      undefined,
    ],
    ['is answered by an approver where an app asked', approver, askedByApp, undefined],
    ['is not answered by anybody else where an app asked', ann, askedByApp, noRole],
  ])('%s', (_, person, context, objection) => {
    expect(findObjection(person, context, 'other')).toBe(objection);
  });
});

test('whoever answered is recorded with the names of Entra, and nothing else of them', () => {
  const signedIn = { ...approver, name: 'bob@contoso.com', signedInAtMs: Date.UTC(2026, 10, 26, 19, 22, 30) };
  expect(describeApprover(signedIn)).toEqual({
    tid: 'aaaabbbb-0000-cccc-1111-dddd2222eeee',
    oid: 'b0b00000-0000-0000-0000-000000000002',
    name: 'bob@contoso.com',
    authTime: '2026-11-26T19:22:30.000Z',
  });
});

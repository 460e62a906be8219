import * as z from 'zod';
import { boolean, entity, noContent, optional, single } from '../answer.ts';
import { globalOnly } from '../clouds.ts';
import { endpoint, nameCmdlets, typed } from '../endpoint.ts';

export const settingEndpoints = {
  getAutoAuditingConfiguration: endpoint({
    route: 'GET /security/identities/settings/autoAuditingConfiguration',
    availability: globalOnly,
    permission: 'SecurityIdentitiesAutoConfig.Read.All',
    cmdlets: { 'v1.0': 'Get-MgSecurityIdentitySettingAutoAuditingConfiguration' },
    answer: single(entity({ isAutomatic: optional(boolean) })),
  }),
  /** PATCH on the v1.0 page, POST on the beta page and in the permission data. */
  updateAutoAuditingConfiguration: endpoint({
    route: 'PATCH /security/identities/settings/autoAuditingConfiguration',
    alternatives: ['POST /security/identities/settings/autoAuditingConfiguration'],
    availability: globalOnly,
    permission: 'SecurityIdentitiesAutoConfig.ReadWrite.All',
    cmdlets: nameCmdlets('Update-MgSecurityIdentitySettingAutoAuditingConfiguration'),
    body: typed('autoAuditingConfiguration', { isAutomatic: z.boolean() }),
    answer: noContent,
  }),
};

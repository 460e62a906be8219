import * as z from 'zod';
import { globalOnly } from '../clouds.ts';
import { endpoint, entity, nameCmdlets, noContent, optional, single, typed } from '../endpoint.ts';

export const settingEndpoints = {
  getAutoAuditingConfiguration: endpoint({
    route: 'GET /security/identities/settings/autoAuditingConfiguration',
    availability: globalOnly,
    permission: 'SecurityIdentitiesAutoConfig.Read.All',
    cmdlets: { 'v1.0': 'Get-MgSecurityIdentitySettingAutoAuditingConfiguration' },
    answer: single(entity({ isAutomatic: optional(z.boolean()) })),
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

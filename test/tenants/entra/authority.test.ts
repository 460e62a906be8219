import { expect, test } from 'vitest';
import { createEntraTenant } from '../../../src/tenants/entra/tenant.ts';

const openTenant = (
  cloud: Parameters<typeof createEntraTenant>[0]['cloud'],
  auth: Parameters<typeof createEntraTenant>[0]['auth'],
  environment = {},
) => createEntraTenant({ auth, cloud, tenantLabel: undefined }, { environment, tellOperator: () => undefined });
const own = { AZURE_AUTHORITY_HOST: 'https://login.private.example' };

for (const auth of ['auto', 'secret', 'browser', 'device-code'] as const) {
  test.each([
    ['usgov', 'https://login.microsoftonline.us'],
    ['usgovdod', 'https://login.microsoftonline.us'],
    ['china', 'https://login.chinacloudapi.cn'],
  ] as const)(
    `%s is signed in to at its own authority whatever AZURE_AUTHORITY_HOST says (${auth})`,
    (cloud, expected) => {
      expect(openTenant(cloud, auth).authority).toBe(expected);
      expect(openTenant(cloud, auth, own).authority).toBe(expected);
    },
  );

  test(`the global cloud is signed in to where AZURE_AUTHORITY_HOST says, else at its own authority (${auth})`, () => {
    expect(openTenant('global', auth).authority).toBe('https://login.microsoftonline.com');
    expect(openTenant('global', auth, own).authority).toBe('https://login.private.example');
  });
}

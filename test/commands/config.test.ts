import { describe, expect, test, vi } from 'vitest';
import { cleanEnvironment, listUnusualSafetySettings, readConfig } from '../../src/config.ts';

const clean = (environment: Record<string, string>) => {
  const left = { ...environment };
  return { problems: cleanEnvironment(left), left };
};
/** `${name}`, as hosts write a value that is put in later. */
const later = (name: string) => `$\{${name}}`;

describe('a value that nobody put in place of its placeholder ends the start', () => {
  test.each([
    ['AZURE_TENANT_ID', later('env:TENANT')],
    ['AZURE_CLIENT_ID', '$CLIENT_ID'],
    ['AZURE_CLIENT_CERTIFICATE_PATH', `/certificates/${later('userHome')}/app.pem`],
    ['AZURE_FEDERATED_TOKEN_FILE', '%TEMP%\\token'],
    ['AZURE_AUTHORITY_HOST', later('input:authority')],
    ['AZURE_CLIENT_SECRET', later('input:secret')],
    ['MDI_MCP_WRITER_CLIENT_CERTIFICATE_PASSWORD', later('env:PASSWORD')],
    ['MDI_MCP_MAX_MACHINES', '$MAX'],
    ['HTTPS_PROXY', 'http://$PROXY:8080'],
    ['https_proxy', later('env:PROXY')],
    ['NODE_EXTRA_CA_CERTS', '%CERTIFICATES%'],
    ['IDENTITY_ENDPOINT', '$ENDPOINT'],
    ['HOME', later('env:HOME')],
    ['AZURE_CLIENT_SECRET', '$(az keyvault secret show --name mdi)'],
    ['AZURE_CLIENT_SECRET', '$AZURE_CLIENT_SECRET'],
    ['AZURE_CLIENT_SECRET', '$env:AZURE_CLIENT_SECRET'],
    ['AZURE_CLIENT_SECRET', '%AZURE_CLIENT_SECRET%'],
    ['AZURE_CLIENT_SECRET', '{{ secrets.mdi }}'],
    ['AZURE_CLIENT_SECRET', '#{MdiSecret}#'],
    ['AZURE_CLIENT_SECRET', '<client-secret>'],
    ['AZURE_CLIENT_SECRET', '"<your secret>"'],
    ['AZURE_CLIENT_SECRET', '@Microsoft.KeyVault(SecretUri=https://contoso.vault.azure.net/secrets/mdi)'],
    ['AZURE_CLIENT_SECRET', 'op://Contoso/mdi/secret'],
    ['AZURE_CLIENT_SECRET', 'undefined'],
    ['AZURE_CLIENT_SECRET', ' null\r\n'],
    ['AZURE_CLIENT_SECRET', 'your-client-secret'],
    ['AZURE_CLIENT_SECRET', 'xxxxxxxx'],
    ['AZURE_CLIENT_ID', '<client-id>'],
    ['AZURE_CLIENT_ID', 'None'],
    ['AZURE_CLIENT_ID', '[object Object]'],
    ['AZURE_TENANT_ID', '{{tenant}}'],
    ['AZURE_CLIENT_CERTIFICATE_PASSWORD', 'undefined'],
    ['MDI_MCP_WRITER_CLIENT_ID', '#{Writer}#'],
  ])('%s=%s', (name, value) => {
    expect(clean({ [name]: value, PATH: '/bin' })).toEqual({
      problems: [expect.stringMatching(new RegExp(`^${name} is a placeholder.* instead of a value; set it`))],
      left: { PATH: '/bin' },
    });
  });

  test('and a secret is not repeated', () => {
    expect(clean({ AZURE_CLIENT_SECRET: later('x') }).problems).toEqual([
      'AZURE_CLIENT_SECRET is a placeholder instead of a value; set it, or leave it out.',
    ]);
  });

  test('in a setting too, as a flag and as a variable', () => {
    expect(() => readConfig({ auditLog: '$HOME/audit' }, {})).toThrow('--audit-log is a placeholder ($HOME/audit)');
    expect(() => readConfig({}, { MDI_MCP_SECRETS_DIR: later('workspaceFolder') })).toThrow(
      'MDI_MCP_SECRETS_DIR is a placeholder (',
    );
  });
});

test.each([
  ['AZURE_CLIENT_SECRET', '$ummer2026'],
  ['AZURE_CLIENT_SECRET', `a${later('b')}c`],
  ['AZURE_CLIENT_CERTIFICATE_PASSWORD', '%x%'],
  ['HTTPS_PROXY', 'http://me:pa$sword%40x%2f@proxy:8080'],
  ['AZURE_CLIENT_CERTIFICATE_PATH', 'C:\\keys$\\100%.pem'],
  ['SOMETHING_ELSE', later('env:X')],
  ['AZURE_CLIENT_CERTIFICATE_PASSWORD', ' changeme '],
  ['AZURE_CLIENT_CERTIFICATE_PASSWORD', '"quoted"'],
  ['MDI_MCP_TENANT_LABEL', 'None'],
])('%s=%s is a value', (name, value) => {
  expect(clean({ [name]: value })).toEqual({ problems: [], left: { [name]: value } });
});

test.each([
  ['AZURE_CLIENT_SECRET', ' "right~secret"\r\n', 'right~secret'],
  ['AZURE_TENANT_ID', "'contoso.onmicrosoft.com' ", 'contoso.onmicrosoft.com'],
  ['AZURE_CLIENT_CERTIFICATE_PATH', '"C:\\Program Files\\app.pfx"', 'C:\\Program Files\\app.pfx'],
  ['AZURE_CLIENT_CERTIFICATE_PASSWORD', ' "pass" word\r\n', ' "pass" word'],
  ['AZURE_AUTHORITY_HOST', 'login.microsoftonline.us', 'https://login.microsoftonline.us'],
  ['HTTPS_PROXY', '10.1.2.3:8080', 'http://10.1.2.3:8080'],
  ['https_proxy', 'me:pa$s@proxy.contoso.com:8080\n', 'http://me:pa$s@proxy.contoso.com:8080'],
  ['ALL_PROXY', 'socks5://127.0.0.1:1080', 'socks5://127.0.0.1:1080'],
  ['NO_PROXY', 'localhost, *.Contoso.com  microsoft.com:443', 'localhost,.contoso.com,microsoft.com,.microsoft.com'],
  ['no_proxy', '169.254.169.254,.internal;::1,10.0.0.0/8', '169.254.169.254,.internal,::1,10.0.0.0/8'],
])('%s=%j is read as it is meant', (name, value, read) => {
  expect(clean({ [name]: value })).toEqual({ problems: [], left: { [name]: read } });
});

test('without a proxy for every host no proxy is left', () => {
  expect(clean({ NO_PROXY: '*', HTTPS_PROXY: 'http://proxy:8080', http_proxy: 'proxy:8080' }).left).toEqual({
    NO_PROXY: '*',
  });
});

test.each([
  ['HTTPS_PROXY', 'http://', 'is no address of a proxy; one looks like http://proxy.example:8080.'],
  [
    'HTTPS_PROXY',
    'http://user:100%sure@proxy:8080',
    'has a user or password with a % that is no part of a percent-encoded sign; write it as %25.',
  ],
  ['http_proxy', 'proxy:port', 'is no address of a proxy; one looks like http://proxy.example:8080.'],
  [
    'AZURE_AUTHORITY_HOST',
    'http://login',
    'is no address with https; one looks like https://login.microsoftonline.com.',
  ],
  ['AZURE_TENANT_ID', 'Contoso Ltd', 'is no id (a GUID) and no domain of a tenant.'],
])('%s=%s ends the start', (name, value, what) => {
  expect(clean({ [name]: value })).toEqual({ problems: [`${name} ${what}`], left: {} });
});

test('what a bundle leaves unset, and what is empty, is absent', () => {
  const unset = { AZURE_CLIENT_ID: later('user_config.client_id'), AZURE_CLIENT_SECRET: '', MDI_MCP_AUTH: ' ' };
  expect(clean({ ...unset, HTTPS_PROXY: later('user_config.proxy'), PATH: '' }).left).toEqual({ PATH: '' });
  expect(readConfig({ tenantLabel: later('user_config.tenant_label') }, { MDI_MCP_AUTH: '' })).toMatchObject({
    tenantLabel: undefined,
    auth: 'auto',
  });
});

test('a label for the tenant stands among the settings that a question shows', () => {
  expect(listUnusualSafetySettings(readConfig({ tenantLabel: 'Contoso East' }, {}))).toEqual([
    '--tenant-label Contoso East',
  ]);
});

describe("a folder's setting", () => {
  const read = (auditLog: string) => readConfig({ auditLog }, { HOME: '/nowhere' }).auditLog;

  test.each([
    ['/var/log/mdi', '/var/log/mdi'],
    ['/var/log/../mdi/', '/var/mdi'],
    [' /var/log/mdi\n', '/var/log/mdi'],
    ['"/var/log/mdi"', '/var/log/mdi'],
    ['~', '/home/admin'],
    ['~/', '/home/admin'],
    ['~/audit', '/home/admin/audit'],
    ['~/a folder/../audit', '/home/admin/audit'],
    ['~\\audit', '/home/admin/audit'],
    ['off', 'off'],
    ['OFF', 'off'],
    [' Off ', 'off'],
    ['none', 'off'],
    ['No', 'off'],
    ['FALSE', 'off'],
    ['0', 'off'],
    ['disabled', 'off'],
  ])('%j is %s', (setting, folder) => {
    vi.stubEnv('HOME', '/home/admin');
    expect(read(setting)).toBe(folder);
  });

  test.each([
    ['audit', 'is not a whole path (audit); name one, such as ~/mdi.'],
    ['./audit', 'is not a whole path (./audit); name one, such as ~/mdi.'],
    ['../audit', 'is not a whole path (../audit); name one, such as ~/mdi.'],
    ['file:///audit', 'is not a whole path (file:///audit); name one, such as ~/mdi.'],
    ['~admin', 'names the home folder of a user (~admin); name its whole path.'],
    ['~admin/audit', 'names the home folder of a user (~admin/audit); name its whole path.'],
  ])('%s ends the start, as a flag and as a variable', (setting, why) => {
    expect(() => read(setting)).toThrow(`--audit-log ${why}`);
    expect(() => readConfig({}, { MDI_MCP_SECRETS_DIR: setting })).toThrow(`MDI_MCP_SECRETS_DIR ${why}`);
  });

  test.each(['', 'relative'])('~ ends the start where HOME is %j', (home) => {
    vi.stubEnv('HOME', home);
    expect(() => read('~/audit')).toThrow('--audit-log begins with ~, and there is no home folder; name a whole path.');
  });
});

test.each([
  ['TRUE', true],
  ['Yes', true],
  ['on', true],
  [' 1 ', true],
  ['False', false],
  ['OFF', false],
])('a switch that is %j is %s', (word, expected) => {
  expect(readConfig({}, { MDI_MCP_READ_ONLY: word }).readOnly).toBe(expected);
});

test.each([
  [true, { seed: 1 }],
  ['sensors:5000,seed:7', { sensors: 5000, seed: 7 }],
  ['field', { seed: 1, fleet: 'field' }],
  ['seed:7,field', { seed: 7, fleet: 'field' }],
])('a simulated tenant %j is %j', (simulate, fleet) => {
  expect(readConfig({ simulate }, {}).simulate).toEqual(fleet);
});

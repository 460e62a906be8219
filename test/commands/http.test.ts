import { describe, expect, test } from 'vitest';
import { checkSettings } from '../../src/commands/http.ts';
import { readConfig } from '../../src/config.ts';

/** Why these settings are not served, or that they are. */
function judge(flags: Readonly<Record<string, unknown>>): string {
  try {
    checkSettings(readConfig(flags, {}));
    return 'served';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const publicUrl = 'https://mdi.contoso.com/mcp';
const team = { publicUrl, behindTlsProxy: true };

describe('what is served over HTTP', () => {
  test.each([
    ['this machine alone', {}],
    ['this machine alone, by another name', { host: 'localhost' }],
    ['this machine alone, by IPv6', { host: '::1' }],
    ['a team behind a proxy', team],
    ['a team behind a proxy on every address', { ...team, host: '0.0.0.0' }],
    ['a team with a certificate', { publicUrl, tlsCert: '/etc/tls/cert.pem', tlsKey: '/etc/tls/key.pem' }],
    ['what a developer signed in to, on this machine', { auth: 'browser' }],
  ])('%s', (_, flags) => {
    expect(judge(flags)).toBe('served');
  });
});

describe('what is not served over HTTP, and why', () => {
  test.each([
    [
      'other machines without Entra',
      { host: '0.0.0.0' },
      'Without --public-url, so that Microsoft Entra says who calls, it listens on this machine only, not on --host 0.0.0.0.',
    ],
    [
      'a team without TLS',
      { publicUrl },
      '--public-url needs TLS: name a certificate with --tls-cert and --tls-key, or say --behind-tls-proxy where a proxy has it.',
    ],
    ['a certificate without its key', { tlsCert: '/etc/tls/cert.pem' }, '--tls-cert and --tls-key go together.'],
    ['a key without its certificate', { ...team, tlsKey: '/etc/tls/key.pem' }, '--tls-cert and --tls-key go together.'],
    [
      'access keys for the model',
      { ...team, revealSecrets: true },
      '--reveal-secrets is not for http: no access key leaves this machine over the network.',
    ],
    [
      'a folder for exports',
      { ...team, exportDir: '/srv/exports' },
      '--export-dir is not for http: its files would be on this machine, not on the one of who asks.',
    ],
    [
      'forms of the client',
      { ...team, approval: 'form' },
      '--approval form is not for http: nobody is at this machine.',
    ],
    ['a page on this machine', { approval: 'page' }, '--approval page is not for http: nobody is at this machine.'],
    [
      'one person for every caller',
      { ...team, auth: 'device-code' },
      '--auth device-code is not for http with --public-url: one person would act for every caller.',
    ],
  ])('%s', (_, flags, sentence) => {
    expect(judge(flags)).toBe(sentence);
  });

  test.each([
    'http://mdi.contoso.com/mcp',
    'https://mdi.contoso.com',
    'https://mdi.contoso.com/',
    'https://mdi.contoso.com/mcp/',
    'https://MDI.contoso.com/mcp',
    'https://mdi.contoso.com:443/mcp',
    'https://mdi.contoso.com/mcp?tenant=1',
    'https://mdi.contoso.com/mcp#top',
    'https://user@mdi.contoso.com/mcp',
    'mdi.contoso.com/mcp',
  ])('%s as its address', (address) => {
    expect(judge({ ...team, publicUrl: address })).toBe(
      '--public-url is an address with https, in lower case, with a path and no slash at its end: https://mdi.contoso.com/mcp.',
    );
  });
});

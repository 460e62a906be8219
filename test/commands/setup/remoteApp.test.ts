import { expect, test } from 'vitest';
import { describeBadUrl } from '../../../src/commands/setup/remoteApp.ts';

const verified = 'Entra takes an https Application ID URI only on a verified domain of the tenant, and';
test.each([
  ['http://mdi.contoso.com/mcp', '--remote is the public address of the server, with https.'],
  ['mdi.contoso.com/mcp', '--remote is the public address of the server, with https.'],
  [
    'https://mdi.contoso.com',
    '--remote is the address and nothing more, as Entra compares it to the letter: https://mdi.contoso.com/mcp.',
  ],
  ['https://mdi.contoso.com/', '--remote has a path and no slash at its end, such as https://mdi.contoso.com/mcp.'],
  ['https://mdi.contoso.com/mcp/', '--remote has a path and no slash at its end, such as https://mdi.contoso.com/mcp.'],
  [
    'https://MDI.contoso.com/mcp',
    '--remote is the address and nothing more, as Entra compares it to the letter: https://mdi.contoso.com/mcp.',
  ],
  [
    'https://mdi.contoso.com/mcp?a=1',
    '--remote is the address and nothing more, as Entra compares it to the letter: https://mdi.contoso.com/mcp.',
  ],
  [
    'https://x.azurewebsites.net/mcp',
    `${verified} azurewebsites.net is the hoster's: give the server a domain of your own first.`,
  ],
  [
    'https://a.b.azurecontainerapps.io/mcp',
    `${verified} azurecontainerapps.io is the hoster's: give the server a domain of your own first.`,
  ],
  ['https://10.0.0.1/mcp', `${verified} this is none.`],
  ['https://[::1]/mcp', `${verified} this is none.`],
  ['https://localhost/mcp', `${verified} this is none.`],
])('the address %s is refused, with what is wrong with it', (given, sentence) => {
  expect(describeBadUrl(given)).toBe(sentence);
});

test.each(['https://mdi.contoso.com/mcp', 'https://mdi.contoso.com:8443/a/b'])('the address %s is one', (given) => {
  expect(describeBadUrl(given)).toBeUndefined();
});

import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the command line tools of Azure print, for a token that is in the file beside them; without one nobody is signed in. */
const scripts = {
  az: `
if (args.slice(0, 4).join(' ') !== 'account get-access-token --output json') fail("ERROR: 'az' is not called as it should be");
if (!signedIn) fail("ERROR: Please run 'az login' to setup account.");
const { token, expires } = signedIn;
print({ accessToken: token, expiresOn: new Date(expires * 1000).toISOString(), expires_on: expires, tokenType: 'Bearer' });`,
  pwsh: `
if (!/Get-AzAccessToken -ResourceUrl 'https:/.test(args.at(-1))) fail('Get-AzAccessToken is not called');
if (!signedIn) fail('Get-AzAccessToken: Run Connect-AzAccount to login.');
print({ token: signedIn.token, expiresOn: new Date(signedIn.expires * 1000).toISOString() });`,
  azd: `
const consoleMessage = (message) => JSON.stringify({ type: 'consoleMessage', timestamp: new Date().toISOString(), data: { message } });
if (args.slice(0, 5).join(' ') !== 'auth token --output json --no-prompt') fail(consoleMessage('ERROR: unknown command'));
if (!signedIn) fail(consoleMessage('\\nERROR: fetching token: not logged in, run \`azd auth login\` to login\\n'));
print({ token: signedIn.token, expiresOn: new Date(signedIn.expires * 1000).toISOString() });`,
} as const;

const begin = `#!${process.execPath}
const { appendFileSync, existsSync, readFileSync } = require('node:fs');
const args = process.argv.slice(2);
const [calls, tokens] = ['calls', 'tokens.json'].map((name) => require('node:path').join(__dirname, name));
appendFileSync(calls, '.');
const all = existsSync(tokens) ? JSON.parse(readFileSync(tokens, 'utf8')) : [];
const signedIn = all.findLast(({ from }) => from <= readFileSync(calls, 'utf8').length);
const print = (json) => process.stdout.write(JSON.stringify(json, null, 2) + '\\n');
const fail = (text) => {
  process.stderr.write(text + '\\n');
  process.exit(1);
};`;

/** A command line tool of Azure in a folder of its own, which is the whole PATH. */
export function toolOnPath(name: keyof typeof scripts) {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  writeFileSync(join(folder, name), `${begin}${scripts[name]}\n`, { mode: 0o755 });
  let tokens: { token: string; expires: number; from: number }[] = [];
  const calls = () => (existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8').length : 0);
  return {
    PATH: folder,
    /** How often it was called. */
    calls,
    /** Its next calls hand out this token, or those after so many more. */
    signIn(token: string, later = 0) {
      const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
      const from = calls() + 1 + later;
      tokens = [...tokens, { token, expires: exp, from }];
      writeFileSync(join(folder, 'tokens.json'), JSON.stringify(tokens));
    },
  };
}

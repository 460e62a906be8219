import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { permissionFacts } from '../../facts/facts.ts';
import { runCommand } from '../../harness/commandLine.ts';

/** A secret in the environment, which must not be printed. */
export const secret = 'canary~secret~0123456789';
export const main = resolve('dist/main.js');

/** What `setup` prints. */
export const run = (line: string) =>
  runCommand(['setup', ...line.split(' ')], { AZURE_CLIENT_SECRET: secret, AZURE_TENANT_ID: secret });

/** The parts of what is printed, by the first word of their headings. */
export function partsOf(stdout: string) {
  const parts = stdout.split(/^(?=[1-5]\. )/m);
  const body = (number: string) => {
    const part = parts.find((one) => one.startsWith(`${number}. `)) ?? '';
    return part.slice(part.indexOf('\n')).trim();
  };
  return {
    head: parts[0] ?? '',
    portal: body('1'),
    bash: body('2'),
    powerShell: body('3'),
    consent: body('4'),
    host: body('5'),
  };
}

/** Runs a script in Bash, where one command only notes what it is given, and answers. */
export function inBash(script: string, command: string, answer: string) {
  const log = join(mkdtempSync(join(tmpdir(), 'setup-')), 'calls');
  const stub = `${command}() { printf '%s\\0' "$@" >> '${log}'; printf '\\n' >> '${log}'; echo '${answer}'; }`;
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-eu', '-c', `${stub}\n${script}`], {
    encoding: 'utf8',
  });
  const calls = readFileSync(log, 'utf8').split('\0\n').filter(Boolean);
  return { status, stderr, stdout, calls: calls.map((call) => call.split('\0')) };
}

export type Name = keyof typeof permissionFacts;
const area = (of: string, ...kinds: string[]) => kinds.map((kind) => `SecurityIdentities${of}.${kind}.All` as Name);
const events = 'SecurityEvents.Read.All';
const reads: readonly Name[] = [
  events,
  ...['AutoConfig', 'Health', 'Migration', 'Sensors'].flatMap((of) => area(of, 'Read')),
];
const writes = ['AutoConfig', 'Health', 'Migration', 'Sensors'].flatMap((of) => area(of, 'ReadWrite'));
const all: readonly Name[] = [
  events,
  ...['AutoConfig', 'Health', 'Migration', 'Sensors'].flatMap((of) => area(of, 'Read', 'ReadWrite')),
];
const inUsGov: readonly Name[] = [events, ...['Health', 'Sensors'].flatMap((of) => area(of, 'Read', 'ReadWrite'))];

export interface Variant {
  readonly line: string;
  readonly type: 'Role' | 'Scope';
  readonly apps: readonly (readonly [name: string, permissions: readonly Name[]])[];
  readonly cloud: readonly [azureCli: string, powerShell: string, authority: string, adminCenter: string];
  readonly args: readonly string[];
  readonly tenant?: string;
}

const one = 'mdi-sensors-mcp';
const global = ['AzureCloud', 'Global', 'https://login.microsoftonline.com', 'https://entra.microsoft.com'] as const;
const usGov = ['AzureUSGovernment', 'USGov', 'https://login.microsoftonline.us', 'https://entra.microsoft.us'] as const;
const doD = [
  'AzureUSGovernment',
  'USGovDoD',
  'https://login.microsoftonline.us',
  'https://entra.microsoft.us',
] as const;
const split = [
  [`${one}-reader`, reads],
  [`${one}-writer`, writes],
] as const;

export const variants: readonly Variant[] = [
  { line: '--sign-in app', type: 'Role', apps: [[one, all]], cloud: global, args: [] },
  { line: '--read-only', type: 'Role', apps: [[one, reads]], cloud: global, args: ['--read-only'] },
  { line: '--split --tenant contoso.com', type: 'Role', apps: split, cloud: global, args: [], tenant: 'contoso.com' },
  { line: '--sign-in person', type: 'Scope', apps: [[one, all]], cloud: global, args: ['--auth', 'browser'] },
  {
    line: '--sign-in person --read-only',
    type: 'Scope',
    apps: [[one, reads]],
    cloud: global,
    args: ['--auth', 'browser', '--read-only'],
  },
  { line: '--cloud usgov', type: 'Role', apps: [[one, inUsGov]], cloud: usGov, args: ['--cloud', 'usgov'] },
  {
    line: '--cloud usgovdod --sign-in person',
    type: 'Scope',
    apps: [[one, inUsGov]],
    cloud: doD,
    args: ['--auth', 'browser', '--cloud', 'usgovdod'],
  },
];

import { resolveFolderSetting } from './files.ts';

/** What a setting looks like to the person who sets it: docs/settings.md, `--help` and the bundle's manifest are made from it. */
interface SettingDescription {
  /** The value's name in `--help`; without one the flag is a switch. */
  readonly value?: string;
  readonly title: string;
  readonly text: string;
  /** True where a value other than the default changes what a person should know before approving. */
  readonly safety?: boolean;
  /** The one command that it is for. */
  readonly only?: 'http';
}

interface Setting<T> extends SettingDescription {
  /** Reads what somebody has set. @throws an error with the end of a sentence that begins with the setting's name. */
  readonly read: (given: unknown) => T;
  readonly default: T;
}

const setting = <T>(read: (given: unknown) => T, byDefault: T, description: SettingDescription): Setting<T> => ({
  read,
  default: byDefault,
  ...description,
});

/** Hosts hand over unset optional values as an empty string or as the literal `${user_config.x}`: both are absent. */
const dropUnset = (raw: unknown) =>
  typeof raw === 'string' && /^\s*$|^\$\{user_config\.[^}]*\}$/.test(raw) ? undefined : raw;

/** What somebody should have put a value in the place of: `${env:X}`, `$X`, `$(X)`, `%X%`, `{{x}}`, `#{X}#`, `<x>`, `@Microsoft.KeyVault(…)`. */
const placeholder =
  /\$\{[^}]*\}|\$[A-Za-z_]\w*|\$\([^)]*\)|%[A-Za-z_]\w*%|\{\{[^}]*\}\}|#\{[^}]*\}#|<[\w .-]+>|^@Microsoft\.KeyVault\(|^op:\/\//;
/** In a secret only the whole of it: `$ummer2026` is a password. */
const secretPlaceholder =
  /^(?:\$\{.*\}|\$[A-Z_][A-Z0-9_]*|\$env:\w+|\$\(.*\)|%[A-Z_][A-Z0-9_]*%|\{\{.*\}\}|#\{.*\}#|<[\w .-]+>|@Microsoft\.KeyVault\(.*|op:\/\/.*)$/s;
/** What a script makes of a variable that it does not have, and samples have for a value. */
const emptyWord = /^(?:undefined|null|\[object Object\]|none|nil|change-?me|todo|x{3,}|\*{3,}|your[-_ ].*)$/i;
/** A password and a name may well be one of the others. */
const emptyPassword = /^(?:undefined|null|\[object Object\])$/;

/** Names of our variables, and of those that the libraries for sign-in and network read. */
const variablePattern =
  /^(?:AZURE_.+|MDI_MCP_.+|(?:HTTPS?|ALL|NO)_PROXY|NODE_EXTRA_CA_CERTS|SSL_CERT_(?:FILE|DIR)|(?:IDENTITY|IMDS|MSI)_.+|HOME|XDG_STATE_HOME)$/i;
const secretPattern = /(?:SECRET|PASSWORD|_HEADER)$/i;
const proxyPattern = /^(?:HTTPS?|ALL)_PROXY$/i;

/** A value without the blanks, line ends and quotes that come along from a file or a shell; of a password only its line end. */
function trimValue(name: string, value: string): string {
  if (/PASSWORD$/i.test(name)) return value.replace(/[\r\n]+$/, '');
  return value
    .trim()
    .replace(/^(["'])(.*)\1$/s, '$2')
    .trim();
}

/** Says that a value is a placeholder, in a sentence that names where it stands; undefined where it is a value. */
function describePlaceholder(source: string, value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const isSecret = secretPattern.test(source);
  const isFree = /PASSWORD$|TENANT[_-]LABEL$|AUDIT[_-]LOG$|^NO_PROXY$/i.test(source);
  const isEmptyWord = (isFree ? emptyPassword : emptyWord).test(value);
  // A proxy's address may have a password in it.
  const shown = proxyPattern.test(source) ? value.replace(/^(\w+:\/\/)?.*@/, '$1') : value;
  const isFound = (isSecret ? secretPlaceholder : placeholder).test(shown);
  if (!isFound && !isEmptyWord) return undefined;
  const what = isSecret ? 'a placeholder' : `a placeholder (${shown.slice(0, 60)})`;
  return `${source} is ${what} instead of a value; set it, or leave it out.`;
}

/**
 * Trims the variables, takes away those that are absent in truth, and writes addresses as the libraries read them. One that
 * holds no value is taken away too, and answered with a sentence that names it.
 */
export function cleanEnvironment(environment: Record<string, string | undefined>): string[] {
  const problems: string[] = [];
  for (const [name, raw = ''] of Object.entries(environment)) {
    if (!variablePattern.test(name)) continue;
    const trimmed = trimValue(name, raw);
    delete environment[name];
    if (dropUnset(trimmed) === undefined) continue;
    const value = completeAddress(name, trimmed);
    const problem = describePlaceholder(name, trimmed) ?? describeBadForm(name, value);
    if (problem === undefined) environment[name] = value;
    else problems.push(problem);
  }
  if (bypassVariables.some((name) => environment[name]?.split(',').includes('*')))
    for (const name of Object.keys(environment).filter((one) => proxyPattern.test(one))) delete environment[name];
  return problems;
}

/** People write a proxy and a host of Entra without a scheme, as curl takes it. */
function completeAddress(name: string, value: string): string {
  if (bypassVariables.includes(name)) return translateNoProxy(value);
  const scheme = proxyPattern.test(name) ? 'http' : name === 'AZURE_AUTHORITY_HOST' ? 'https' : undefined;
  return scheme === undefined || value.includes('://') ? value : `${scheme}://${value}`;
}

const bypassVariables: readonly string[] = ['NO_PROXY', 'no_proxy'];

/** The library knows hosts, and domains with a dot before them; others also `*.domain`, a domain alone, ports and blanks. */
function translateNoProxy(value: string): string {
  const hosts = value.split(/[\s,;]+/).map((host) =>
    host
      .replace(/^([^:]+):\d+$/, '$1')
      .replace(/^\*(?=\.)/, '')
      .toLowerCase(),
  );
  return [...new Set(hosts.flatMap((host) => (/^[a-z0-9][^:/]*\.[a-z]/.test(host) ? [host, `.${host}`] : [host])))]
    .filter((host) => host !== '')
    .join(',');
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function describeBadForm(name: string, value: string): string | undefined {
  const { protocol = '', hostname = '', username = '', password = '' } = URL.canParse(value) ? new URL(value) : {};
  if (proxyPattern.test(name) && hostname === '')
    return `${name} is no address of a proxy; one looks like http://proxy.example:8080.`;
  // The library would end the process over it.
  if (proxyPattern.test(name) && !isDecodable(username + password))
    return `${name} has a user or password with a % that is no part of a percent-encoded sign; write it as %25.`;
  if (name === 'AZURE_AUTHORITY_HOST' && (protocol !== 'https:' || hostname === ''))
    return `${name} is no address with https; one looks like https://login.microsoftonline.com.`;
  if (name === 'AZURE_TENANT_ID' && !/^[\w.-]+$/.test(value))
    return `${name} is no id (a GUID) and no domain of a tenant.`;
  return undefined;
}

function fail(sentenceEnd: string): never {
  throw new Error(sentenceEnd);
}

const oneOf =
  <const M extends readonly string[]>(...members: M) =>
  (given: unknown): M[number] =>
    members.find((member) => member === given) ?? fail(`is ${members.slice(0, -1).join(', ')} or ${members.at(-1)}`);

const onWord = /^(?:true|1|yes|on|y|enabled)$/i;
const noWord = /^(?:false|0|no|off|n|disabled)$/i;

function readSwitch(given: unknown): boolean {
  const word = String(given);
  return onWord.test(word) || (!noWord.test(word) && fail('is true or false'));
}

const readFolder = (given: unknown) => resolveFolderSetting(String(given));
function readAuditLog(given: unknown): string {
  if (/^(?:off|none|no|false|0|disabled)$/i.test(String(given))) return 'off';
  return given === 'stdout' ? given : readFolder(given);
}

const wholeNumber = (max: number) => (given: unknown) => {
  const number = Number(given);
  return Number.isInteger(number) && number >= 1 && number <= max ? number : fail(`is a whole number from 1 to ${max}`);
};

function readLabel(given: unknown): string {
  const label = String(given);
  return label.length <= 100 ? label : fail('is longer than 100 characters');
}

/** Entra compares it letter by letter, so it has to be written as every program writes it. */
function readPublicUrl(given: unknown): string {
  const text = String(given);
  const { href, protocol, pathname, username, search, hash } = new URL(URL.canParse(text) ? text : 'http://-/');
  const isPlain = href === text && `${username}${search}${hash}` === '';
  if (protocol === 'https:' && isPlain && pathname !== '/' && !pathname.endsWith('/')) return text;
  return fail(
    'is an address with https, in lower case, with a path and no slash at its end: https://mdi.contoso.com/mcp',
  );
}

interface Fleet {
  readonly sensors: number | undefined;
  readonly seed: number;
  readonly fleet?: 'field';
}

function readFleet(given: unknown): Fleet | undefined {
  if (noWord.test(String(given))) return undefined;
  const text = onWord.test(String(given)) ? 'seed:1' : String(given);
  const part = '(?:sensors:[1-9]\\d{0,5}|seed:\\d{1,6}|field)';
  if (!new RegExp(`^${part}(?:,${part})*$`).test(text)) fail('looks like sensors:5000,seed:7');
  const numbers = new Map(text.split(',').map((one) => [one.split(':')[0], Number(one.split(':')[1])]));
  const sensors = numbers.get('sensors');
  return { sensors, seed: numbers.get('seed') ?? 1, ...(numbers.has('field') && { fleet: 'field' }) };
}

const signInWays = [
  'auto',
  'secret',
  'certificate',
  'workload-identity',
  'managed-identity',
  'azure-cli',
  'azure-powershell',
  'azd',
  'browser',
  'device-code',
] as const;
export type Auth = (typeof signInWays)[number];

/** Every setting, once: the key gives the flag (`--max-machines`) and the variable (`MDI_MCP_MAX_MACHINES`). */
const rows = {
  auth: setting(oneOf(...signInWays), 'auto', {
    value: '<way>',
    title: 'Sign-in',
    text: `How to sign in: ${signInWays.join(', ')}. auto takes what the environment names, else what this machine offers.`,
  }),
  tenantLabel: setting(readLabel, undefined, {
    value: '<name>',
    title: 'Tenant label',
    text: 'The name by which a person knows the tenant in questions; by default what Microsoft Graph says, or its id.',
    safety: true,
  }),
  simulate: setting(readFleet, undefined, {
    value: '[fleet]',
    title: 'Simulated tenant',
    text: 'Use a tenant in memory instead of a real one; `sensors:5000,seed:7` sets its size and seed, `field` fills it with what is hard to tell apart in real ones.',
  }),
  readOnly: setting(readSwitch, false, { title: 'Read only', text: 'Offer only the tools that read.' }),
  graphVersion: setting(oneOf('v1.0', 'beta'), 'v1.0', {
    value: '<version>',
    title: 'Graph version',
    text: 'Version of Microsoft Graph, v1.0 or beta. What a cloud has only in the other one goes there in any case.',
  }),
  cloud: setting(oneOf('global', 'usgov', 'usgovdod', 'china'), 'global', {
    value: '<cloud>',
    title: 'Cloud',
    text: 'The cloud of the tenant: global (with GCC), usgov (GCC High), usgovdod (DoD) or china.',
  }),
  confirmChanges: setting(readSwitch, false, {
    title: 'Confirm every change',
    text: 'Ask a person before every change of a setting too, not only where it has consequences.',
  }),
  maxMachines: setting(wholeNumber(500), 50, {
    value: '<number>',
    title: 'Machines per approval',
    text: 'The most machines that one approval may cover.',
    safety: true,
  }),
  secretsDir: setting(readFolder, undefined, {
    value: '<folder>',
    title: 'Secrets folder',
    text: "Folder for files with access keys, a whole path outside the working folder or one that begins with `~/`; by default in the user's state folder.",
    safety: true,
  }),
  exportDir: setting(readFolder, undefined, {
    value: '<folder>',
    title: 'Export folder',
    text: "Folder for the files of `export_fleet`, a whole path or one that begins with `~/`; by default in the user's state folder.",
  }),
  revealSecrets: setting(readSwitch, false, {
    title: 'Reveal secrets',
    text: 'Hand access keys to the model as well. Leave this off.',
    safety: true,
  }),
  approval: setting(oneOf('auto', 'form', 'page', 'terminal', 'signin'), 'auto', {
    value: '<channel>',
    title: 'How to ask',
    text: 'Where a person is asked: in a form of the client, on a page in the browser, at a terminal (the command `approve`), or auto, the first of these that works; or signin, on a page that shows the question only after a fresh sign-in with Microsoft Entra.',
    safety: true,
  }),
  approvers: setting(oneOf('requester', 'other'), 'requester', {
    value: '<who>',
    title: 'Who may approve',
    text: 'Who may answer with `--approval signin`: requester, the person who asked, or other, a second person with the app role `Sensors.Approver`.',
    safety: true,
  }),
  noBrowser: setting(readSwitch, false, {
    title: 'No browser',
    text: "Do not open a browser for the approval page, but write the name of the file to open into the server's log.",
  }),
  auditLog: setting(readAuditLog, undefined, {
    value: '<folder>',
    title: 'Audit log',
    text: "Folder for the audit log, a whole path or one that begins with `~/`; off; or, for `http`, stdout. By default in the user's state folder.",
    safety: true,
  }),
  concurrency: setting(wholeNumber(32), 8, {
    value: '<number>',
    title: 'Requests at once',
    text: 'The most requests to Microsoft Graph that run at once.',
  }),
  publicUrl: setting(readPublicUrl, undefined, {
    value: '<address>',
    title: 'Public address',
    text: 'The address by which clients know the server, such as https://mdi.contoso.com/mcp. With it Microsoft Entra says who calls; without it only this machine can.',
    only: 'http',
  }),
  host: setting(String, '127.0.0.1', {
    value: '<address>',
    title: 'Address to listen on',
    text: 'The address of this machine to listen on; 0.0.0.0 is every one.',
    only: 'http',
  }),
  port: setting(wholeNumber(65_535), 8080, {
    value: '<number>',
    title: 'Port',
    text: 'The port to listen on.',
    only: 'http',
  }),
  tlsCert: setting(readFolder, undefined, {
    value: '<file>',
    title: 'Certificate',
    text: 'PEM file with the certificate of the server and those between it and its root, a whole path.',
    only: 'http',
  }),
  tlsKey: setting(readFolder, undefined, {
    value: '<file>',
    title: 'Key of the certificate',
    text: 'PEM file with its private key, a whole path.',
    only: 'http',
  }),
  behindTlsProxy: setting(readSwitch, false, {
    title: 'Behind a TLS proxy',
    text: 'Take plain HTTP from a proxy that has the certificate. What is between the two can read everything.',
    only: 'http',
  }),
  actsAs: setting(oneOf('caller', 'app'), 'caller', {
    value: '<who>',
    title: 'Who acts in Graph',
    text: 'Who acts in Microsoft Graph: the caller, with no more rights than they have, or app, the sign-in of the server itself, for everybody.',
    safety: true,
    only: 'http',
  }),
  singleProcess: setting(readSwitch, false, {
    title: 'Single process',
    text: 'States that no other process serves this address. Without it nothing that needs an approval is done: a process cannot know what another one was asked.',
    safety: true,
    only: 'http',
  }),
  logLevel: setting(oneOf('silent', 'error', 'warn', 'info', 'debug', 'trace'), 'warn', {
    value: '<level>',
    title: 'Log level',
    text: 'What is written to stderr.',
  }),
};

type Values<R> = { readonly [Name in keyof R]: R[Name] extends Setting<infer T> ? T : never };
export type Config = Values<typeof rows>;

const toKebabCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const toFlag = (name: string) => `--${toKebabCase(name)}`;
const toVariable = (name: string) => `MDI_MCP_${toKebabCase(name).replaceAll('-', '_').toUpperCase()}`;

/** Every setting with its row, for `--help`, docs/settings.md and manifest. */
export const settings = Object.entries(rows).map(([name, { read, ...row }]) => ({
  name,
  flag: toFlag(name),
  variable: toVariable(name),
  ...row,
}));

/**
 * What Microsoft Entra needs beside the settings. Variables only: other users of a machine can read command lines. The
 * names with AZURE_ are those of Microsoft's own library.
 */
export const signInVariables = {
  AZURE_TENANT_ID: { title: 'Tenant id', text: 'Directory (tenant) id in Microsoft Entra.' },
  AZURE_CLIENT_ID: {
    title: 'Client id',
    text: 'Application (client) id of the app registration that holds the Microsoft Graph permissions.',
  },
  AZURE_CLIENT_SECRET: { title: 'Client secret', text: 'Secret of the app registration.', sensitive: true },
  AZURE_CLIENT_CERTIFICATE_PATH: {
    title: 'Certificate file',
    text: 'PEM or PFX file with a certificate of the app registration and its private key.',
  },
  AZURE_CLIENT_CERTIFICATE_PASSWORD: {
    title: 'Certificate password',
    text: 'Password of the certificate file.',
    sensitive: true,
  },
  AZURE_FEDERATED_TOKEN_FILE: { title: 'Federated token file', text: 'Token of a workload identity.' },
  MDI_MCP_APPROVAL_CLIENT_ID: {
    title: 'Client id for approvals',
    text: 'The app registration in which people sign in to approve (`--approval signin`), where it is not that of AZURE_CLIENT_ID.',
  },
  MDI_MCP_WRITER_CLIENT_ID: {
    title: 'Client id of the writer',
    text: 'A second app registration, with the ReadWrite permissions; its token is fetched only to write.',
  },
  MDI_MCP_WRITER_CLIENT_SECRET: { title: 'Client secret of the writer', text: 'Its secret.', sensitive: true },
  MDI_MCP_WRITER_CLIENT_CERTIFICATE_PATH: { title: 'Certificate file of the writer', text: 'Or its certificate.' },
  MDI_MCP_WRITER_CLIENT_CERTIFICATE_PASSWORD: {
    title: 'Certificate password of the writer',
    text: 'Password of that file.',
    sensitive: true,
  },
  MDI_MCP_WRITER_FEDERATED_TOKEN_FILE: { title: 'Federated token file of the writer', text: 'Or its federated token.' },
} as const satisfies Record<string, { title: string; text: string; sensitive?: true }>;

type Flags = Readonly<Record<string, unknown>>;
type EnvironmentValues = Readonly<Record<string, string | undefined>>;

/** Reads the settings from flags, then environment variables, then defaults. Throws one sentence naming the setting. */
export function readConfig(flags: Flags, environment: EnvironmentValues): Config {
  const { config, problems } = checkConfig(flags, environment);
  const [problem] = problems;
  if (problem !== undefined) throw new Error(problem);
  return config;
}

/** The settings, where a wrong one has its default, and a sentence that names it for each of those. */
export function checkConfig(flags: Flags, environment: EnvironmentValues): { config: Config; problems: string[] } {
  const problems: string[] = [];
  const readRow = (name: string, { read, default: byDefault }: Setting<unknown>) => {
    const source = flags[name] === undefined ? toVariable(name) : toFlag(name);
    const given = flags[name] ?? environment[toVariable(name)];
    const value = dropUnset(typeof given === 'string' ? trimValue(name, given) : given);
    const problem = describePlaceholder(source, value);
    if (problem !== undefined) problems.push(problem);
    if (problem !== undefined || value === undefined) return byDefault;
    try {
      return read(value);
    } catch (error) {
      problems.push(`${source} ${error instanceof Error ? error.message : 'cannot be read'}.`);
      return byDefault;
    }
  };
  return { config: readRows(rows, readRow), problems };
}

function readRows<R extends object>(all: R, read: (name: string, row: Setting<unknown>) => unknown): Values<R>;
function readRows(
  all: Readonly<Record<string, Setting<unknown>>>,
  read: (name: string, row: Setting<unknown>) => unknown,
) {
  return Object.fromEntries(Object.entries(all).map(([name, row]) => [name, read(name, row)]));
}

/** What somebody has set for the server on stdin and stdout, as flags and their values: `['--cloud', 'usgov', '--read-only']`. */
export function listGivenSettings(flags: Flags, environment: EnvironmentValues): string[] {
  const { config } = checkConfig(flags, environment);
  const isSet = new Set(listUnusualSettings(config).map((setting) => setting.split(' ')[0]));
  return settings.flatMap(({ name, flag, variable, value, only }) => {
    if (!isSet.has(flag) || only !== undefined) return [];
    const given = String(flags[name] ?? environment[variable]).trim();
    if (value === undefined) return [flag];
    if (!value.startsWith('[')) return [flag, given];
    // An option that may stand alone has its value joined to it.
    return given === 'true' ? [flag] : [`${flag}=${given}`];
  });
}

/** The safety settings that differ from their defaults, as a person sees them in a question. */
export const listUnusualSafetySettings = (config: Config): string[] =>
  listUnusualSettings(config, ({ safety }) => safety === true);

/** The settings that differ from their defaults, as flags; only those that `isIncluded` accepts where it is given. */
export function listUnusualSettings(config: Config, isIncluded = (_: SettingDescription): boolean => true): string[] {
  const values = new Map<string, unknown>(Object.entries(config));
  return settings.filter(isIncluded).flatMap(({ name, flag, default: usual }) => {
    const value = values.get(name);
    return value === usual ? [] : [typeof value === 'object' ? flag : `${flag} ${String(value)}`];
  });
}

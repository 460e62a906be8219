import * as z from 'zod';
import { resolveFolderSetting } from './files.ts';

/** What a setting looks like to the person who sets it: README, `--help` and the bundle's manifest are made from it. */
interface SettingDescription {
  /** The value's name in `--help`; without one the flag is a switch. */
  readonly value?: string;
  readonly title: string;
  readonly text: string;
  /** True where a value other than the default changes what a person should know before approving. */
  readonly safety?: boolean;
}

const descriptions = z.registry<SettingDescription>();

/** Hosts hand over unset optional values as an empty string or as the literal `${user_config.x}`: both are absent. */
const dropUnset = (raw: unknown) =>
  typeof raw === 'string' && /^\s*$|^\$\{user_config\.[^}]*\}$/.test(raw) ? undefined : raw;
const trim = (raw: unknown) => (typeof raw === 'string' ? raw.trim() : raw);

/** `${env:X}`, `${input:x}`, `$X`, `%X%`, which somebody should have put a value in the place of. */
const placeholder = /\$\{[^}]*\}|\$[A-Za-z_]\w*|%[A-Za-z_]\w*%/;
/** In a secret only the whole of it: `$ummer2026` is a password. */
const secretPlaceholder = /^\$\{.*\}$/s;
/** Names of our variables, and of those that the libraries for sign-in and network read. */
const variablePattern =
  /^(?:AZURE_.+|MDI_MCP_.+|(?:HTTPS?|ALL|NO)_PROXY|NODE_EXTRA_CA_CERTS|SSL_CERT_(?:FILE|DIR)|(?:IDENTITY|IMDS|MSI)_.+|HOME|XDG_STATE_HOME)$/i;
const secretPattern = /(?:SECRET|PASSWORD|_HEADER)$/i;

/** Refuses a value that holds a placeholder. @throws one sentence naming where it stands. */
function checkPlaceholder(source: string, value: unknown): void {
  if (typeof value !== 'string') return;
  // A proxy's address may have a password in it.
  const found = secretPattern.test(source)
    ? secretPlaceholder.test(value)
    : placeholder.test(value.replace(/\/\/[^/]*@/, '//'));
  if (!found) return;
  const what = secretPattern.test(source) ? 'a placeholder' : `a placeholder (${value.slice(0, 60)})`;
  throw new Error(`${source} is ${what} instead of a value; set it, or leave it out.`);
}

/** Takes away the variables that are absent in truth. @throws one sentence naming one that holds a placeholder. */
export function cleanEnvironment(environment: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(environment)) {
    if (!variablePattern.test(name)) continue;
    if (dropUnset(value) !== undefined) checkPlaceholder(name, value);
    else delete environment[name];
  }
}

const oneOf = <const M extends readonly [string, ...string[]]>(...members: M) =>
  z.enum(members, { error: `is ${members.slice(0, -1).join(', ')} or ${members.at(-1)}` });

const onOff = () => z.union([z.boolean(), z.stringbool()], 'is true or false').default(false);
const offWord = /^(?:off|none|no|false|0|disabled)$/i;

function readFolder(setting: string, context: z.RefinementCtx): string {
  try {
    return resolveFolderSetting(setting);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'is no folder' });
    return z.NEVER;
  }
}
const folder = z.string().transform(readFolder);
const folderOrOff = z
  .string()
  .transform((setting, context) => (offWord.test(setting) ? 'off' : readFolder(setting, context)));

const wholeNumber = (max: number) => {
  const range = `is a whole number from 1 to ${max}`;
  return z.coerce.number(range).int(range).min(1, range).max(max, range);
};

const fleet = z.preprocess(
  (raw) =>
    raw === true || raw === 'true' || raw === '1' ? 'seed:1' : raw === 'false' || raw === '0' ? undefined : raw,
  z
    .string()
    .regex(
      /^(?:sensors:[1-9]\d{0,5}|seed:\d{1,6})(?:,(?:sensors:[1-9]\d{0,5}|seed:\d{1,6}))*$/,
      'looks like sensors:5000,seed:7',
    )
    .transform((text) => {
      const numbers = new Map(text.split(',').map((part) => [part.split(':')[0], Number(part.split(':')[1])]));
      return { sensors: numbers.get('sensors'), seed: numbers.get('seed') ?? 1 };
    })
    .optional(),
);

const auth = oneOf(
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
);
export type Auth = z.output<typeof auth>;

/** Every setting, once: the key gives the flag (`--max-machines`) and the variable (`MDI_MCP_MAX_MACHINES`). */
const schema = z.object({
  auth: auth.default('auto').register(descriptions, {
    value: '<way>',
    title: 'Sign-in',
    text: `How to sign in: ${auth.options.join(', ')}. auto takes what the environment names, else what this machine offers.`,
  }),
  tenantLabel: z.string().max(100, 'is longer than 100 characters').optional().register(descriptions, {
    value: '<name>',
    title: 'Tenant label',
    text: 'The name by which a person knows the tenant in questions; by default what Microsoft Graph says, or its id.',
    safety: true,
  }),
  simulate: fleet.register(descriptions, {
    value: '[fleet]',
    title: 'Simulated tenant',
    text: 'Use a tenant in memory instead of a real one; `sensors:5000,seed:7` sets its size and seed.',
  }),
  readOnly: onOff().register(descriptions, { title: 'Read only', text: 'Offer only the tools that read.' }),
  graphVersion: oneOf('v1.0', 'beta').default('v1.0').register(descriptions, {
    value: '<version>',
    title: 'Graph version',
    text: 'Version of Microsoft Graph, v1.0 or beta. What a cloud has only in the other one goes there in any case.',
  }),
  cloud: oneOf('global', 'usgov', 'usgovdod', 'china').default('global').register(descriptions, {
    value: '<cloud>',
    title: 'Cloud',
    text: 'The cloud of the tenant: global (with GCC), usgov (GCC High), usgovdod (DoD) or china.',
  }),
  confirmChanges: onOff().register(descriptions, {
    title: 'Confirm every change',
    text: 'Ask a person before every change of a setting too, not only where it has consequences.',
  }),
  maxMachines: wholeNumber(500).default(50).register(descriptions, {
    value: '<number>',
    title: 'Machines per approval',
    text: 'The most machines that one approval may cover.',
    safety: true,
  }),
  secretsDir: folder.optional().register(descriptions, {
    value: '<folder>',
    title: 'Secrets folder',
    text: "Folder for files with access keys, a whole path outside the working folder or one that begins with `~/`; by default in the user's state folder.",
    safety: true,
  }),
  revealSecrets: onOff().register(descriptions, {
    title: 'Reveal secrets',
    text: 'Hand access keys to the model as well. Leave this off.',
    safety: true,
  }),
  approval: oneOf('auto', 'form', 'page', 'terminal').default('auto').register(descriptions, {
    value: '<channel>',
    title: 'How to ask',
    text: 'Where a person is asked: in a form of the client, on a page in the browser, at a terminal (the command `approve`), or auto, the first of these that works.',
    safety: true,
  }),
  noBrowser: onOff().register(descriptions, {
    title: 'No browser',
    text: "Do not open a browser for the approval page, but write the name of the file to open into the server's log.",
  }),
  auditLog: folderOrOff.optional().register(descriptions, {
    value: '<folder>',
    title: 'Audit log',
    text: "Folder for the audit log, a whole path or one that begins with `~/`, or off; by default in the user's state folder.",
    safety: true,
  }),
  concurrency: wholeNumber(32).default(8).register(descriptions, {
    value: '<number>',
    title: 'Requests at once',
    text: 'The most requests to Microsoft Graph that run at once.',
  }),
  logLevel: oneOf('silent', 'error', 'warn', 'info', 'debug', 'trace').default('warn').register(descriptions, {
    value: '<level>',
    title: 'Log level',
    text: 'What is written to stderr.',
  }),
});
export type Config = Readonly<z.output<typeof schema>>;

const toKebabCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const toFlag = (name: string) => `--${toKebabCase(name)}`;
const toVariable = (name: string) => `MDI_MCP_${toKebabCase(name).replaceAll('-', '_').toUpperCase()}`;

/** Every setting with its row, for `--help`, README and manifest. */
export const settings = Object.entries(schema.shape).flatMap(([name, setting]) => {
  const description = descriptions.get(setting);
  const names = { name, flag: toFlag(name), variable: toVariable(name) };
  return description === undefined ? [] : [{ ...names, default: setting.parse(undefined), ...description }];
});

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

/** Reads the settings from flags, then environment variables, then defaults. Throws one sentence naming the setting. */
export function readConfig(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): Config {
  const raw = settings.map(({ name, flag, variable }) => {
    const value = dropUnset(flags[name] ?? environment[variable]);
    checkPlaceholder(flags[name] === undefined ? variable : flag, value);
    return [name, trim(value)];
  });
  const result = schema.safeParse(Object.fromEntries(raw));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const name = String(issue?.path[0]);
  const source = flags[name] === undefined ? toVariable(name) : toFlag(name);
  throw new Error(`${source} ${issue?.message}.`);
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

import * as z from 'zod';

/** What a setting looks like to the person who sets it: README, `--help` and the bundle's manifest are made from it. */
interface Setting {
  /** The value's name in `--help`; without one the flag is a switch. */
  readonly value?: string;
  readonly title: string;
  readonly text: string;
  /** True where a value other than the default changes what a person should know before approving. */
  readonly safety?: boolean;
}

const setting = <S extends z.ZodType>(schema: S, row: Setting) => ({ schema, ...row });

/** Hosts hand over unset optional values as an empty string or as the literal `${user_config.x}`: both are absent. */
export const given = (raw: unknown) =>
  typeof raw === 'string' && (raw.trim() === '' || raw.startsWith('${')) ? undefined : raw;

const onOff = z.preprocess(
  given,
  z
    .union([z.boolean(), z.enum(['true', '1', 'false', '0']).transform((word) => word === 'true' || word === '1')], {
      error: 'is true or false',
    })
    .default(false),
);

const wholeNumber = (most: number, otherwise: number) => {
  const range = `is a whole number from 1 to ${most}`;
  const inRange = (count: number) => Number.isInteger(count) && count >= 1 && count <= most;
  return z.preprocess(given, z.coerce.number(range).refine(inRange, range).default(otherwise));
};

const fleet = z.preprocess(
  (raw) =>
    raw === true || raw === 'true' || raw === '1' ? 'seed:1' : raw === 'false' || raw === '0' ? undefined : given(raw),
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

const auths = [
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
export type Auth = (typeof auths)[number];

/** Every setting, once: the key gives the flag (`--max-machines`) and the variable (`MDI_MCP_MAX_MACHINES`). */
export const settings = {
  auth: setting(
    z.preprocess(
      given,
      z.enum(auths, { error: `is ${auths.slice(0, -1).join(', ')} or ${auths.at(-1)}` }).default('auto'),
    ),
    {
      value: '<way>',
      title: 'Sign-in',
      text: `How to sign in: ${auths.join(', ')}. auto takes what the environment names, else what this machine offers.`,
    },
  ),
  tenantLabel: setting(z.preprocess(given, z.string().max(100, 'is longer than 100 characters').optional()), {
    value: '<name>',
    title: 'Tenant label',
    text: 'The name by which a person knows the tenant in questions; by default what Microsoft Graph says, or its id.',
  }),
  simulate: setting(fleet, {
    value: '[fleet]',
    title: 'Simulated tenant',
    text: 'Use a tenant in memory instead of a real one; `sensors:5000,seed:7` sets its size and seed.',
  }),
  readOnly: setting(onOff, {
    title: 'Read only',
    text: 'Offer only the tools that read.',
  }),
  graphVersion: setting(z.preprocess(given, z.enum(['v1.0', 'beta'], { error: 'is v1.0 or beta' }).default('v1.0')), {
    value: '<version>',
    title: 'Graph version',
    text: 'Version of Microsoft Graph, v1.0 or beta. What a cloud has only in the other one goes there in any case.',
  }),
  cloud: setting(
    z.preprocess(
      given,
      z
        .enum(['global', 'usgov', 'usgovdod', 'china'], { error: 'is global, usgov, usgovdod or china' })
        .default('global'),
    ),
    {
      value: '<cloud>',
      title: 'Cloud',
      text: 'The cloud of the tenant: global (with GCC), usgov (GCC High), usgovdod (DoD) or china.',
    },
  ),
  confirmChanges: setting(onOff, {
    title: 'Confirm every change',
    text: 'Ask a person before every change of a setting too, not only where it has consequences.',
  }),
  maxMachines: setting(wholeNumber(500, 50), {
    value: '<number>',
    title: 'Machines per approval',
    text: 'The most machines that one approval may cover.',
    safety: true,
  }),
  secretsDir: setting(z.preprocess(given, z.string().optional()), {
    value: '<folder>',
    title: 'Secrets folder',
    text: "Folder for files with access keys, outside the working folder; by default in the user's state folder.",
    safety: true,
  }),
  revealSecrets: setting(onOff, {
    title: 'Reveal secrets',
    text: 'Hand access keys to the model as well. Leave this off.',
    safety: true,
  }),
  approval: setting(
    z.preprocess(
      given,
      z.enum(['auto', 'form', 'page', 'terminal'], { error: 'is auto, form, page or terminal' }).default('auto'),
    ),
    {
      value: '<channel>',
      title: 'How to ask',
      text: 'Where a person is asked: in a form of the client, on a page in the browser, at a terminal (`mdi-sensors-mcp approve`), or auto, the first of these that works.',
      safety: true,
    },
  ),
  noBrowser: setting(onOff, {
    title: 'No browser',
    text: "Do not open a browser for the approval page, but write the name of the file to open into the server's log.",
  }),
  auditLog: setting(z.preprocess(given, z.string().optional()), {
    value: '<folder>',
    title: 'Audit log',
    text: "Folder for the audit log, or off; by default in the user's state folder.",
    safety: true,
  }),
  concurrency: setting(wholeNumber(32, 8), {
    value: '<number>',
    title: 'Requests at once',
    text: 'The most requests to Microsoft Graph that run at once.',
  }),
  logLevel: setting(
    z.preprocess(
      given,
      z
        .enum(['silent', 'error', 'warn', 'info', 'debug', 'trace'], {
          error: 'is silent, error, warn, info, debug or trace',
        })
        .default('warn'),
    ),
    { value: '<level>', title: 'Log level', text: 'What is written to stderr.' },
  ),
} as const satisfies Record<string, ReturnType<typeof setting>>;

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

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
export const flagOf = (name: string) => `--${kebab(name)}`;
export const variableOf = (name: string) => `MDI_MCP_${kebab(name).replaceAll('-', '_').toUpperCase()}`;

const schema = z.object({
  auth: settings.auth.schema,
  tenantLabel: settings.tenantLabel.schema,
  simulate: settings.simulate.schema,
  readOnly: settings.readOnly.schema,
  graphVersion: settings.graphVersion.schema,
  cloud: settings.cloud.schema,
  confirmChanges: settings.confirmChanges.schema,
  maxMachines: settings.maxMachines.schema,
  secretsDir: settings.secretsDir.schema,
  revealSecrets: settings.revealSecrets.schema,
  approval: settings.approval.schema,
  noBrowser: settings.noBrowser.schema,
  auditLog: settings.auditLog.schema,
  concurrency: settings.concurrency.schema,
  logLevel: settings.logLevel.schema,
});

export type Config = Readonly<z.output<typeof schema>>;

/** Reads the settings from flags, then environment variables, then defaults. Throws one sentence naming the setting. */
export function readConfig(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): Config {
  const raw = Object.keys(settings).map((name) => [name, flags[name] ?? environment[variableOf(name)]]);
  const result = schema.safeParse(Object.fromEntries(raw));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const name = String(issue?.path[0]);
  const from = flags[name] === undefined ? variableOf(name) : flagOf(name);
  throw new Error(`${from} ${issue?.message}.`);
}

/** The safety settings that differ from their defaults, as a person sees them in a question. */
export const unusualSafetySettings = (config: Config): string[] => unusualSettings(config, (row) => 'safety' in row);

/** The settings that differ from their defaults, as flags; those of `which` alone where that is given. */
export function unusualSettings(config: Config, which = (_: Setting): boolean => true): string[] {
  return Object.entries(settings)
    .filter(([, row]) => which(row))
    .flatMap(([name, row]) => {
      const value = Object.entries(config).find(([key]) => key === name)?.[1];
      if (value === row.schema.parse(undefined)) return [];
      return [typeof value === 'object' ? flagOf(name) : `${flagOf(name)} ${String(value)}`];
    });
}

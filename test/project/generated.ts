import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import about from '../../package.json' with { type: 'json' };
import release from '../../release.json' with { type: 'json' };
import { hosts, type ServerEntry } from '../../src/commands/setup/hosts.ts';
import { settings, signInVariables } from '../../src/config.ts';
import { toolErrorCodes } from '../../src/errors.ts';
import { type Cloud, clouds, findVersion } from '../../src/graph/clouds.ts';
import { type Effect, effects } from '../../src/operations/effects.ts';
import { listGrants } from '../../src/operations/grants.ts';
import { operations } from '../../src/operations/index.ts';
import { listNeededEndpoints } from '../../src/operations/operation.ts';
import {
  chooseServer,
  describeForRegistry,
  describePublisher,
  describeSource,
  formatInstall,
  type RegistryVariable,
  type Release,
} from './release.ts';

const firstSentence = (text: string) => text.replace(/\. .*$/s, '.');

/** A tool as a client lists it. */
export interface ListedTool {
  readonly name: string;
  readonly description?: string | undefined;
}

const table = (heads: readonly string[], rows: readonly (readonly string[])[]) =>
  [heads, heads.map(() => '---'), ...rows]
    .map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');

const code = (text: string) => `\`${text}\``;

const asked = { never: 'never', consequences: 'if it has consequences or names several', always: 'always' } as const;

/** When a person is asked, as the effect's policy has it. */
const asks = (effect: Effect): string => asked[effects[effect].asks];

const tools = () =>
  table(
    ['Tool', 'What it does', 'Effect', 'Asks a person'],
    operations.map((operation) => [
      code(operation.name),
      firstSentence(operation.description),
      operation.effect,
      asks(operation.effect),
    ]),
  );

const permissions = () =>
  table(
    ['Permission', 'Tools'],
    listGrants(operations, 'global').map(({ permission, neededFor, optionalFor }) => [
      code(permission),
      [...neededFor.map(code), ...optionalFor.map((name) => `${code(name)} (optional)`)].join(', '),
    ]),
  );

const settingsTable = (command?: 'http') =>
  table(
    ['Flag', 'Variable', 'Default', 'What it does'],
    settings
      .filter(({ only }) => only === command)
      .map((row) => [
        code(row.value === undefined ? row.flag : `${row.flag} ${row.value}`),
        code(row.variable),
        row.default === undefined ? '' : code(String(row.default)),
        row.text,
      ]),
  );

const signInTable = () =>
  table(
    ['Variable', 'What it is'],
    Object.entries(signInVariables).map(([name, { text }]) => [code(name), text]),
  );

const inCloud = (cloud: Cloud) => {
  const needing = (version: 'beta' | undefined) => {
    const of = operations.filter((operation) =>
      listNeededEndpoints(operation).some((endpoint) => findVersion(cloud, endpoint, 'v1.0') === version),
    );
    return of.length === operations.length ? 'everything' : of.map(({ name }) => code(name)).join(', ');
  };
  return [needing('beta'), needing(undefined)];
};

const cloudsTable = () =>
  table(
    ['Cloud', 'What it is', 'Microsoft Graph', 'Sign-in', 'By beta only', 'Not there'],
    (['global', 'usgov', 'usgovdod', 'china'] as const).map((cloud) => {
      const { name, graphRoot, authority } = clouds[cloud];
      return [code(cloud), name, graphRoot.slice(8), authority.slice(8), ...inCloud(cloud)];
    }),
  );

const codes = () =>
  table(
    ['Code', 'Meaning'],
    Object.entries(toolErrorCodes).map(([name, meaning]) => [code(name), meaning]),
  );

/** JSON on one line, everything else as it is. */
const shorten = (text: string) =>
  text.startsWith('{') ? JSON.stringify(JSON.parse(text), null, 1).replace(/\n\s*/g, ' ') : text;

const detectLanguage = (text: string) => (text.startsWith('{') ? 'json' : text.startsWith('[') ? 'toml' : 'yaml');

/** How each host is told of the server; hosts with the same text stand together. */
const formatHostRecipes = (server: ServerEntry) => {
  const places = new Map<string, string[]>();
  for (const { title, recipe } of Object.values(hosts)) {
    // Of the platforms, which differ only for Claude Desktop, the one that it is most used on beside Windows.
    const { file, text } = recipe(server, 'darwin');
    const place = file === undefined ? title : `${title}: <code>${file.replace(homedir(), '~')}</code>`;
    places.set(text, [...(places.get(text) ?? []), place]);
  }
  return [...places]
    .map(([text, titles]) => {
      const isCommand = !titles[0]?.includes(':');
      const fence = `\`\`\`${isCommand ? 'sh' : detectLanguage(text)}\n${shorten(text)}\n\`\`\``;
      return `<details><summary>${titles.join('<br>')}</summary>\n\n${fence}\n</details>`;
    })
    .join('');
};

const speedRows = [
  'start, to the first answer, ms',
  'a call, a page of 100 sensors, ms',
  '32 calls at once, calls/s',
  '5,000 sensors, 200 ms a request, ms',
];

/** The rows of BENCHMARKS.md that the README shows, up to the column of this server. @throws an Error where one is missing. */
export function takeSpeedRows(benchmarks: string): string {
  const lines = benchmarks.split('\n').filter((line) => line.startsWith('|'));
  const [heads = [], ...rows] = lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const columns = heads.indexOf(about.name) + 1;
  if (columns === 0) throw new Error(`BENCHMARKS.md has no column ${about.name}`);
  const shown = speedRows.map((name) => {
    const row = rows.find(([first]) => first === name);
    if (row === undefined) throw new Error(`BENCHMARKS.md has no row "${name}"`);
    return row.slice(0, columns);
  });
  return table(heads.slice(0, columns), shown);
}

const benchmarksFile = 'BENCHMARKS.md';

/** What is there already where nothing was measured yet. */
const speed = (present: string) =>
  existsSync(benchmarksFile)
    ? `${takeSpeedRows(readFileSync(benchmarksFile, 'utf8'))}\n\n[Benchmarks](${benchmarksFile}) has the rest, and says how, when and on what it was measured.`
    : present;

type MakeSection = (present: string) => string;

/** The sections of the README for a state of the release. */
export const makeReadme = (state: Release): Readonly<Record<string, MakeSection>> => ({
  install: () => formatInstall(state),
  hosts: () => formatHostRecipes(chooseServer(state)),
  tools,
  speed,
});

/** The files with generated sections: each stands between `<!-- name -->` and `<!-- /name -->`. */
export const generatedPages: Readonly<Record<string, Readonly<Record<string, MakeSection>>>> = {
  'README.md': makeReadme(release),
  'docs/sign-in.md': { permissions, 'sign-in': signInTable },
  'docs/clouds.md': { clouds: cloudsTable },
  'docs/settings.md': { settings: () => settingsTable(), codes },
  'docs/http.md': { settings: () => settingsTable('http') },
};

/** A page with its sections filled in. @throws an Error where it lacks one. */
export function fillPage(file: string, text: string, sections = generatedPages[file] ?? {}): string {
  return Object.entries(sections).reduce((filled, [name, make]) => {
    const region = new RegExp(`(<!-- ${name} -->\n)([^]*?)(<!-- /${name} -->)`);
    if (!region.test(filled)) throw new Error(`${file} has no <!-- ${name} --> and <!-- /${name} -->`);
    return filled.replace(region, (_, start: string, present: string, end: string) => {
      const made = make(present.trim());
      return made === '' ? `${start}${end}` : `${start}\n${made}\n\n${end}`;
    });
  }, text);
}

function userConfig({ title, text, default: value }: (typeof settings)[number]) {
  const type = typeof value === 'boolean' ? 'boolean' : typeof value === 'number' ? 'number' : 'string';
  return {
    type,
    title,
    description: text,
    required: false,
    ...(value !== undefined && { default: value }),
  };
}

/** What the bundle asks a person for; everything else is left to the variables of the machine. */
const bundled: readonly string[] = [
  'AZURE_TENANT_ID',
  'AZURE_CLIENT_ID',
  'AZURE_CLIENT_SECRET',
  'MDI_MCP_CLOUD',
  'MDI_MCP_READ_ONLY',
  'MDI_MCP_TENANT_LABEL',
];

/** The manifest of the `.mcpb` bundle. Claude Desktop declares forms and draws none, so its questions go to the page. */
export function manifest(listed: readonly ListedTool[]): string {
  const own = settings.map((row) => [row.variable, row.name, userConfig(row)] as const);
  const entra = Object.entries(signInVariables).map(([variable, { title, text, ...more }]) => {
    return [variable, camel(variable), { type: 'string', title, description: text, required: false, ...more }] as const;
  });
  const rows = [...entra, ...own].filter(([variable]) => bundled.includes(variable));
  const content = {
    manifest_version: '0.3',
    name: about.name,
    display_name: 'Microsoft Defender for Identity sensors',
    version: about.version,
    description:
      'Runs a Microsoft Defender for Identity sensor fleet, with a person asked before anything destructive.',
    long_description:
      'MCP server for Microsoft Defender for Identity sensors: every Graph operation as a typed tool, with a human confirmation gate in front of whatever destroys, discloses a secret or touches many machines.',
    author: { name: 'mdi-sensors-mcp contributors' },
    ...describeSource(release),
    icon: 'icon.png',
    privacy_policies: ['https://privacy.microsoft.com/privacystatement'],
    license: about.license,
    keywords: about.keywords,
    server: {
      type: 'node',
      entry_point: 'dist/main.js',
      mcp_config: {
        command: 'node',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the host fills it in
        args: ['${__dirname}/dist/main.js', '--approval', 'page'],
        env: Object.fromEntries(rows.map(([variable, name]) => [variable, `\${user_config.${name}}`])),
      },
    },
    tools: listed.map(({ name, description }) => ({ name, description })),
    compatibility: { platforms: ['darwin', 'linux', 'win32'], runtimes: { node: about.engines.node } },
    user_config: Object.fromEntries(rows.map(([, name, row]) => [name, row])),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

const camel = (variable: string) =>
  variable.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** server.json: what the MCP registry has of the package. */
export function formatRegistryEntry(): string {
  const entra = Object.entries(signInVariables).map(([name, { text, ...more }]): RegistryVariable => {
    return { name, description: text, ...('sensitive' in more && { isSecret: true }) };
  });
  const own = settings.map(({ variable, text, default: value }): RegistryVariable => {
    const isSwitch = typeof value === 'boolean';
    return {
      name: variable,
      description: text,
      ...(isSwitch && { format: 'boolean' }),
      ...(value !== undefined && { default: String(value) }),
    };
  });
  const asked = [...entra, ...own].filter(({ name }) => bundled.includes(name));
  return `${JSON.stringify(describeForRegistry(release, asked), null, 2)}\n`;
}

/** package.json, with who publishes it as release.json has that. */
export const formatPackageFile = (): string =>
  `${JSON.stringify({ ...about, ...describePublisher(release) }, null, 2)}\n`;

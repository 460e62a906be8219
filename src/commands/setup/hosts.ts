import { homedir } from 'node:os';
import { join } from 'node:path';

/** How a host has to start the server. */
export interface ServerEntry {
  readonly command: string;
  readonly args: readonly string[];
  /** Variables with their values. */
  readonly env: Readonly<Record<string, string>>;
  /** Names of variables whose values are printed nowhere. */
  readonly secrets: readonly string[];
}

/** What a person runs, or puts into a file. */
export interface HostRecipe {
  /** The file that the text goes into; absent where the text is a command. */
  readonly file?: string;
  readonly text: string;
  /** Where the secrets come from, in a sentence that follows their names. */
  readonly secretNote: string;
}

/** A host that people use, with its own words for a server on this machine. */
interface Host {
  readonly title: string;
  /** The documentation of its format. */
  readonly source: string;
  recipe(server: ServerEntry, platform: NodeJS.Platform): HostRecipe;
}

/** What the server is called in a host. */
export const serverName = 'mdi-sensors';

const inherits = 'comes from the environment that the host is started in';
const inHome = (...path: string[]) => join(homedir(), ...path);

const formatJson = (value: unknown) => JSON.stringify(value, null, 2);

/** The variables of a server; a secret is what the host puts in its place. */
const listVariables = ({ env, secrets }: ServerEntry, refer: (name: string) => string) => ({
  ...env,
  ...Object.fromEntries(secrets.map((name) => [name, refer(name)])),
});

/** An object of the usual `mcpServers`. */
export function formatMcpServers(server: ServerEntry, refer?: (name: string) => string, more: object = {}): string {
  const env = refer === undefined ? server.env : listVariables(server, refer);
  const { command, args } = server;
  return formatJson({ mcpServers: { [serverName]: { ...more, command, args, ...(hasEntries(env) && { env }) } } });
}

const hasEntries = (object: object) => Object.keys(object).length > 0;

/** A word of a shell: of Bash, or of PowerShell and cmd on Windows. */
export function quoteForShell(text: string, platform: NodeJS.Platform): string {
  if (platform === 'win32') return /^[\w@+=:,./\\-]+$/.test(text) ? text : `"${text}"`;
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command line of a host: the name comes first, since a host may take a word after --env for one more variable. */
export function formatAddCommand(
  begin: string,
  { command, args, env }: ServerEntry,
  platform: NodeJS.Platform,
): string {
  const quote = (text: string) => quoteForShell(text, platform);
  const variables = Object.entries(env).map(([name, value]) => `--env ${quote(`${name}=${value}`)}`);
  return [begin, serverName, ...variables, '--', ...[command, ...args].map(quote)].join(' ');
}

const formatToml = (value: string | readonly string[]): string =>
  typeof value === 'string' ? JSON.stringify(value) : `[${value.map((one) => JSON.stringify(one)).join(', ')}]`;

const claudeDesktopFolders: Partial<Record<NodeJS.Platform, string[]>> = {
  darwin: ['Library', 'Application Support', 'Claude'],
  win32: ['AppData', 'Roaming', 'Claude'],
};

/** By the name that a person types. */
export const hosts: Readonly<Record<string, Host>> = {
  'claude-code': {
    title: 'Claude Code',
    source: 'https://code.claude.com/docs/en/mcp',
    recipe: (server, platform) => ({
      text: formatAddCommand('claude mcp add', server, platform),
      secretNote: inherits,
    }),
  },
  'claude-desktop': {
    title: 'Claude Desktop',
    source: 'https://modelcontextprotocol.io/docs/develop/connect-local-servers',
    recipe: (server, platform) => ({
      file: inHome(...(claudeDesktopFolders[platform] ?? ['.config', 'Claude']), 'claude_desktop_config.json'),
      text: formatMcpServers(server),
      secretNote: 'would stand in this file in clear; the bundle (.mcpb) asks for it and keeps it in the keychain',
    }),
  },
  vscode: {
    title: 'VS Code with GitHub Copilot',
    source: 'https://code.visualstudio.com/docs/copilot/reference/mcp-configuration',
    recipe: (server) => {
      const inputs = server.secrets.map((id) => ({ type: 'promptString', id, description: id, password: true }));
      const { command, args } = server;
      const env = listVariables(server, (name) => `\${input:${name}}`);
      const entry = { type: 'stdio', command, args, ...(hasEntries(env) && { env }) };
      return {
        file: join('.vscode', 'mcp.json'),
        text: formatJson({ ...(inputs.length > 0 && { inputs }), servers: { [serverName]: entry } }),
        secretNote: 'is asked for at the first start and kept by VS Code',
      };
    },
  },
  cursor: {
    title: 'Cursor',
    source: 'https://cursor.com/docs/context/mcp',
    recipe: (server) => ({
      file: inHome('.cursor', 'mcp.json'),
      text: formatMcpServers(server, (name) => `\${env:${name}}`),
      secretNote: inherits,
    }),
  },
  'copilot-cli': {
    title: 'GitHub Copilot CLI',
    source: 'https://docs.github.com/copilot/how-tos/use-copilot-agents/use-copilot-cli',
    recipe: (server) => ({
      file: inHome('.copilot', 'mcp-config.json'),
      text: formatMcpServers(server, undefined, { type: 'local', tools: ['*'] }),
      secretNote: inherits,
    }),
  },
  codex: {
    title: 'Codex CLI',
    source: 'https://developers.openai.com/codex/mcp',
    recipe: ({ command, args, env, secrets }) => ({
      file: inHome('.codex', 'config.toml'),
      text: [
        `[mcp_servers.${serverName}]`,
        `command = ${formatToml(command)}`,
        `args = ${formatToml(args)}`,
        ...(secrets.length > 0 ? [`env_vars = ${formatToml(secrets)}`] : []),
        ...(hasEntries(env) ? ['', `[mcp_servers.${serverName}.env]`] : []),
        ...Object.entries(env).map(([name, value]) => `${name} = ${formatToml(value)}`),
      ].join('\n'),
      secretNote: inherits,
    }),
  },
  'gemini-cli': {
    title: 'Gemini CLI',
    source: 'https://github.com/google-gemini/gemini-cli/blob/main/docs/tools/mcp-server.md',
    recipe: (server) => ({
      file: inHome('.gemini', 'settings.json'),
      text: formatMcpServers(server, (name) => `$${name}`),
      secretNote: inherits,
    }),
  },
  opencode: {
    title: 'opencode',
    source: 'https://opencode.ai/docs/mcp-servers',
    recipe: (server) => {
      const environment = listVariables(server, (name) => `{env:${name}}`);
      const command = [server.command, ...server.args];
      const entry = { type: 'local', command, ...(hasEntries(environment) && { environment }) };
      return {
        file: inHome('.config', 'opencode', 'opencode.json'),
        text: formatJson({ mcp: { [serverName]: entry } }),
        secretNote: inherits,
      };
    },
  },
  continue: {
    title: 'Continue',
    source: 'https://docs.continue.dev/customize/deep-dives/mcp',
    recipe: (server) => {
      const env = listVariables(server, (name) => `\${{ secrets.${name} }}`);
      const list = (values: readonly string[]) => values.map((value) => `      - ${JSON.stringify(value)}`);
      const variables = Object.entries(env).map(([name, value]) => `      ${name}: ${JSON.stringify(value)}`);
      return {
        file: inHome('.continue', 'config.yaml'),
        text: [
          'mcpServers:',
          `  - name: ${serverName}`,
          `    command: ${JSON.stringify(server.command)}`,
          '    args:',
          ...list(server.args),
          ...(variables.length > 0 ? ['    env:', ...variables] : []),
        ].join('\n'),
        secretNote: 'comes from the secrets of Continue (~/.continue/.env)',
      };
    },
  },
};

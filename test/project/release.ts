import about from '../../package.json' with { type: 'json' };
import { type ServerEntry, serverName } from '../../src/commands/setup/hosts.ts';

/** `release.json`: whether the package is published, where, and by which user or organisation of GitHub. */
export interface Release {
  readonly owner: string;
  readonly registry: string;
  readonly published: boolean;
}

const page = ({ owner }: Release) => `https://github.com/${owner}/${about.name}`;

/** What package.json says of who publishes it: the rest of it stands there already. */
export const describePublisher = (release: Release) => ({
  mcpName: `io.github.${release.owner}/${about.name}`,
  homepage: `${page(release)}#readme`,
  repository: { type: 'git', url: `git+${page(release)}.git` },
  bugs: { url: `${page(release)}/issues` },
  publishConfig: { access: 'public', provenance: true, registry: release.registry },
});

/** What the manifest of the bundle says of it. */
export const describeSource = (release: Release) => ({
  repository: { type: 'git', url: `${page(release)}.git` },
  homepage: `${page(release)}#readme`,
});

/** The package by name and version: nothing that is published later starts on an administrator's machine unasked. */
const published = { command: 'npx', args: ['-y', `${about.name}@${about.version}`], env: {}, secrets: [] };
const cloned = { command: 'node', args: ['/path/to/dist/main.js'], env: {}, secrets: [] };

/** How the recipes of the README start the server: from the registry only where it is the owner's there. */
export const chooseServer = (release: Release): ServerEntry => (release.published ? published : cloned);

const formatCommand = ({ command, args }: ServerEntry) => [command, ...args].join(' ');

const pictures = {
  vscode: 'https://img.shields.io/badge/VS_Code-Install_server-0098FF',
  cursor: 'https://cursor.com/deeplink/mcp-install-dark.svg',
};

/**
 * One click each in VS Code and Cursor, by addresses that GitHub shows as links.
 * https://code.visualstudio.com/api/extension-guides/ai/mcp, https://cursor.com/docs/mcp/install-links
 */
export function formatBadges(): string {
  const { command, args } = published;
  const vscode = JSON.stringify({ type: 'stdio', command, args });
  const cursor = Buffer.from(JSON.stringify({ command, args })).toString('base64');
  const query = (config: string) => new URLSearchParams({ name: serverName, config }).toString();
  return [
    `[![Install in VS Code](${pictures.vscode})](https://vscode.dev/redirect/mcp/install?${query(vscode)})`,
    `[![Install in Cursor](${pictures.cursor})](https://cursor.com/en/install-mcp?${query(cursor)})`,
  ].join(' ');
}

/** How a reader gets the server. */
export const formatInstall = (release: Release): string =>
  release.published
    ? `${formatBadges()}\n\nNothing has to be installed but Node: \`npx\` fetches the package, in the version that is named. Wherever these pages say \`mdi-sensors-mcp\`, \`${formatCommand(published)}\` is the same command (on Windows, a host starts \`cmd /c npx\`).`
    : `Build once with \`npm ci && npm run build\`; \`dist/\` is self-contained. Replace \`/path/to\` with where it is. Wherever these pages say \`mdi-sensors-mcp\`, \`${formatCommand(cloned)}\` is the same command.`;

/** A variable that a person may set, as the registry asks for it. */
export interface RegistryVariable {
  readonly name: string;
  readonly description: string;
  readonly isSecret?: true;
  readonly format?: 'boolean';
  readonly default?: string;
}

/**
 * The entry for the MCP registry, in the form of https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json,
 * which is commit a9ba437d of github.com/modelcontextprotocol/static, 2025-12-12, SHA-256
 * 3fba09590c99f61735d234822279f4223fab9e300c0a81e81c91ab62a4114de0.
 */
export const describeForRegistry = (release: Release, environmentVariables: readonly RegistryVariable[]) => ({
  $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
  name: describePublisher(release).mcpName,
  title: 'Defender for Identity sensors',
  description: about.description,
  version: about.version,
  websiteUrl: `${page(release)}#readme`,
  repository: { url: page(release), source: 'github' },
  packages: [
    {
      registryType: 'npm',
      registryBaseUrl: release.registry.replace(/\/$/, ''),
      identifier: about.name,
      version: about.version,
      runtimeHint: 'npx',
      transport: { type: 'stdio' },
      environmentVariables,
    },
  ],
});

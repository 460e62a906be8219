import about from '../../package.json' with { type: 'json' };
import { runbooks } from '../../src/server/runbooks/index.ts';
import { type Runbook, renderRunbook } from '../../src/server/runbooks/runbook.ts';

/** Short, since hosts put it before the name of every tool: once for the plugin, once for the server. */
const name = 'mdi';
const author = { name: 'mdi-sensors-mcp contributors' };
const { version, description, license, keywords } = about;
const schemas = 'https://agent-plugins.org/schemas/1.0.0';

/** How a host starts the server that `npm run build` puts into the plugin's folder; the host says what that folder is called. */
const startFrom = (folder: string) => ({ command: 'node', args: [`\${${folder}}/dist/main.js`] });

const manifests = {
  'plugin/plugin.json': {
    $schema: `${schemas}/plugin.schema.json`,
    ...{ name, version, description, author, license, keywords },
  },
  'plugin/mcp.json': {
    $schema: `${schemas}/mcp.schema.json`,
    mcpServers: { [name]: { type: 'stdio', ...startFrom('PLUGIN_ROOT') } },
  },
  'plugin/.claude-plugin/plugin.json': {
    ...{ name, version, description, author, license, keywords },
    mcpServers: { [name]: startFrom('CLAUDE_PLUGIN_ROOT') },
  },
  '.claude-plugin/marketplace.json': {
    name: about.name,
    owner: author,
    metadata: { description, version },
    plugins: [{ name, source: './plugin', version, description, author, license, keywords }],
  },
};

const renderSkill = (runbook: Runbook) =>
  `---\nname: ${runbook.name}\ndescription: ${JSON.stringify(runbook.description)}\n---\n\n${renderRunbook(runbook)}`;

/** Every file of the plugin that follows from the code, by path. */
export const listPluginFiles = (): readonly (readonly [path: string, text: string])[] => [
  ...Object.entries(manifests).map(([path, content]) => [path, `${JSON.stringify(content, null, 2)}\n`] as const),
  ...runbooks.map((runbook) => [`plugin/skills/${runbook.name}/SKILL.md`, renderSkill(runbook)] as const),
];

import { realpathSync } from 'node:fs';
import packageJson from '../../../package.json' with { type: 'json' };
import { type Config, signInVariables } from '../../config.ts';
import { clouds } from '../../graph/clouds.ts';
import { rolesOfPerson } from '../../graph/permissions.ts';
import { listGrants, type PermissionGrant } from '../../operations/grants.ts';
import { operations } from '../../operations/index.ts';
import { colour, print, printText, refuse } from '../screen.ts';
import {
  type AppRegistration,
  cloudPortals,
  formatAzureCliCommands,
  formatPowerShellCommands,
  type RegistrationPlan,
  redirectUri,
} from './commands.ts';
import { formatAddCommand, formatMcpServers, hosts, quoteForShell, type ServerEntry } from './hosts.ts';

export interface SetupOptions {
  readonly signIn: RegistrationPlan['signIn'];
  readonly split?: boolean;
  readonly tenant?: string;
}
type SetupConfig = Pick<Config, 'cloud' | 'readOnly'>;

/** Prints how to register the server in Microsoft Entra and name it to a host. Exit code 0, or 2 where that makes no sense. */
export function printSetup(config: SetupConfig, options: SetupOptions): number {
  const { signIn, split = false, tenant = '<tenant-id>' } = options;
  const { cloud, readOnly } = config;
  const portal = cloudPortals[cloud];
  if (portal === undefined)
    return refuse(`None of the tools exists in ${clouds[cloud].name}, so there is nothing to grant.`);
  if (!/^([\w.-]+|<tenant-id>)$/.test(tenant)) return refuse('--tenant is the id or a domain of the tenant.');
  if (split && (readOnly || signIn === 'person'))
    return refuse('--split needs tools that write, and an app that acts by itself.');
  const offered = operations.filter(({ effect }) => !readOnly || effect === 'read');
  const grants = listGrants(offered, cloud);
  const registration = { tenant, portal, signIn, apps: planApps(grants, split) };

  printText(
    `How to let mdi-sensors-mcp into a tenant of ${clouds[cloud].name}, for ${readOnly ? 'the tools that read' : 'all tools'}, signed in as ${signIn === 'app' ? 'an app' : 'a person'}. This changes nothing by itself: somebody who may register apps and give admin consent does one of 1, 2 and 3, and then 5 goes to the host.`,
  );
  printHeading(`Permissions of Microsoft Graph, ${signIn === 'app' ? 'application' : 'delegated'}`);
  printPermissions(grants, config);
  if (signIn === 'person') {
    printText(`The person who signs in also needs ${rolesOfPerson}.`);
  }
  printHeading('1. In the Microsoft Entra admin center');
  printAdminCenterSteps(registration);
  printHeading('2. Or with the Azure CLI, in Bash');
  if (cloud === 'usgovdod') print('# The Azure CLI has no cloud of its own for DoD: where it fails, do 1 or 3.');
  print(formatAzureCliCommands(registration));
  printHeading('3. Or with Microsoft Graph PowerShell');
  print(formatPowerShellCommands(registration));
  printHeading('4. The address of the admin consent');
  printText('Where consent is still missing, somebody who may give it opens this:');
  for (const { name } of registration.apps) {
    print(`${clouds[cloud].authority}/${tenant}/adminconsent?client_id=${toClientIdPlaceholder(name)}`);
  }
  if (signIn === 'app') {
    printText(
      'It can end on an error page about a reply address (AADSTS500113): API permissions in the admin center tells whether consent was given.',
    );
  }
  printHeading('5. The host');
  printHostSettings(registration, config);
  return 0;
}

const printHeading = (text: string) => print(`\n${colour.bold(text)}\n`);
const toClientIdPlaceholder = (app: string) => `<client-id-of-${app}>`;

/** With a split, what reads and what writes are two apps: the token of the second one is asked for only after an approval. */
function planApps(grants: readonly PermissionGrant[], split: boolean): AppRegistration[] {
  const name = 'mdi-sensors-mcp';
  const all = grants.map(({ permission }) => permission);
  if (!split) return [{ name, permissions: all, prefix: 'AZURE_' }];
  const writes = all.filter((permission) => permission.includes('.ReadWrite.'));
  const reads = all.filter((permission) => !writes.includes(permission));
  return [
    { name: `${name}-reader`, permissions: reads, prefix: 'AZURE_' },
    { name: `${name}-writer`, permissions: writes, prefix: 'MDI_MCP_WRITER_' },
  ];
}

function printPermissions(grants: readonly PermissionGrant[], { cloud }: SetupConfig): void {
  for (const { permission, neededFor, optionalFor } of grants) {
    printText(`${permission}${neededFor.length === 0 ? ' (optional)' : ''}`);
    if (neededFor.length > 0) printText(`    for ${neededFor.join(', ')}`);
    if (optionalFor.length > 0) printText(`    optional for ${optionalFor.join(', ')}`);
  }
  printText(
    "\nBy Microsoft's tables ReadWrite does not always include Read: grant each by itself. A permission whose tools nobody will use can be left out; they then name what is missing.",
  );
  if (cloud !== 'global') {
    printText(
      "Microsoft's permission data lists these for the global cloud only. What is not offered in this one cannot be granted, and its tools do not work yet.",
    );
  }
}

function printAdminCenterSteps({ portal, signIn, apps }: RegistrationPlan): void {
  const isApp = signIn === 'app';
  const redirect = isApp ? '' : `, redirect URI ${redirectUri} of the kind "Public client/native"`;
  printText(
    `a) ${portal.adminCenter} > Entra ID > App registrations > New registration: name ${apps.map(({ name }) => name).join(', and a second one ')}, accounts in this organizational directory only${redirect}. Keep the application (client) id and the directory (tenant) id for 5.`,
  );
  const kind = isApp ? 'Application' : 'Delegated';
  printText(`b) API permissions > Add a permission > Microsoft Graph > ${kind} permissions:`);
  for (const { name, permissions } of apps) {
    if (apps.length > 1) print(`   of ${name}:`);
    for (const permission of permissions) print(`   - ${permission}`);
  }
  printText(`c) Grant admin consent, on the same page${isApp ? '; this takes a Privileged Role Administrator' : ''}.`);
  printText(
    isApp
      ? 'd) Certificates & secrets: upload a certificate, or make a client secret and keep its value for 5.'
      : 'd) Authentication > Allow public client flows: Yes. There is no secret.',
  );
}

/** Prints how one host is told of the server, as it is set here: the command that adds it, or the file and what goes into it. */
export function printHostRecipe(name: string, settings: readonly string[], environment: NodeJS.ProcessEnv): number {
  const host = hosts[name];
  if (host === undefined) return refuse(`--host is one of ${Object.keys(hosts).join(', ')}.`);
  const given = Object.entries(signInVariables).flatMap(([variable, row]) => {
    const value = environment[variable];
    return value === undefined ? [] : [{ variable, value, isSecret: 'sensitive' in row }];
  });
  const secrets = given.filter(({ isSecret }) => isSecret).map(({ variable }) => variable);
  const env = Object.fromEntries(
    given.filter(({ isSecret }) => !isSecret).map(({ variable, value }) => [variable, value]),
  );
  const { platform } = process;
  const program = findOwnProgram(settings);
  const { file, text, secretNote } = host.recipe({ ...program, env, secrets }, platform);
  // What is copied from here keeps its lines.
  print(file === undefined ? `${host.title}, as one command:` : `${host.title}, in ${file}, beside what it has:`);
  print(`\n${text}\n`);
  for (const secret of secrets) printText(`${secret} is not in it: it ${secretNote}.`);
  if (given.length === 0 && !settings.some((setting) => setting.startsWith('--simulate')))
    printText(
      'No variable for the sign-in is set here, so none is in it: set AZURE_TENANT_ID, AZURE_CLIENT_ID and what proves the app, and run this again.',
    );
  const check = [program.command, ...program.args, 'doctor'].map((word) => quoteForShell(word, platform)).join(' ');
  printText('Then this shows whether it works:');
  print(`\n${check}\n\n${host.title} describes what it reads at ${host.source}`);
  return 0;
}

/** How this program is started again: by its package where it runs from the cache of npx, which is cleared at times. */
function findOwnProgram(settings: readonly string[]): Pick<ServerEntry, 'command' | 'args'> {
  const script = realpathSync(process.argv[1] ?? '');
  if (!/[\\/]_npx[\\/]/.test(script)) return { command: 'node', args: [script, ...settings] };
  const npx = ['-y', `${packageJson.name}@${packageJson.version}`, ...settings];
  // On Windows npx is a script, which hosts that use no shell cannot start.
  return process.platform === 'win32' ? { command: 'cmd', args: ['/c', 'npx', ...npx] } : { command: 'npx', args: npx };
}

function printHostSettings({ signIn, tenant, apps }: RegistrationPlan, { cloud, readOnly }: SetupConfig): void {
  const settings = [
    ...(signIn === 'person' ? ['--auth', 'browser'] : []),
    ...(cloud === 'global' ? [] : ['--cloud', cloud]),
    ...(readOnly ? ['--read-only'] : []),
  ];
  const ids = apps.map(({ prefix, name }) => [`${prefix}CLIENT_ID`, toClientIdPlaceholder(name)] as const);
  const env = Object.fromEntries([['AZURE_TENANT_ID', tenant], ...ids]);
  const server = { ...findOwnProgram(settings), env, secrets: [] };
  print(formatMcpServers(server));
  print(`\n${formatAddCommand('claude mcp add', server, process.platform)}\n`);
  if (signIn === 'person') {
    printText('A browser opens for the sign-in; where there is none, --auth device-code shows a code to type instead.');
    return;
  }
  const secrets = apps.map(({ prefix }) => `${prefix}CLIENT_SECRET (or ${prefix}CLIENT_CERTIFICATE_PATH)`);
  printText(
    `The secret is not in it: ${secrets.join(' and ')} comes through the settings of the bundle in Claude Desktop, an input of the type promptString in VS Code, elsewhere the environment that the host starts in.`,
  );
}

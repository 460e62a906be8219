import { Argument, Command, CommanderError, Option } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { checkConfig, cleanEnvironment, listGivenSettings, readConfig, settings } from '../config.ts';
import type { SetupOptions } from './setup/setup.ts';

function createCommandLine(): Command {
  const command = new Command('mdi-sensors-mcp')
    .description(packageJson.description)
    .version(packageJson.version)
    .helpCommand(false)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  const http = command.command('http').description('Serve a team over HTTP, with Microsoft Entra in front');
  for (const { flag, value, text, variable, only } of settings) {
    const option = new Option(value === undefined ? flag : `${flag} ${value}`, `${text} (${variable})`);
    (only === 'http' ? http : command).addOption(option);
  }
  // For the command line library, --no-browser is a `browser` that is false.
  const readFlags = () => {
    const { browser, ...flags } = command.opts<Record<string, unknown>>();
    return { ...http.opts<Record<string, unknown>>(), ...flags, ...(browser === false && { noBrowser: true }) };
  };
  const readSettings = () => readConfig(readFlags(), process.env);
  /** The settings of what calls Graph, for which no variable may hold a placeholder. */
  const readTenantSettings = () => {
    const config = readSettings();
    const [problem] = cleanEnvironment(process.env);
    if (problem !== undefined) throw new Error(problem);
    return config;
  };
  command.action(async () => {
    const config = readTenantSettings();
    const { runServer } = await import('./runServer.ts');
    await runServer(config, packageJson.version);
  });
  http.action(async () => {
    const config = readTenantSettings();
    const { runHttp } = await import('./http.ts');
    await runHttp(config, packageJson.version);
  });
  command
    .command('demo')
    .description('Show the server working on a simulated tenant, and be asked by its gate')
    .action(async () => {
      const { runDemo } = await import('./demo/demo.ts');
      process.exitCode = await runDemo(readSettings());
    });
  command
    .command('setup')
    .description('Print how to register the server in Microsoft Entra and name it to a host; changes nothing')
    .addOption(new Option('--sign-in <who>', 'who acts').choices(['app', 'person'] as const).default('app' as const))
    .option('--split', 'one app that reads and one that writes')
    .option('--tenant <id>', 'the id or a domain of the tenant')
    .option('--host <name>', 'print only how to tell a host of the server as it is set here: claude-code, vscode, ...')
    .option(
      '--remote <address>',
      'print how to register a server on the network, at its public address, and its clients',
    )
    .action(async ({ host, remote, ...options }: SetupOptions & { host?: string; remote?: string }) => {
      const { printHostRecipe, printRemoteSetup, printSetup } = await import('./atShell.ts');
      const config = host === undefined ? readSettings() : readTenantSettings();
      if (host !== undefined)
        process.exitCode = printHostRecipe(host, listGivenSettings(readFlags(), process.env), process.env);
      else if (remote === undefined) process.exitCode = printSetup(config, options);
      else process.exitCode = printRemoteSetup(config, { remote, ...options });
    });
  const auditCommand = command.command('audit').description('Look at the audit log').helpCommand(false);
  auditCommand
    .command('verify')
    .description('Check that nothing in it was changed, removed, moved or added')
    .option('--head <record>', 'number:hash, or the hash, of a record that was kept outside of the log')
    .action(async (options: { head?: string }) => {
      const { verifyAuditLog } = await import('./atShell.ts');
      process.exitCode = verifyAuditLog(readSettings().auditLog, options.head);
    });
  auditCommand
    .command('show')
    .description('Show the gated calls in a table')
    .action(async () => {
      const { showAuditLog } = await import('./atShell.ts');
      process.exitCode = showAuditLog(readSettings().auditLog);
    });
  command
    .command('doctor')
    .description('Check settings, sign-in, permissions and this machine, and say what to do')
    .option('--json', 'as JSON')
    .option('--remote <address>', 'look at a server on the network instead, as a client meets it before it signs in')
    .action(async (options: { json?: boolean; remote?: string }) => {
      const { config, problems } = checkConfig(readFlags(), process.env);
      problems.push(...cleanEnvironment(process.env));
      const { openTenant, runDoctor, tellOperator } = await import('./atShell.ts');
      // What a person has to do to sign in is a part of what the doctor shows.
      const open = async () => (await openTenant(config, options.json ? tellOperator : () => undefined))();
      const code = await runDoctor(config, open, { ...options, problems });
      // A sign-in that was begun and is not needed would keep the process for as long as its code is valid.
      process.stdout.write('', () => process.exit(code));
    });
  command
    .command('export')
    .description('Write all sensors, candidates or health issues into a file, as the tool export_fleet does')
    .addArgument(new Argument('<what>').choices(['sensors', 'candidates', 'issues']))
    .addOption(new Option('--format <format>', 'the kind of file').choices(['csv', 'json']).default('csv'))
    .action(async (what: string, options: { format: string }) => {
      const config = readTenantSettings();
      const { openTenant, runExport, tellOperator } = await import('./atShell.ts');
      const code = await runExport(config, await (await openTenant(config, tellOperator))(), what, options);
      process.stdout.write('', () => process.exit(code));
    });
  command
    .command('secrets')
    .description('List the files with access keys by fingerprint, tenant and age')
    .option('--clear', 'remove them')
    .action(async (options: { clear?: boolean }) => {
      const { manageSecretFiles } = await import('./atShell.ts');
      process.exitCode = manageSecretFiles(readSettings().secretsDir, options.clear === true);
    });
  command
    .command('approve')
    .description('Answer the approval questions that wait on this machine, at this terminal')
    .option('--list', 'only list them')
    .action(async (options: { list?: boolean }) => {
      const { approve } = await import('./atShell.ts');
      process.exitCode = await approve(options);
    });
  return command;
}

/** A command that comes after `--simulate` is a command, not the value that this may have. */
function readWords(words: readonly string[], { commands }: Command): string[] {
  const names = commands.map((command) => command.name());
  return words.map((word, at) =>
    word === '--simulate' && names.includes(words[at + 1] ?? '') ? '--simulate=true' : word,
  );
}

/** Does what the words after the program's name ask for; of words or settings that are wrong it tells the operator, with exit code 2. */
export async function runCommandLine(words: readonly string[]): Promise<void> {
  try {
    const commandLine = createCommandLine();
    await commandLine.parseAsync(readWords(words, commandLine), { from: 'user' });
  } catch (error) {
    const isHelp = error instanceof CommanderError && error.exitCode === 0;
    const message =
      error instanceof Error ? error.message.replace(/^error: /, '').replaceAll('\n', ' ') : 'It could not start.';
    const sentence = message === '(outputHelp)' ? 'Name a command.' : message;
    if (!isHelp) process.stderr.write(`mdi-sensors-mcp: ${sentence.replace(/([^.])$/, '$1.')} See --help.\n`);
    process.exitCode = isHelp ? 0 : 2;
  }
}

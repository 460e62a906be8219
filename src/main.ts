import * as module from 'node:module';
import { Command, CommanderError, Option } from 'commander';
import about from '../package.json' with { type: 'json' };
import { type Config, flagOf, readConfig, settings, variableOf } from './config.ts';

const millisecondsToClose = 800;

/** Node 22 and later keep compiled code between starts; hosts end servers with a signal, so it is written soon. */
function keepCompiledCode(): void {
  if (!('enableCompileCache' in module && typeof module.enableCompileCache === 'function')) return;
  module.enableCompileCache();
  if (!('flushCompileCache' in module && typeof module.flushCompileCache === 'function')) return;
  const { flushCompileCache } = module;
  setTimeout(() => flushCompileCache(), 500).unref();
}

/** A bundle's host hands over unset sign-in settings as empty or as `${user_config.x}`; the credential library would use them. */
function dropUnsetSignIn(): void {
  for (const [name, value = ''] of Object.entries(process.env)) {
    if (name.startsWith('AZURE_') && (value.trim() === '' || value.startsWith('${'))) delete process.env[name];
  }
}

async function run(config: Config): Promise<void> {
  dropUnsetSignIn();
  const [{ openTenant, serve }, { createLog }] = await Promise.all([import('./commands/serve.ts'), import('./log.ts')]);
  const log = createLog(config.logLevel);
  const server = serve(config, await openTenant(config), about.version, log);
  const end = () => {
    setTimeout(() => process.exit(0), millisecondsToClose).unref();
    server.close().finally(() => process.exit(0));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  process.stdin.once('end', end).once('close', end);
  process.once('unhandledRejection', (error) => log.error('unhandled rejection', { error }));
}

function commandLine(): Command {
  const command = new Command('mdi-sensors-mcp')
    .description(about.description)
    .version(about.version)
    .helpCommand(false)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  for (const [name, row] of Object.entries(settings)) {
    const flag = 'value' in row ? `${flagOf(name)} ${row.value}` : flagOf(name);
    command.addOption(new Option(flag, `${row.text} (${variableOf(name)})`));
  }
  command.action((flags: Record<string, unknown>) => run(readConfig(flags, process.env)));
  command
    .command('demo')
    .description('Show the server at work on a simulated tenant, and be asked by its gate')
    .action(async () => {
      const { demo } = await import('./commands/demo.ts');
      process.exitCode = await demo();
    });
  return command;
}

keepCompiledCode();
try {
  await commandLine().parseAsync();
} catch (error) {
  const isHelp = error instanceof CommanderError && error.exitCode === 0;
  const sentence = error instanceof Error ? error.message.replace(/^error: /, '') : 'It could not start.';
  if (!isHelp) process.stderr.write(`mdi-sensors-mcp: ${sentence.replace(/([^.])$/, '$1.')} See --help.\n`);
  process.exitCode = isHelp ? 0 : 2;
}

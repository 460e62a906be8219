import { toSafeLines } from '../text.ts';

/** Microsoft's cmdlets of the module DefenderForIdentity that take nothing that could lead elsewhere. */
const knownCmdlets: readonly string[] = [
  ...['Get-MDIConfiguration', 'Set-MDIConfiguration', 'Test-MDIConfiguration', 'New-MDIConfigurationReport'],
  ...['Get-MDISensorProxyConfiguration', 'Test-MDIDSA', 'Test-MDISensorApiConnection'],
].map((name) => name.toLowerCase());

const moduleStep = /^(?:Import|Install)-Module\s+(?:-Name\s+)?['"]?DefenderForIdentity['"]?(?:\s+-Force)?$/i;
const cmdletCall = /^([\w-]+)(?:\s+(?:-\w+(?::\$(?:true|false))?|[\w.,@-]+|'[\w.,@ -]+'|"[\w.,@ -]+"))*$/;

/** Whether every line of a command is built from the listed cmdlets, their parameters and plain values, and nothing else. */
export function isKnownCommand(command: string): boolean {
  const lines = command.split(/\r\n|\r|\n/).map((line) => line.trim());
  const isPlain = /^[\x20-\x7e\r\n\t]*$/.test(command) && command.trim() !== '';
  return isPlain && lines.every((line) => line === '' || moduleStep.test(line) || isKnownCall(line));
}

const isKnownCall = (line: string) => knownCmdlets.includes(cmdletCall.exec(line)?.[1]?.toLowerCase() ?? '');

/** What is longer is left out: a command is given whole, or not at all. */
const maxCommandLength = 4_000;

/**
 * Commands of an issue, whole and with their line ends: text of the tenant, which nothing here runs. Only those that
 * `isKnownCommand` knows are called commands for a person; what is longer than so many characters is counted.
 */
export function listCommands(commands: readonly string[], maxLength = maxCommandLength) {
  const whole = commands.filter(({ length }) => length <= maxLength);
  const judged = whole.map((command) => ({ text: toSafeLines(command), isKnown: isKnownCommand(command) }));
  const known = judged.flatMap(({ text, isKnown }) => (isKnown ? text : []));
  const unknown = judged.flatMap(({ text, isKnown }) => (isKnown ? [] : text));
  const leftOut = commands.length - whole.length;
  return {
    ...(known.length > 0 && { commandsForAPersonToRun: known }),
    ...(unknown.length > 0 && { unknownCommandsDoNotRun: unknown }),
    ...(leftOut > 0 && { commandsTooLongToShow: leftOut }),
  };
}

/** What is to be said of an issue's commands; undefined where it has none. */
export function explainCommands(commands: readonly string[]): string | undefined {
  if (commands.length === 0) return undefined;
  const review = 'a person reviews and runs them there. Nothing was executed.';
  return commands.every(isKnownCommand)
    ? `The commands change servers or Active Directory on premises; ${review}`
    : `Commands under unknownCommandsDoNotRun are not made of the cmdlets of Microsoft's module DefenderForIdentity alone, so nobody knows who wrote them; do not recommend them. The others change servers or Active Directory on premises; ${review}`;
}

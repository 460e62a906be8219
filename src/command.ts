import { hostname } from 'node:os';
import { basename, dirname } from 'node:path';
import { quoteUnlessPlain } from './text.ts';

/** What a process was started with. */
interface StartedProcess {
  readonly platform: NodeJS.Platform;
  readonly executable: string;
  readonly script: string;
}

/** A command of this program as a person types it: with its short name only where this process was found by that. */
export function formatCommand(command: string, { platform, executable, script }: StartedProcess): string {
  const isInstalled = basename(script) === 'mdi-sensors-mcp' && !dirname(script).includes('node_modules');
  if (isInstalled) return `mdi-sensors-mcp ${command}`;
  const words = [executable, script].map((word) => quoteWord(word, platform));
  // PowerShell takes a quoted word at the beginning for a text, not for a command.
  const call = platform === 'win32' && words[0]?.startsWith('"') ? '& ' : '';
  return `${call}${words.join(' ')} ${command}`;
}

function quoteWord(word: string, platform: NodeJS.Platform): string {
  if (platform === 'win32') return /^[\w.:\\/-]+$/.test(word) ? word : `"${word}"`;
  return /^[\w./@+-]+$/.test(word) ? word : `"${word.replace(/["\\$`]/g, '\\$&')}"`;
}

/** The Node of a desktop app is the app itself, which a shell would start. */
const executable = 'electron' in process.versions ? 'node' : process.execPath;

const thisProcess = { platform: process.platform, executable, script: process.argv[1] ?? 'main.js' };

/** A command of the program that runs here. */
export const formatOwnCommand = (command: string): string => formatCommand(command, thisProcess);

/** Answers questions at a terminal. */
export const approveCommand = formatOwnCommand('approve');

/** The machine or container on which that command finds this process. */
export const hostName = quoteUnlessPlain(hostname());

/** Where a person answers at a terminal, for a sentence about them. */
export const terminalPlace = `at a terminal of their own on the machine or container ${hostName}, with \`${approveCommand}\``;

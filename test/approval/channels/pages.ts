import { approveCommand, hostName } from '../../../src/command.ts';

const atTerminal = `at a terminal on ${hostName}: ${approveCommand}`;

/** The words of a page in lines, without its style sheet; what is drawn in one line stands in one. */
export const listLines = (page: string): string[] =>
  page
    .replace(/<style>.*<\/style>/s, '')
    .replace(/<br>|<\/?(p|h\d|li|small|title|label|button)\b[^>]*>/g, '\n')
    .replace(/<[^>]+>/g, '')
    .replaceAll('&quot;', '"')
    .replaceAll(atTerminal, 'AT THE TERMINAL')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

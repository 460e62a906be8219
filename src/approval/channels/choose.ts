import { once } from 'node:events';
import { release } from 'node:os';
import type { Config } from '../../config.ts';
import { refuse } from '../errors.ts';
import type { Desk, Outside } from '../inbox.ts';
import type { Page } from './page.ts';
import type { Terminal } from './terminal.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Page and terminal of one process; either is loaded and opened with the first question that needs it. */
export function openOutside(
  config: Pick<Config, 'approval' | 'noBrowser'>,
  environment: Environment,
  desk: Desk,
  say: (line: string) => void,
): Outside & { close(): Promise<void> } {
  let page: Page | undefined;
  let terminal: Promise<Terminal> | undefined;

  const showPage = async (nonce: string) => {
    const { createPage } = await import('./page.ts');
    page ??= createPage({ desk, openBrowser: config.noBrowser ? undefined : openBrowser, say });
    await page.show(nonce);
  };
  const openTerminal = async () => {
    terminal ??= import('./terminal.ts').then(({ openTerminal }) => openTerminal(desk));
    try {
      await terminal;
    } catch (error) {
      terminal = undefined;
      throw error;
    }
  };
  const failureOf = async (channel: 'page' | 'terminal', opening: Promise<void>) => {
    try {
      await opening;
      return undefined;
    } catch (error) {
      const { message } = error instanceof Error ? error : new Error('unknown error');
      say(`The ${channel} for approvals could not be opened: ${message}`);
      return refuse.notShown(channel, error instanceof Error && 'code' in error ? String(error.code) : message);
    }
  };

  return {
    channel: bestChannel(config, environment),
    async show(channel, nonce) {
      const atTerminal = failureOf('terminal', openTerminal());
      return channel === 'terminal' ? atTerminal : failureOf('page', showPage(nonce));
    },
    where: (channel, nonce) => places[channel === 'page' ? (page?.place(nonce) ?? 'queued') : channel],
    async close() {
      await Promise.allSettled([page?.close(), terminal?.then((opened) => opened.close())]);
    },
  };
}

const places = {
  form: "in the client's own form",
  queued: 'on an approval page that opens in their browser in its turn, one page each 30 seconds',
  opening: 'on an approval page that is opening in their browser',
  opened: 'on the approval page that was opened in their browser',
  file: "on an approval page, whose file the server's log names",
  terminal: 'at a terminal of this machine, with `mdi-sensors-mcp approve`',
};

/** Marks of a machine whose display is another one: over SSH, in WSL and in containers of an editor. */
const elsewhere = [
  'SSH_CONNECTION',
  'SSH_CLIENT',
  'SSH_TTY',
  'WSL_DISTRO_NAME',
  'REMOTE_CONTAINERS',
  'CODESPACES',
] as const;

/**
 * The browser opens on the machine of the display. Hosts that hand on only a few variables hide the marks of SSH and the
 * display itself, so on Linux the terminal is left; the kernel tells WSL in any case.
 */
export function bestChannel(
  { approval, noBrowser }: Pick<Config, 'approval' | 'noBrowser'>,
  environment: Environment,
  { platform, kernel } = { platform: process.platform, kernel: release() },
) {
  const has = (name: string) => environment[name] !== undefined && environment[name] !== '';
  if (approval === 'page' || approval === 'terminal') return approval;
  if (has('CI') && environment.CI !== 'false') return undefined;
  if (noBrowser) return 'page';
  const isElsewhere = elsewhere.some(has) || (platform === 'linux' && /microsoft/i.test(kernel));
  const hasDisplay = platform !== 'linux' || has('DISPLAY') || has('WAYLAND_DISPLAY');
  return !isElsewhere && hasDisplay ? 'page' : 'terminal';
}

const millisecondsToFail = 3_000;

/** Launchers end at once when there is no browser to launch, and may stay as long as one is open. */
async function openBrowser(file: string): Promise<void> {
  const { default: open } = await import('open');
  const child = await open(file, { wait: false });
  const stayed = new Promise((resolve) => setTimeout(resolve, millisecondsToFail).unref());
  if (child.exitCode === null) await Promise.race([stayed, once(child, 'exit')]);
  if (child.exitCode !== null && child.exitCode !== 0) throw new Error('no browser could be opened');
}

import { once } from 'node:events';
import type { Config } from '../config.ts';
import type { Desk, Outside } from './desk.ts';
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
  let page: Promise<Page> | undefined;
  let terminal: Promise<Terminal> | undefined;
  const failed = (error: unknown) =>
    say(`The approval could not be shown: ${error instanceof Error ? error.message : 'unknown error'}.`);

  const showPage = async (nonce: string) => {
    page ??= import('./page.ts').then(({ createPage }) =>
      createPage({ desk, openBrowser: config.noBrowser ? undefined : openBrowser, say }),
    );
    await (await page).show(nonce);
  };
  const openTerminal = async () => {
    terminal ??= import('./terminal.ts').then(({ openTerminal }) => openTerminal(desk));
    await terminal;
  };

  return {
    channel: bestChannel(config, environment),
    show(channel, nonce) {
      openTerminal().catch(failed);
      if (channel === 'page') showPage(nonce).catch(failed);
    },
    where: (channel) => places[channel === 'page' && config.noBrowser ? 'file' : channel],
    async close() {
      const opened = await Promise.allSettled([page, terminal]);
      await Promise.allSettled(opened.map((one) => (one.status === 'fulfilled' ? one.value?.close() : undefined)));
    },
  };
}

const places = {
  form: "in the client's own form",
  page: 'on the approval page that was opened in their browser',
  file: "on an approval page, whose file the server's log names",
  terminal: 'at a terminal of this machine, with `mdi-sensors-mcp approve`',
};

/** The browser opens on the machine of the display: over SSH, in WSL and in containers that is the wrong one, or none. */
export function bestChannel({ approval, noBrowser }: Pick<Config, 'approval' | 'noBrowser'>, environment: Environment) {
  if (approval === 'page' || approval === 'terminal') return approval;
  if (environment.CI !== undefined && environment.CI !== '' && environment.CI !== 'false') return undefined;
  if (noBrowser) return 'page';
  const isElsewhere = ['SSH_CONNECTION', 'SSH_TTY', 'WSL_DISTRO_NAME', 'REMOTE_CONTAINERS', 'CODESPACES'].some(
    (name) => environment[name] !== undefined,
  );
  const hasDisplay =
    process.platform !== 'linux' || environment.DISPLAY !== undefined || environment.WAYLAND_DISPLAY !== undefined;
  return !isElsewhere && hasDisplay ? ('page' as const) : ('terminal' as const);
}

const millisecondsToFail = 3_000;

/** Launchers end at once when there is no browser to launch, and may stay as long as one is open. */
async function openBrowser(file: string): Promise<void> {
  const { default: open } = await import('open');
  const child = await open(file, { wait: false });
  const stayed = new Promise((resolve) => setTimeout(resolve, millisecondsToFail).unref());
  await Promise.race([stayed, once(child, 'exit')]);
  if (child.exitCode !== null && child.exitCode !== 0) throw new Error('no browser could be opened');
}

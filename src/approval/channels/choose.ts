import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { release } from 'node:os';
import type { Clock } from '../../clock.ts';
import { approveCommand, terminalPlace } from '../../command.ts';
import type { Config } from '../../config.ts';
import type { ToolError } from '../../errors.ts';
import { approvalErrors } from '../errors.ts';
import type { ApprovalInbox, ExternalChannel, ExternalChannels, QuestionNames } from '../inbox.ts';
import { createFolderPrefix } from './leftovers.ts';
import type { ApprovalPage } from './page.ts';
import { LocalSignIn, type SignInParts } from './signinLocal.ts';

type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

/** What page and terminal have around them. */
export interface Machine {
  readonly clock: Clock;
  readonly environment: EnvironmentVariables;
  /** The home folder of its user; undefined where there is none. */
  readonly home: string | undefined;
  /** Opens a local file in a browser; rejects where it cannot. */
  openBrowser(file: string): Promise<void>;
  /** Tells the operator. */
  say(line: string): void;
}

/** The channels of one process to a person on its machine; each is loaded and opened with the first question that needs it. */
export function openExternalChannels(
  config: Pick<Config, 'approval' | 'approvers' | 'noBrowser'>,
  { clock, environment, home, openBrowser, say }: Machine,
  inbox: ApprovalInbox,
  signInParts?: SignInParts,
): ExternalChannels & { close(): void } {
  let page: ApprovalPage | undefined;
  let terminal: Promise<void> | undefined;
  const ending = new AbortController();
  const { signal } = ending;
  /** Processes in containers have the same ids, also at the same time and with the same home folder. */
  const serverName = `${process.pid}-${randomBytes(4).toString('hex')}`;

  const preferred = choosePreferred(config, environment);
  const canOpen = !config.noBrowser && choosePreferred({ ...config, approval: 'auto' }, environment) === 'page';
  const signIn =
    signInParts &&
    new LocalSignIn({
      inbox,
      approvers: config.approvers,
      clock,
      parts: signInParts,
      ending: signal,
      openBrowser: canOpen ? openBrowser : undefined,
      say,
    });
  const showPage = async (nonce: string, atOnce: boolean) => {
    signal.throwIfAborted();
    const { ApprovalPage } = await import('./page.ts');
    const folderPrefix = createFolderPrefix(serverName);
    const opener = config.noBrowser ? undefined : openBrowser;
    page ??= new ApprovalPage({ clock, inbox, folderPrefix, ending: signal, openBrowser: opener, say });
    await page.show(nonce, atOnce);
  };
  const showSignIn = async (question: QuestionNames, atOnce: boolean) => {
    if (signIn === undefined) throw new Error('nobody can sign in here');
    await signIn.show(question, atOnce);
  };
  const startTerminal = async () => {
    signal.throwIfAborted();
    terminal ??= import('./terminal.ts').then(({ openTerminal }) => openTerminal(inbox, home, serverName, signal));
    try {
      await terminal;
    } catch (error) {
      terminal = undefined;
      throw error;
    }
  };
  const catchFailure = async (channel: ExternalChannel, opening: Promise<void>) => {
    try {
      await opening;
      return undefined;
    } catch (error) {
      const cause = error instanceof Error ? error : new Error('unknown error');
      say(`The ${channel === 'signin' ? 'page' : channel} for approvals could not be opened: ${cause.message}`);
      return approvalErrors.channelFailed(channel, 'code' in cause ? String(cause.code) : cause.message);
    }
  };

  return {
    preferred,
    approveCommand,
    async show(channel, question, atOnce) {
      if (channel === 'signin') return catchFailure(channel, showSignIn(question, atOnce));
      const atTerminal = catchFailure('terminal', startTerminal());
      return channel === 'terminal' ? atTerminal : catchFailure('page', showPage(question.nonce, atOnce));
    },
    async offerTerminal() {
      if (preferred !== undefined && signIn === undefined) await catchFailure('terminal', startTerminal());
    },
    isOnScreen: (channel) => channel === 'page' || (channel === 'signin' && canOpen),
    isUnfetched: (nonce) => page?.isUnfetched(nonce) ?? false,
    describePlace(question) {
      const { channel, nonce } = question;
      if (channel === 'terminal') return terminalPlace;
      if (channel === 'signin') return signIn?.describePlace(question) ?? 'behind a sign-in';
      return `${places[channel === 'page' ? (page?.getState(nonce) ?? 'queued') : channel]}, or ${terminalPlace}`;
    },
    close: () => ending.abort(new Error('the server is ending')),
  };
}

/** Why nobody can be asked over HTTP, where a person approves by signing in; undefined where somebody can. */
export function explainNoSignIn({
  publicUrl,
  singleProcess,
}: Pick<Config, 'publicUrl' | 'singleProcess'>): ToolError | undefined {
  if (publicUrl === undefined) return approvalErrors.withoutEntra();
  return singleProcess ? undefined : approvalErrors.manyProcesses();
}

const places = {
  form: "in the client's own form",
  queued: 'on an approval page that opens in their browser once the one before it is answered, or 30 seconds after it',
  opening: 'on an approval page that is opening in their browser',
  opened: 'on the approval page that was opened in their browser',
  file: "on an approval page, whose file the server's log names",
};

/** Marks of a machine whose display is another one: over SSH, in WSL and in containers of an editor. */
const remoteMarks = ['SSH_CONNECTION', 'SSH_CLIENT', 'SSH_TTY', 'WSL_DISTRO_NAME', 'REMOTE_CONTAINERS', 'CODESPACES'];

/** With CI set there is nobody to ask. A host that hides most variables hides SSH and the display: on Linux the terminal is left then. The kernel tells WSL. */
export function choosePreferred(
  { approval, noBrowser }: Pick<Config, 'approval' | 'noBrowser'>,
  environment: EnvironmentVariables,
  { platform, kernel } = { platform: process.platform, kernel: release() },
) {
  const isSet = (name: string) => environment[name] !== undefined && environment[name] !== '';
  if (isSet('CI') && environment.CI !== 'false') return undefined;
  if (approval === 'page' || approval === 'terminal' || approval === 'signin') return approval;
  if (noBrowser) return 'page';
  const isElsewhere = remoteMarks.some(isSet) || (platform === 'linux' && /microsoft/i.test(kernel));
  const hasDisplay = platform !== 'linux' || isSet('DISPLAY') || isSet('WAYLAND_DISPLAY');
  return !isElsewhere && hasDisplay ? 'page' : 'terminal';
}

const launcherFailureMs = 3_000;

/** Launchers end at once when there is no browser to launch, and may stay as long as one is open. */
export async function openBrowser(file: string): Promise<void> {
  const { default: open } = await import('open');
  const child = await open(file, { wait: false });
  const stayed = new Promise((resolve) => setTimeout(resolve, launcherFailureMs).unref());
  if (child.exitCode === null) await Promise.race([stayed, once(child, 'exit')]);
  if (child.exitCode !== null && child.exitCode !== 0) throw new Error('no browser could be opened');
}

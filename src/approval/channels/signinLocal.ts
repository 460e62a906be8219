import type { Clock } from '../../clock.ts';
import { hostName } from '../../command.ts';
import type { Config } from '../../config.ts';
import type { SignIn } from '../../entra/signIn.ts';
import type { ApprovalInbox, QuestionNames } from '../inbox.ts';
import { formatApprovalAddress } from './address.ts';
import type { SignInPageOptions } from './signin.ts';
import { WindowTurns } from './windowTurns.ts';

/** What the page behind a sign-in needs of the tenant. */
export interface SignInParts extends Pick<SignInPageOptions, 'readKey'> {
  openSignIn(): Promise<SignIn>;
}

interface LocalSignInOptions {
  readonly inbox: ApprovalInbox;
  readonly approvers: Config['approvers'];
  readonly clock: Clock;
  readonly parts: SignInParts;
  /** Aborts when the server ends. */
  readonly ending: AbortSignal;
  /** Opens an address in a browser; undefined where it is only said. */
  readonly openBrowser: ((address: string) => Promise<void>) | undefined;
  say(line: string): void;
}

/** The page behind a sign-in on this machine: loaded and served with the first question, and opened in the person's browser. */
export class LocalSignIn {
  readonly #options: LocalSignInOptions;
  readonly #turns: WindowTurns;
  #serving: Promise<string> | undefined;
  #origin: string | undefined;

  constructor(options: LocalSignInOptions) {
    this.#options = options;
    this.#turns = new WindowTurns(options.clock);
  }

  /** Opens a question in its turn, or says its address. Rejects where the page cannot be served. */
  async show(question: QuestionNames, atOnce: boolean): Promise<void> {
    const { inbox, openBrowser, say } = this.#options;
    this.#origin = await this.#serve();
    const address = formatApprovalAddress(this.#origin, question);
    const sayAddress = () => say(`A person's approval is needed. Open this address in a browser: ${address}`);
    if (openBrowser === undefined) return sayAddress();
    const launch = async () => {
      if ((await inbox.view(question.nonce))?.state !== 'waiting') return;
      this.#turns.note(question.nonce);
      await openBrowser(address);
    };
    this.#turns.take(launch, atOnce).catch(sayAddress);
  }

  describePlace(question: QuestionNames): string {
    const address = this.#origin === undefined ? '' : ` ${formatApprovalAddress(this.#origin, question)}`;
    const how =
      this.#options.openBrowser === undefined
        ? `on the machine or container ${hostName}`
        : 'which opens in their browser';
    return `on the page${address} (${how}), after a sign-in with Microsoft Entra`;
  }

  async #serve(): Promise<string> {
    const { inbox, approvers, clock, ending } = this.#options;
    const { openSignIn, readKey } = this.#options.parts;
    this.#serving ??= Promise.all([import('./signin.ts'), openSignIn()]).then(([{ serveSignInPage }, signIn]) =>
      serveSignInPage({ inbox, signIn, approvers, clock, readKey }, ending),
    );
    this.#serving.catch(() => {
      this.#serving = undefined;
    });
    return this.#serving;
  }
}

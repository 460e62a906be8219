import { mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Clock, repeat } from '../../clock.ts';
import { approveCommand, hostName } from '../../command.ts';
import { removeIfPossible } from './leftovers.ts';
import { createRedirectFile } from './pageHtml.ts';
import { WindowTurns } from './windowTurns.ts';

/** How far a question has come on its way into a browser; `file`: a person has to open its file. */
export type OpeningState = 'queued' | 'opening' | 'opened' | 'file';

interface Opening {
  readonly file: string;
  state: OpeningState;
  /** By the monotonic clock; infinite before. */
  openedAtMs: number;
}

export interface BrowserQueueOptions {
  readonly clock: Clock;
  /** The beginning of the path of every folder that it makes. */
  readonly folderPrefix: string;
  /** Aborts when the server ends: nothing stays, and nothing more is opened. */
  readonly ending: AbortSignal;
  /** Opens a local file in a browser; undefined where only the file's name is said. */
  readonly openBrowser: ((file: string) => Promise<void>) | undefined;
  isWaiting(nonce: string): Promise<boolean>;
  say(line: string): void;
}

/** A browser that can read a file has fetched its question by then. */
const fetchTimeoutMs = 5_000;
const cleanupIntervalMs = 2_000;

/** Brings questions into browser windows, one in 30 seconds where nobody answers: each by a file that holds its address. */
export class BrowserQueue {
  readonly #options: BrowserQueueOptions;
  readonly #openings = new Map<string, Opening>();
  readonly #turns: WindowTurns;
  readonly #stopCleanup: () => void;

  constructor(options: BrowserQueueOptions) {
    this.#options = options;
    this.#turns = new WindowTurns(options.clock);
    this.#stopCleanup = repeat(options.clock, cleanupIntervalMs, () => this.#removeEnded().catch(() => undefined));
    options.ending.addEventListener('abort', () => this.#close());
  }

  /**
   * Writes the file that leads to this address, and has it opened in its turn, or at once. Rejects where it cannot be
   * written.
   */
  async open(nonce: string, address: string, atOnce: boolean): Promise<void> {
    const page = String(await createRedirectFile(address));
    this.#options.ending.throwIfAborted();
    const folder = mkdtempSync(this.#options.folderPrefix);
    const opening: Opening = {
      file: join(folder, 'approval.html'),
      state: 'queued',
      openedAtMs: Number.POSITIVE_INFINITY,
    };
    this.#openings.set(nonce, opening);
    writeFileSync(opening.file, page, { mode: 0o600 });
    const { openBrowser } = this.#options;
    if (openBrowser === undefined) return this.#nameFile(opening);
    this.#turns.take(() => this.#launch(nonce, openBrowser), atOnce).catch(() => this.#nameFile(opening));
  }

  /** `opened` also for a question whose file is gone, because a browser has it. */
  getState(nonce: string): OpeningState {
    return this.#openings.get(nonce)?.state ?? 'opened';
  }

  /** Whether a window was opened for it that nobody fetched: a browser that cannot read the file, or none at all. */
  isUnfetched(nonce: string): boolean {
    const opening = this.#openings.get(nonce);
    return opening?.state === 'opened' && this.#options.clock.monotonic() - opening.openedAtMs >= fetchTimeoutMs;
  }

  /** Cancels a question that waits for its window; false where it does not. */
  cancel(nonce: string): boolean {
    if (this.#openings.get(nonce)?.state !== 'queued') return false;
    this.remove(nonce);
    return true;
  }

  /** Removes the file of a question that a browser has. */
  remove(nonce: string): void {
    const file = this.#openings.get(nonce)?.file;
    this.#openings.delete(nonce);
    if (file !== undefined) removeIfPossible(dirname(file));
  }

  /** The window that is open goes on with this question. */
  noteSameWindow(nonce: string): void {
    this.#turns.note(nonce);
  }

  /** The question is over for a person: where it had the last window, the next one opens at once. */
  noteAnswer(nonce: string): void {
    this.#turns.noteAnswer(nonce);
  }

  #close(): void {
    this.#stopCleanup();
    for (const nonce of this.#openings.keys()) this.remove(nonce);
  }

  async #removeEnded(): Promise<void> {
    for (const nonce of [...this.#openings.keys()]) {
      if (!(await this.#options.isWaiting(nonce))) this.remove(nonce);
    }
  }

  async #launch(nonce: string, openBrowser: (file: string) => Promise<void>): Promise<void> {
    const isWaiting = await this.#options.isWaiting(nonce);
    const opening = this.#openings.get(nonce);
    if (opening === undefined || !isWaiting) return;
    opening.openedAtMs = this.#turns.note(nonce);
    opening.state = 'opening';
    await openBrowser(opening.file);
    opening.state = 'opened';
  }

  #nameFile(opening: Opening): void {
    opening.state = 'file';
    this.#options.say(`A person's approval is needed. Open this file in a browser: ${opening.file}`);
    this.#options.say(`Or answer at a terminal on ${hostName}: ${approveCommand}`);
  }
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { redirectFile } from './pageHtml.ts';

/** How far a question has come on its way into a browser; `file`: a person has to open its file. */
export type Place = 'queued' | 'opening' | 'opened' | 'file';

interface Options {
  /** Opens a local file in a browser; undefined where only the file's name is said. */
  readonly openBrowser: ((file: string) => Promise<void>) | undefined;
  isWaiting(nonce: string): boolean;
  say(line: string): void;
}

const millisecondsBetweenWindows = 30_000;
const millisecondsBetweenLooks = 2_000;

/** Brings questions into browser windows, at most one in 30 seconds: each by a file that holds its address. */
export function createWindows({ openBrowser, isWaiting, say }: Options) {
  const ways = new Map<string, { readonly file: string; place: Place }>();
  let queue: Promise<void> = Promise.resolve();
  let lastWindow = Number.NEGATIVE_INFINITY;

  const forget = async (nonce: string) => {
    const file = ways.get(nonce)?.file;
    ways.delete(nonce);
    if (file !== undefined) await rm(dirname(file), { recursive: true, force: true });
  };
  const forgetEnded = () => Promise.all([...ways.keys()].filter((nonce) => !isWaiting(nonce)).map(forget));
  const looking = setInterval(forgetEnded, millisecondsBetweenLooks).unref();

  const launch = async (nonce: string, open: (file: string) => Promise<void>) => {
    const rest = lastWindow + millisecondsBetweenWindows - performance.now();
    if (rest > 0) await wait(rest, undefined, { ref: false });
    const way = ways.get(nonce);
    if (way === undefined || !isWaiting(nonce)) return;
    lastWindow = performance.now();
    way.place = 'opening';
    try {
      await open(way.file);
      way.place = 'opened';
    } catch {
      name(way);
    }
  };

  const name = (way: { readonly file: string; place: Place }) => {
    way.place = 'file';
    say(`A person's approval is needed. Open this file in a browser: ${way.file}`);
  };

  return {
    /** Writes the file that leads to this address, and has it opened in its turn. Rejects where it cannot be written. */
    async open(nonce: string, address: string): Promise<void> {
      const folder = await mkdtemp(join(tmpdir(), 'mdi-sensors-mcp-'));
      const way: { readonly file: string; place: Place } = { file: join(folder, 'approval.html'), place: 'queued' };
      ways.set(nonce, way);
      await writeFile(way.file, String(await redirectFile(address)), { mode: 0o600 });
      if (openBrowser === undefined) name(way);
      else queue = queue.then(() => launch(nonce, openBrowser));
    },

    place: (nonce: string): Place => ways.get(nonce)?.place ?? 'opened',

    /** Takes a question back that waits for its window; false where it does not. */
    async recall(nonce: string): Promise<boolean> {
      if (ways.get(nonce)?.place !== 'queued') return false;
      await forget(nonce);
      return true;
    },

    /** Removes the file of a question that a browser has. */
    forget,

    async close(): Promise<void> {
      clearInterval(looking);
      await Promise.all([...ways.keys()].map(forget));
    },
  };
}

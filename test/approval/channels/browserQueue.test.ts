import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setImmediate as settle } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { BrowserQueue } from '../../../src/approval/channels/browserQueue.ts';
import { approveCommand, hostName } from '../../../src/command.ts';
import { createVirtualClock } from '../../harness/clock.ts';

/** A queue on a clock that stands; its questions wait until they are in `over`. Without `canOpen` there is no browser. */
function openQueue({ canOpen = true } = {}) {
  const temporary = mkdtempSync(join(tmpdir(), 'mdi-browser-'));
  const clock = createVirtualClock();
  clock.hold();
  const ending = new AbortController();
  const [said, windows]: [string[], string[]] = [[], []];
  const over = new Set<string>();
  const browser = { open: async () => {} };
  const queue = new BrowserQueue({
    clock,
    folderPrefix: join(temporary, 'of-a-server-'),
    ending: ending.signal,
    openBrowser: canOpen
      ? async (file) => {
          windows.push(file);
          await browser.open();
        }
      : undefined,
    async isWaiting(nonce) {
      if (nonce === 'unreadable') throw new Error('no store');
      return !over.has(nonce);
    },
    say: (line) => void said.push(line),
  });
  const pass = async (durationMs: number) => {
    await settle();
    await clock.pass(durationMs);
    await settle();
  };
  const open = async (nonce: string, atOnce = false) => {
    await queue.open(nonce, `http://127.0.0.1:5000/open/${nonce}`, atOnce);
    await settle();
  };
  const state = (nonce: string) => queue.getState(nonce);
  /** The questions whose files are there, by the addresses in them. */
  const list = () =>
    readdirSync(temporary)
      .map((folder) => readFileSync(join(temporary, folder, 'approval.html'), 'utf8'))
      .map((page) => /url=http:\/\/127\.0\.0\.1:5000\/open\/(\w+)"/.exec(page)?.[1])
      .sort();
  return { queue, clock, ending, said, windows, over, browser, pass, open, state, list, temporary };
}
type TestQueue = ReturnType<typeof openQueue>;

const nameFile = (temporary: string) => [
  `A person's approval is needed. Open this file in a browser: ${join(temporary, readdirSync(temporary)[0] ?? '', 'approval.html')}`,
  `Or answer at a terminal on ${hostName}: ${approveCommand}`,
];

describe('a question on its way into a browser', () => {
  test('leads there by a file that only its user reads, in a folder of its own', async () => {
    const { open, windows, temporary, list } = openQueue();
    await open('one');
    const [file = ''] = windows;
    expect(file).toBe(join(temporary, readdirSync(temporary)[0] ?? '', 'approval.html'));
    expect(basename(dirname(file))).toMatch(/^of-a-server-\w{6}$/);
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
    expect(list()).toEqual(['one']);
  });

  test('has opened when the browser was launched', async () => {
    const { open, browser, state, said } = openQueue();
    let launched = () => {};
    browser.open = () => new Promise((resolve) => (launched = resolve));
    await open('one');
    expect(state('one')).toBe('opening');
    launched();
    await settle();
    expect([state('one'), said]).toEqual(['opened', []]);
  });

  test('waits for its turn behind one that nobody has answered', async () => {
    const { open, state, windows, pass } = openQueue();
    await open('one');
    await open('two');
    await pass(29_999);
    expect([state('one'), state('two'), windows.length]).toEqual(['opened', 'queued', 1]);
    await pass(1);
    expect([state('two'), windows.length]).toEqual(['opened', 2]);
  });

  test('opens as soon as the one before it is answered', async () => {
    const { open, queue, state } = openQueue();
    await open('one');
    await open('two');
    queue.noteAnswer('one');
    await settle();
    expect(state('two')).toBe('opened');
  });

  test('opens at once where that is wanted', async () => {
    const { open, state } = openQueue();
    await open('one');
    await open('two', true);
    expect(state('two')).toBe('opened');
  });

  test('is named by its file where there is no browser', async () => {
    const { open, state, said, temporary } = openQueue({ canOpen: false });
    await open('one');
    expect([state('one'), said]).toEqual(['file', nameFile(temporary)]);
  });

  test('waits for no turn where there is no browser', async () => {
    const { open, state } = openQueue({ canOpen: false });
    await open('one');
    await open('two');
    expect([state('one'), state('two')]).toEqual(['file', 'file']);
  });

  test('is named by its file where no browser could be launched', async () => {
    const { open, browser, state, said, temporary } = openQueue();
    browser.open = async () => {
      throw new Error('no browser could be opened');
    };
    await open('one');
    expect([state('one'), said]).toEqual(['file', nameFile(temporary)]);
  });

  test.each<[string, (queue: TestQueue) => unknown]>([
    ['was answered', ({ over }) => over.add('two')],
    ['was cancelled', ({ queue }) => queue.cancel('two')],
  ])('opens no window, and is not named, where it %s before its turn', async (_, end) => {
    const queue = openQueue();
    await queue.open('one');
    await queue.open('two');
    end(queue);
    await queue.open('three');
    await queue.pass(30_000);
    expect([queue.windows.length, queue.state('three'), queue.said]).toEqual([2, 'opened', []]);
  });

  test('is in a browser once its file is gone', () => {
    expect(openQueue().state('one')).toBe('opened');
  });
});

describe('a window that nobody fetched', () => {
  test('is one that has been open for five seconds', async () => {
    const { open, queue, pass } = openQueue();
    await pass(7_000);
    await open('one');
    await pass(4_999);
    expect(queue.isUnfetched('one')).toBe(false);
    await pass(1);
    expect(queue.isUnfetched('one')).toBe(true);
    queue.remove('one');
    expect(queue.isUnfetched('one')).toBe(false);
  });

  test('is not one that waits for its turn', async () => {
    const { open, queue, pass } = openQueue();
    await open('one');
    await open('two');
    await pass(29_000);
    expect(queue.isUnfetched('two')).toBe(false);
  });

  test('is not one that is still being launched', async () => {
    const { open, queue, browser, pass } = openQueue();
    browser.open = () => new Promise(() => {});
    await open('one');
    await pass(60_000);
    expect(queue.isUnfetched('one')).toBe(false);
  });

  test('is not a file that a person has to open, nor a question that never came', async () => {
    const { open, queue, pass } = openQueue({ canOpen: false });
    await open('one');
    await pass(60_000);
    expect([queue.isUnfetched('one'), queue.isUnfetched('two')]).toEqual([false, false]);
  });
});

describe('the file of a question', () => {
  test('goes when it is cancelled, which only one that waits for its turn can be', async () => {
    const { open, queue, list } = openQueue();
    await open('one');
    await open('two');
    expect(['one', 'two', 'three'].map((nonce) => queue.cancel(nonce))).toEqual([false, true, false]);
    expect(list()).toEqual(['one']);
  });

  test('goes with its folder when a browser has the question', async () => {
    const { open, queue, windows, list } = openQueue();
    await open('one');
    await open('two');
    queue.remove('one');
    queue.remove('nothing');
    expect([existsSync(dirname(windows[0] ?? '')), list()]).toEqual([false, ['two']]);
  });

  test('goes within two seconds when the question is over, and not before', async () => {
    const { open, over, pass, list } = openQueue();
    await open('one');
    await open('two');
    over.add('one');
    await pass(1_999);
    expect(list()).toEqual(['one', 'two']);
    await pass(1);
    expect(list()).toEqual(['two']);
    over.add('two');
    await pass(2_000);
    expect(list()).toEqual([]);
  });

  test('goes the next time where it could not be told whether the question is over', async () => {
    const { open, queue, over, pass, list } = openQueue();
    await open('unreadable', true);
    await open('one');
    over.add('one');
    await pass(2_000);
    expect(list()).toEqual(['one', 'unreadable']);
    queue.remove('unreadable');
    await pass(2_000);
    expect(list()).toEqual([]);
  });
});

describe('when the server ends', () => {
  test('no file stays, and nothing is looked after any more', async () => {
    const { open, ending, clock, list } = openQueue();
    await open('one');
    await open('two', true);
    expect(clock.listAlarms()).toEqual([2_000]);
    ending.abort();
    expect([list(), clock.listAlarms()]).toEqual([[], []]);
  });

  test('no file is written any more', async () => {
    const { open, ending, list } = openQueue();
    ending.abort(new Error('the server is ending'));
    await expect(open('one')).rejects.toThrow('the server is ending');
    expect(list()).toEqual([]);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, systemClock } from '../../src/clock.ts';

/** A clock that stands still until somebody moves it. Whoever pauses on it moves it; what only waits for a moment does not. */
export interface VirtualClock extends Clock {
  /** Lets so many milliseconds go by: what was to happen in that time happens, each thing at its moment. */
  pass(durationMs: number): Promise<void>;
  /** From now on who pauses waits until somebody else moves the clock. */
  hold(): void;
  /** In how many milliseconds each thing happens that somebody waits for. */
  listAlarms(): readonly number[];
  /** How far what the clock says is ahead of the time that has passed; nothing happens when it is set. */
  readonly ahead: { wall: number; monotonic: number };
}

interface Alarm {
  readonly at: number;
  readonly run: () => void;
}

/** A clock that goes on by itself, for a server whose sign-in or process cannot stand still; who reads it sees how far it was moved. */
export function createRunningClock() {
  const ahead = { wall: 0, monotonic: 0 };
  let passed = 0;
  return {
    ...systemClock,
    wall: () => systemClock.wall() + passed + ahead.wall,
    monotonic: () => systemClock.monotonic() + passed + ahead.monotonic,
    ahead,
    /** Lets so many milliseconds be over at once; who pauses meanwhile waits in any case. */
    async pass(durationMs: number) {
      passed += durationMs;
    },
  };
}

/** Everything that is ready to happen in this process happens. */
const settle = async () => {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
};

export function createVirtualClock(): VirtualClock {
  const start = Date.now();
  const ahead = { wall: 0, monotonic: 0 };
  const alarms = new Set<Alarm>();
  let passed = 0;
  let isHeld = false;

  /** Moves on, as long as somebody wants that, and lets what is due on the way happen. */
  const moveTo = async (moment: number, isWanted = () => true) => {
    while (isWanted()) {
      const [next] = [...alarms].filter(({ at }) => at <= moment).sort((one, other) => one.at - other.at);
      if (next === undefined) {
        passed = Math.max(passed, moment);
        return;
      }
      alarms.delete(next);
      passed = Math.max(passed, next.at);
      next.run();
      await settle();
    }
  };

  const after = (durationMs: number, run: () => void) => {
    const alarm = { at: passed + Math.max(0, durationMs), run };
    alarms.add(alarm);
    if (durationMs <= 0) settle().then(() => moveTo(passed));
    return () => void alarms.delete(alarm);
  };

  return {
    wall: () => start + passed + ahead.wall,
    monotonic: () => passed + ahead.monotonic,
    after,
    pause: (durationMs, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const at = passed + Math.max(0, durationMs);
        let isOver = false;
        const end = () => {
          isOver = true;
          signal?.removeEventListener('abort', end);
          callOff();
          resolve();
        };
        const callOff = after(durationMs, end);
        signal?.addEventListener('abort', end, { once: true });
        settle().then(() => moveTo(at, () => !isOver && !isHeld));
      }),
    pass: (durationMs) => moveTo(passed + durationMs),
    listAlarms: () => [...alarms].map(({ at }) => at - passed),
    hold() {
      isHeld = true;
    },
    ahead,
  };
}

/** Lets time go by, again and again, until something has come to its end. */
export async function passUntil<T>(end: Promise<T>, pass: () => Promise<unknown> | undefined): Promise<T> {
  while (await Promise.race([end.then(() => false), sleep(5).then(() => true)])) await pass();
  return end;
}

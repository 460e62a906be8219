import { afterEach, beforeEach, vi } from 'vitest';

/** In each test of the file waiting takes no time, and what is random is as large as it can be. */
export function skipWaiting(): void {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.setTimerTickMode('nextTimerAsync');
    vi.spyOn(Math, 'random').mockReturnValue(1);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
}

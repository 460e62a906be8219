/**
 * Places for requests that run at once. Where all are taken, the calls that wait are served in turn, one request each, so
 * that a call with many requests does not hold up one with few.
 */
export function createConcurrencyLimit(maxConcurrent: number): (caller: object) => Promise<() => void> {
  let running = 0;
  const queues = new Map<object, (() => void)[]>();

  const release = () => {
    const [first] = queues;
    if (first === undefined) {
      running--;
      return;
    }
    const [caller, queue] = first;
    const next = queue.shift();
    queues.delete(caller);
    if (queue.length > 0) queues.set(caller, queue);
    next?.();
  };

  return async (caller) => {
    if (running < maxConcurrent) running++;
    else await new Promise<void>((resolve) => queues.set(caller, [...(queues.get(caller) ?? []), resolve]));
    return release;
  };
}

/**
 * Places for what runs at once. Where all are taken, those who wait are served in turn, one place each, so that whoever
 * wants many does not hold up one who wants few.
 */
export function createConcurrencyLimit(maxConcurrent: number): (caller: unknown) => Promise<() => void> {
  let running = 0;
  const queues = new Map<unknown, (() => void)[]>();

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

  const wait = (caller: unknown) =>
    new Promise<void>((resolve) => {
      const queue = queues.get(caller) ?? [];
      queue.push(resolve);
      queues.set(caller, queue);
    });

  return async (caller) => {
    if (running < maxConcurrent) running++;
    else await wait(caller);
    return release;
  };
}

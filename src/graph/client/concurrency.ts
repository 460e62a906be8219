/**
 * Places for requests that run at once. Where all are taken, the calls that wait are served in turn, one request each, so
 * that a call with many requests does not hold up one with few.
 */
export function createSlots(places: number): (caller: object) => Promise<() => void> {
  let taken = 0;
  const lines = new Map<object, (() => void)[]>();

  const free = () => {
    const [first] = lines;
    if (first === undefined) {
      taken--;
      return;
    }
    const [caller, line] = first;
    const next = line.shift();
    lines.delete(caller);
    if (line.length > 0) lines.set(caller, line);
    next?.();
  };

  return async (caller) => {
    if (taken < places) taken++;
    else await new Promise<void>((resolve) => lines.set(caller, [...(lines.get(caller) ?? []), resolve]));
    return free;
  };
}

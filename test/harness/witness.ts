import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';
import type { SimulatedTenantOptions } from '../../src/tenants/simulated/tenant.ts';

/** What was seen in a process that may be killed at any moment. */
export type Fact =
  /** A request reached the simulated Graph, or was answered by it. */
  | { readonly fact: 'came' | 'answered'; readonly request: string; readonly effect: boolean }
  /** So much of a file is on the disk. */
  | { readonly fact: 'synced'; readonly file: number; readonly size: number };

const millisecondsOnTheWay = 20;
const stderr = 2;

/** Tells on stderr what happens, each time before it goes on. */
export function startWitness(): Pick<SimulatedTenantOptions, 'beforeRequest' | 'onRequest'> {
  const { fsyncSync, writeSync } = fs;
  const tell = (fact: Fact) => writeSync(stderr, `${JSON.stringify(fact)}\n`);
  fs.fsyncSync = (handle) => {
    fsyncSync(handle);
    const { ino, size } = fs.fstatSync(handle);
    tell({ fact: 'synced', file: ino, size });
  };
  syncBuiltinESMExports();
  return {
    async beforeRequest({ method, path, effect }) {
      tell({ fact: 'came', request: `${method} ${path}`, effect });
      await wait(millisecondsOnTheWay);
    },
    onRequest({ method, path, effect }) {
      tell({ fact: 'answered', request: `${method} ${path}`, effect });
    },
  };
}

export const parseFacts = (told: string): readonly Fact[] =>
  (told.match(/^\{"fact":.*\}$/gm) ?? []).map((line) => JSON.parse(line));

import { GraphError } from '../../src/tenants/simulated/errors.ts';
import type { SimulatedTenant } from '../../src/tenants/simulated/tenant.ts';
import * as faults from './faults.ts';

import type { Collection } from './fleet.ts';

/** What a test tells a server's simulated tenant and its clock. */
export type Command =
  | { readonly do: 'requests' }
  | {
      readonly do: 'read';
      readonly what:
        | Collection
        | 'activationMode'
        | 'isAutomatic'
        | 'accessKey'
        | 'identity'
        | 'migrations'
        | 'tokenRequests';
    }
  | { readonly do: 'change'; readonly of: Collection; readonly id: string; readonly set: object }
  | { readonly do: 'remove'; readonly of: Collection; readonly id: string }
  | { readonly do: 'set'; readonly set: object }
  | { readonly do: 'advance'; readonly milliseconds: number }
  | { readonly do: 'pass'; readonly milliseconds: number }
  /** Who pauses waits until a test lets time go by. */
  | { readonly do: 'hold' }
  | { readonly do: 'clock'; readonly ahead: { readonly wall?: number; readonly monotonic?: number } }
  | { readonly do: 'before'; readonly method: string; readonly path: string; readonly run: readonly Command[] }
  | {
      readonly do: 'fault';
      readonly method: string;
      readonly path: string;
      readonly times?: number;
      readonly phase?: 'before' | 'after';
      /** Without a status the connection breaks, unless it only takes its time. */
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly milliseconds?: number;
      /** What an error says; needs a status. */
      readonly error?: { readonly code: string; readonly message: string };
      /** Where a page that is answered says that it goes on; needs the phase `after`. */
      readonly nextLink?: string;
    }
  | ProcessCommand;

/** What changes a whole process, so that it takes a server in one of its own. */
export type ProcessCommand =
  /** From this many lines of the audit log on, or for every secret file, the disk is full. */
  | { readonly do: 'diskFull'; readonly after: number; readonly of?: 'auditLog' | 'secretsDir' }
  /** What was done in which order since the first time: records of the audit log, what was forced to the disk, requests. */
  | { readonly do: 'deeds' };

/** The time that a test moves. */
interface Time {
  readonly ahead: { wall: number; monotonic: number };
  pass(durationMs: number): unknown;
  hold(): void;
}

/** Carries out what a test tells. */
export function createControl(
  tenant: SimulatedTenant,
  time: Time,
  inProcessOfItsOwn: (command: ProcessCommand) => unknown = ({ do: what }) => {
    throw new Error(`${what} takes a server in a process of its own`);
  },
): (command: Command) => unknown {
  return function obey(command) {
    switch (command.do) {
      case 'requests':
        return tenant.requests;
      case 'read':
        return tenant[command.what];
      case 'change': {
        const item = tenant[command.of].find(({ id }) => id === command.id);
        if (item === undefined) throw new Error(`nothing in ${command.of} has the id ${command.id}`);
        return merge(item, command.set);
      }
      case 'remove': {
        const list: { id: string }[] = tenant[command.of];
        return list.splice(
          list.findIndex(({ id }) => id === command.id),
          1,
        ).length;
      }
      case 'set':
        return merge(tenant, command.set);
      case 'advance':
        return tenant.advance(command.milliseconds);
      case 'pass':
        return time.pass(command.milliseconds);
      case 'hold':
        return time.hold();
      case 'clock':
        return Object.assign(time.ahead, command.ahead);
      case 'before':
        tenant.beforeRequest = (request) => {
          if (request.method !== command.method || !request.path.includes(command.path)) return;
          tenant.beforeRequest = undefined;
          for (const next of command.run) obey(next);
        };
        return;
      case 'fault':
        return tenant.faults.push({
          appliesTo: ({ method, path }) => method === command.method && path.includes(command.path),
          times: command.times ?? 1,
          phase: command.phase ?? 'before',
          answer: createFaultAction(command),
        });
      default:
        return inProcessOfItsOwn(command);
    }
  };
}

function createFaultAction({ status, headers = {}, milliseconds, error, nextLink }: Extract<Command, { do: 'fault' }>) {
  if (nextLink !== undefined) return faults.setNextLink(nextLink);
  if (error !== undefined && status !== undefined) return new GraphError(status, error.code, error.message);
  if (milliseconds !== undefined) return faults.answerLate(milliseconds);
  return status === undefined ? faults.breakConnection() : faults.failWith(status, headers);
}

function merge(into: object, set: object): void {
  for (const [name, value] of Object.entries(set)) {
    const old: unknown = Reflect.get(into, name);
    const both = isPlain(old) && isPlain(value);
    if (both) merge(old, value);
    else Reflect.set(into, name, value);
  }
}
const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

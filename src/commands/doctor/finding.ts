import type { Config } from '../../config.ts';
import type { Tenant } from '../../graph/tenant.ts';
import type { Log } from '../../log.ts';

/** One thing that was looked at. After a `fatal` one there is nothing left to look at in the tenant. */
export interface Finding {
  readonly about:
    | 'Configuration'
    | 'Network'
    | 'Sign-in'
    | 'Permissions'
    | 'Reads'
    | 'This machine'
    | 'Address'
    | 'Server'
    | 'Microsoft Entra';
  readonly is: 'well' | 'missing' | 'note' | 'fatal';
  readonly text: string;
  /** What to do about it. */
  readonly next?: string | undefined;
}

/** Where the doctor stands. */
export interface Surroundings {
  readonly config: Config;
  /** What is wrong about settings and variables, one sentence each. */
  readonly problems: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

/** What there is to look at. */
export interface DoctorContext extends Surroundings {
  readonly tenant: Tenant;
}

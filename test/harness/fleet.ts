import type { SimulatedState } from '../../src/tenants/simulated/state.ts';
import { createSimulatedTenant } from '../../src/tenants/simulated/tenant.ts';

/** A list of the simulated tenant whose objects have ids. */
export type Collection = {
  [Name in keyof SimulatedState]: SimulatedState[Name] extends { readonly id: string }[] ? Name : never;
}[keyof SimulatedState];

/** Ids follow from the seed alone: every simulated tenant of the tests has these. */
const seeded = createSimulatedTenant({ seed: 1 });

/** The id of the first object of a list that has such a name in the seeded fleet, a sensor's with its domain. */
export function find(of: Collection, name: string): string {
  const all: readonly { readonly id: string; readonly displayName?: string; readonly domainName?: string }[] =
    seeded[of];
  const found = all.find((one) =>
    [`${one.displayName}.${one.domainName}`, ...Object.values(one)].some((value) => value === name),
  );
  if (found === undefined) throw new Error(`no ${name} among the ${of}`);
  return found.id;
}

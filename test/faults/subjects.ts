import { endpoints } from '../../src/graph/endpoints/index.ts';
import type { EndpointName } from '../../src/tenants/simulated/handlers.ts';
import { expandRoute, type GatedTool, gatedTools, type ReadTool, readTools, tools } from '../harness/tools.ts';

export const endpointNames = Object.keys(endpoints) as readonly EndpointName[];

/** A tool that reads, under faults. */
export type ReadCase = { readonly tool: ReadTool } & (typeof tools)[ReadTool];

/** A gated tool under faults: the endpoint that it is for, and how often its requests take effect. */
export type WriteCase = { readonly tool: GatedTool; readonly sends: EndpointName; readonly effects: number } & Omit<
  (typeof tools)[GatedTool],
  'sends'
>;

export const readings: readonly ReadCase[] = readTools.map((tool) => ({ tool, ...tools[tool] }));

export const writings: readonly WriteCase[] = gatedTools.map((tool) => {
  const { sends } = tools[tool];
  const last = sends.at(-1) ?? '';
  const effects = sends.filter((one) => one === last).length;
  return { tool, ...tools[tool], sends: findEndpoint(last), effects };
});

function findEndpoint(sent: string): EndpointName {
  const found = endpointNames.find((name) => endpoints[name].route.replace(/\{\w+\}/, '{id}') === expandRoute(sent));
  if (found === undefined) throw new Error(`no endpoint has the route ${sent}`);
  return found;
}

import { ToolError } from '../errors.ts';

/** One cloud of Microsoft, whose tokens are worth nothing in another. */
interface CloudRow {
  /** The cloud in a sentence. */
  readonly name: string;
  readonly graphRoot: string;
  /** Where Microsoft Entra signs people and apps in. */
  readonly authority: string;
  /** The Microsoft Defender portal, where there is one. */
  readonly portal?: string;
}

/** Microsoft's clouds; GCC is a part of the global one. */
export const clouds = {
  global: {
    name: 'the global cloud',
    graphRoot: 'https://graph.microsoft.com',
    authority: 'https://login.microsoftonline.com',
    portal: 'https://security.microsoft.com',
  },
  usgov: {
    name: 'the US Government cloud (GCC High)',
    graphRoot: 'https://graph.microsoft.us',
    authority: 'https://login.microsoftonline.us',
    portal: 'https://security.microsoft.us',
  },
  usgovdod: {
    name: 'the US Government cloud (DoD)',
    graphRoot: 'https://dod-graph.microsoft.us',
    authority: 'https://login.microsoftonline.us',
    portal: 'https://security.microsoft.us',
  },
  china: {
    name: 'the China cloud',
    graphRoot: 'https://microsoftgraph.chinacloudapi.cn',
    authority: 'https://login.chinacloudapi.cn',
  },
} as const satisfies Record<string, CloudRow>;
export type Cloud = keyof typeof clouds;

export type GraphVersion = 'v1.0' | 'beta';

/** Where Graph has an operation, version by version. */
export type Availability = { readonly [V in GraphVersion]?: readonly Cloud[] };

// A page lists the clouds of an operation; for US Government a page that says nothing or is old yields to the v1.0 schema
// of that cloud. No schema of the China cloud has Defender for Identity.

const global = ['global'] as const;
const usGov = ['global', 'usgov', 'usgovdod'] as const;

export const globalOnly: Availability = { 'v1.0': global, beta: global };
export const globalBetaOnly: Availability = { beta: global };
export const globalAndUsGov: Availability = { 'v1.0': usGov, beta: usGov };
/** In the v1.0 schema of US Government, while no page says that its beta has the operation. */
export const globalAndUsGovV1: Availability = { 'v1.0': usGov, beta: global };
/** Not in the v1.0 schema of US Government, while the beta page names that cloud. */
export const globalAndUsGovBeta: Availability = { 'v1.0': global, beta: usGov };

interface EndpointAvailability {
  readonly route: string;
  readonly availability: Availability;
}

const versions: readonly GraphVersion[] = ['v1.0', 'beta'];

/** The version that a call goes to: the wished one where this cloud has it, else the other one; undefined without any. */
export const findVersion = (cloud: Cloud, { availability }: EndpointAvailability, preferred: GraphVersion) =>
  [preferred, ...versions].find((version) => availability[version]?.includes(cloud));

/** The version that a call goes to. Refuses what this cloud does not have. */
export function requireVersion(endpoint: EndpointAvailability, preferred: GraphVersion, cloud: Cloud): GraphVersion {
  const version = findVersion(cloud, endpoint, preferred);
  if (version !== undefined) return version;
  const { name, portal }: CloudRow = clouds[cloud];
  const look = portal === undefined ? '' : `Look for it in the Microsoft Defender portal, ${portal}. `;
  const next = `${look}Where the tenant is in another cloud, the operator names that with --cloud.`;
  throw new ToolError('not_in_this_cloud', `Microsoft Graph in ${name} does not have ${endpoint.route}.`, next);
}

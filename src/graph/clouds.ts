import { Refusal } from '../errors.ts';

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

const global: readonly Cloud[] = ['global'];
const andUsGov: readonly Cloud[] = ['global', 'usgov', 'usgovdod'];

export const globalOnly: Availability = { 'v1.0': global, beta: global };
export const globalBeta: Availability = { beta: global };
export const inUsGov: Availability = { 'v1.0': andUsGov, beta: andUsGov };
/** In the v1.0 schema of US Government, while no page says that its beta has the operation. */
export const inUsGovV1: Availability = { 'v1.0': andUsGov, beta: global };
/** Not in the v1.0 schema of US Government, while the beta page names that cloud. */
export const inUsGovBeta: Availability = { 'v1.0': global, beta: andUsGov };

interface Offered {
  readonly route: string;
  readonly availability: Availability;
}

const versions: readonly GraphVersion[] = ['v1.0', 'beta'];

/** The version that a call goes to: the wished one where this cloud has it, else the other one; undefined without any. */
export function versionIn(cloud: Cloud, { availability }: Offered, wished: GraphVersion): GraphVersion | undefined {
  return [wished, ...versions].find((version) => availability[version]?.includes(cloud));
}

/** The version that a call goes to. Refuses what this cloud does not have. */
export function versionOf(endpoint: Offered, wished: GraphVersion, cloud: Cloud): GraphVersion {
  const version = versionIn(cloud, endpoint, wished);
  if (version !== undefined) return version;
  const { name, portal }: CloudRow = clouds[cloud];
  throw new Refusal(
    'not_in_this_cloud',
    `Microsoft Graph in ${name} does not have ${endpoint.route}.`,
    `${portal === undefined ? '' : `Look for it in the Microsoft Defender portal, ${portal}. `}Where the tenant is in another cloud, the operator names that with --cloud.`,
  );
}

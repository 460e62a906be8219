import type { App, Directory, EntraUser } from './directory.ts';
import type { SigningKey } from './keys.ts';

/** A request for a token, or the beginning of one. */
export interface TokenRequest {
  /** `authorize`, `devicecode`, `imds`, or the `grant_type` of a request at the token endpoint. */
  readonly grant: string;
  /** The tenant as the address names it. */
  readonly tenant: string;
  readonly clientId: string | undefined;
  /** Scopes as they were asked for, without those of OpenID Connect. */
  readonly scopes: readonly string[];
  readonly claims: string | undefined;
  /** In milliseconds. */
  readonly at: number;
  /** User principal name of the person that the token is for. */
  person?: string;
  /** The number of the refusal. */
  error?: number;
}

/** A sign-in that waits for somebody to enter a code at another device. */
export interface DeviceCode {
  readonly userCode: string;
  readonly deviceCode: string;
  readonly app: App;
  /** What became of it, which a test says: who signed in, or that nobody did. */
  answer?: EntraUser | 'declined' | 'expired';
}

/** A person's sign-in, of which a refresh token or an authorization code is the proof. */
export interface Session {
  readonly directory: Directory;
  readonly app: App;
  readonly person: EntraUser;
}

export interface AuthorizationCode extends Session {
  readonly redirectUri: string;
  readonly challenge: string | undefined;
  readonly nonce: string | undefined;
  /** What the sign-in asked for. */
  readonly scope: string;
  /** When the person signed in at that browser, in seconds. */
  readonly authTime: number;
}

/** What Entra knows. A test looks at everything in it and may change it at any time. */
export interface EntraState {
  readonly directories: Directory[];
  /** Roots of the APIs that tokens are issued for. A scope without an address belongs to the first. */
  readonly resources: string[];
  readonly tokenRequests: TokenRequest[];
  readonly deviceCodes: DeviceCode[];
  /** By refresh token; without them everybody has to sign in again. */
  readonly sessions: Map<string, Session>;
  readonly codes: Map<string, AuthorizationCode>;
  /** Who sits at the browser; without anybody a sign-in there is declined. */
  signsIn?: EntraUser | undefined;
  /** Whether the browser is shown a page on which somebody says who signs in. */
  showsSignInPage: boolean;
  /** Whether a delegated token carries every scope that has consent and not only those asked for: Entra may do either. */
  widens: boolean;
  /** Seconds that an access token is valid. */
  tokenLifetime: number;
  /** Seconds between two questions for a device code, where Entra says 5. */
  pollingInterval: number;
  /** Signs Entra's tokens. */
  key: SigningKey;
  /** Keys that signed before, and are published still. */
  readonly formerKeys: SigningKey[];
  /** Signs the tokens of workloads in a cluster outside, which Entra accepts by federation. */
  readonly cluster: SigningKey;
}

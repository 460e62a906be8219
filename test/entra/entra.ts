import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createPlainServer } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import type { JWTPayload } from 'jose';
import { type Certificate, issueCertificate } from './certificate.ts';
import type { App, Directory, EntraUser, FederatedCredential } from './directory.ts';
import { createImds } from './imds.ts';
import { createSigningKey } from './keys.ts';
import { listenOnLoopback } from './loopback.ts';
import { createEntraServer } from './server.ts';
import type { EntraState } from './state.ts';
import { type ApiGrant, createAccessClaims, createApiClaims, readSeconds } from './tokens.ts';

export { type Certificate, issueCertificate } from './certificate.ts';
export * from './directory.ts';
export type { DeviceCode, EntraState, TokenRequest } from './state.ts';

/** Microsoft Entra on loopback, for the real sign-in libraries. */
export interface Entra extends EntraState {
  /** `https://127.0.0.1:…`. */
  readonly authorityHost: string;
  /** The plain HTTP of a machine's own identity: AZURE_POD_IDENTITY_AUTHORITY_HOST. */
  readonly imdsHost: string;
  /** What its server shows, and that of the served Graph. */
  readonly certificate: Certificate;
  /** The certificate as a file: NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
  /** Options for a credential of `@azure/identity` in the same process. */
  readonly options: {
    readonly authorityHost: string;
    readonly disableInstanceDiscovery: true;
    readonly tlsOptions: { readonly ca: string };
  };
  /** Writes the token file of a workload in a cluster: AZURE_FEDERATED_TOKEN_FILE. */
  federatedTokenFile(of: FederatedCredential, lifetime?: number): Promise<string>;
  /** An access token that a person has for an app's own API, which the app can act on behalf of. */
  tokenForApi(directory: Directory, app: App, person: EntraUser): Promise<string>;
  /** An access token in version 2.0 for an app's own API, with other claims where they are given. */
  callApi(grant: Omit<ApiGrant, 'issuer' | 'lifetime'>, more?: JWTPayload): Promise<string>;
  /** Signs with another key from now on; the one before is still published. */
  rotateKey(): Promise<void>;
  close(): Promise<void>;
}

/** A server behind a proxy of the tests is answered under the names that Microsoft has. */
const serverHosts = ['localhost', '127.0.0.1', 'graph.microsoft.com', 'login.microsoftonline.com'];
/** It takes long to make. */
let serverCertificate: Certificate | undefined;

/** Starts Entra with these tenants. */
export async function startEntra(directories: Directory[]): Promise<Entra> {
  serverCertificate ??= issueCertificate('localhost', { hosts: serverHosts });
  const certificate = serverCertificate;
  const folder = await mkdtemp(join(tmpdir(), 'entra-'));
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, certificate.certificate);
  const [key, cluster] = await Promise.all([createSigningKey(), createSigningKey()]);
  const state: EntraState = {
    directories,
    resources: [],
    tokenRequests: [],
    deviceCodes: [],
    sessions: new Map(),
    codes: new Map(),
    showsSignInPage: false,
    widens: false,
    tokenLifetime: 3_600,
    pollingInterval: 0.1,
    key,
    formerKeys: [],
    cluster,
  };
  let authorityHost = '';
  const app = createEntraServer(state, () => authorityHost);
  const [front, machine] = await Promise.all([
    listenOnLoopback(
      createServer({ key: certificate.key, cert: certificate.certificate }, getRequestListener(app.fetch)),
    ),
    listenOnLoopback(createPlainServer(getRequestListener(createImds(state).fetch))),
  ]);
  authorityHost = `https://127.0.0.1:${front.port}`;
  return Object.assign(state, {
    authorityHost,
    imdsHost: `http://127.0.0.1:${machine.port}`,
    certificate,
    caFile,
    options: { authorityHost, disableInstanceDiscovery: true as const, tlsOptions: { ca: certificate.certificate } },
    async federatedTokenFile({ issuer, subject, audience }: FederatedCredential, lifetime = 3_600) {
      const [file, now] = [join(folder, `${randomUUID()}.jwt`), readSeconds()];
      const token = await cluster.sign({ iss: issuer, sub: subject, aud: audience, iat: now, exp: now + lifetime });
      await writeFile(file, token);
      return file;
    },
    tokenForApi: (directory: Directory, of: App, person: EntraUser) => {
      const delegated = { person, scopes: ['access_as_user'] };
      const grant = { directory, app: of, proof: '0', resource: `api://${of.id}`, lifetime: 3_600, delegated } as const;
      return state.key.sign(createAccessClaims(grant));
    },
    callApi(grant: Omit<ApiGrant, 'issuer' | 'lifetime'>, more: JWTPayload = {}) {
      const issuer = `${authorityHost}/${grant.directory.id}/v2.0`;
      return state.key.sign({ ...createApiClaims({ ...grant, issuer, lifetime: state.tokenLifetime }), ...more });
    },
    async rotateKey() {
      state.formerKeys.push(state.key);
      state.key = await createSigningKey();
    },
    async close() {
      await Promise.all([front.close(), machine.close(), rm(folder, { recursive: true, force: true })]);
    },
  });
}

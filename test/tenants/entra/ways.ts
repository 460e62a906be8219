import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, issueCertificate } from '../../entra/entra.ts';
import { createBrowserOnPath } from '../../harness/browser.ts';
import { sensorsRead } from '../world.ts';
import { createPfx, encryptPem } from './certificates.ts';
import { type ServerEnvironment, type SignInSetup, secret } from './signedIn.ts';
import { toolOnPath } from './tools.ts';

const password = 'right~password~0123456789';
const pem = issueCertificate('mdi-sensors-mcp');
const cluster = {
  issuer: 'https://oidc.example/contoso',
  subject: 'system:serviceaccount:security:mdi-sensors-mcp',
  audience: 'api://AzureADTokenExchange',
};

/** What the rows keep secret. */
export const secretsOfCases = [password, pem.key.split('\n')[3] ?? ''];

/** One way to sign in, with the failure that is met most often. */
export interface SignInCase {
  readonly type: string;
  readonly auth: string;
  /** Left out where `auto` does not take it. */
  readonly inAuto?: true;
  /** The variables, with which it fails, and what mends that. */
  prepare(one: App, world: SignInSetup): Promise<{ readonly env: ServerEnvironment; mend(): unknown }>;
  /** What a call says before. */
  readonly failure: string;
}

const folder = mkdtempSync(join(tmpdir(), 'certificates-'));

/** A certificate's file in which something is wrong, until what is right replaces it. */
async function certificate(name: string, one: App, wrong: string | Buffer, right: string | Buffer) {
  one.certificates.push(pem.certificate);
  const path = join(folder, name);
  writeFileSync(path, wrong);
  const env = { AZURE_CLIENT_CERTIFICATE_PATH: path, AZURE_CLIENT_CERTIFICATE_PASSWORD: password };
  return { env, mend: () => writeFileSync(path, right) };
}

/** A tool of the command line in which nobody is signed in at first. */
async function tool(name: Parameters<typeof toolOnPath>[0], one: App, world: SignInSetup) {
  const { PATH, signIn } = toolOnPath(name);
  // Who names an app means nobody else.
  return { env: { PATH, AZURE_CLIENT_ID: '' }, mend: async () => signIn(await world.tokenFor(one)) };
}

/** Why a way to sign in gave no token. */
export const formatSignInError = (title: string, reason: string, next: string, code = 'sign_in_failed') =>
  `${code}: Microsoft Entra gave no token for the sign-in by ${title}: ${reason}. ${next}`;
/** Why a tool of the command line has no token. */
const formatNobody = (tool: string, command: string) =>
  `sign_in_failed: ${tool} gave no token: nobody is signed in to it. Run \`${command}\` as the user who runs this server.`;
const noIdentity = `sign_in_failed: The managed identity endpoint of this machine gave no token: "Identity not found".`;
const assign =
  'Give this machine a managed identity; where it has an assigned one, set AZURE_CLIENT_ID to the client id of that.';
const wrongPassword =
  'sign_in_failed: The file of AZURE_CLIENT_CERTIFICATE_PATH is not a PEM or PFX file, or has another password. Set AZURE_CLIENT_CERTIFICATE_PASSWORD to the password of the file.';

const notConsented = `AADSTS65001: "The user or administrator has not consented to use the application with ID 'ID' named 'Sensors of Contoso'"`;
const consent =
  'Let an administrator grant the app registration the Microsoft Graph permissions that mdi-sensors-mcp setup lists, and give admin consent at the address that it prints.';

export const signInCases: readonly SignInCase[] = [
  {
    type: 'client secret',
    auth: 'secret',
    inAuto: true,
    async prepare(one) {
      one.secrets.splice(0);
      return { env: { AZURE_CLIENT_SECRET: secret }, mend: () => one.secrets.push({ value: secret }) };
    },
    failure: formatSignInError(
      'client secret',
      'AADSTS7000215: "Invalid client secret provided"',
      "Set the client secret to the secret's value, not to its id.",
    ),
  },
  {
    type: 'certificate, PEM',
    auth: 'certificate',
    inAuto: true,
    async prepare(one) {
      const { env } = await certificate('plain.pem', one, pem.key + pem.certificate, '');
      one.certificates.splice(0);
      return { env, mend: () => one.certificates.push(pem.certificate) };
    },
    failure: formatSignInError(
      'certificate',
      'AADSTS700027: "The certificate with identifier used to sign the client assertion is not registered on application"',
      'Upload the certificate to the app registration, or use the one that is there.',
    ),
  },
  {
    type: 'certificate, encrypted PEM',
    auth: 'certificate',
    prepare: (one) => certificate('locked.pem', one, encryptPem(pem, 'another'), encryptPem(pem, password)),
    failure: wrongPassword,
  },
  {
    type: 'certificate, PFX with a password and a chain',
    auth: 'certificate',
    inAuto: true,
    prepare: (one) => certificate('chain.pfx', one, createPfx(pem, 'another'), createPfx(pem, password)),
    failure: wrongPassword,
  },
  {
    type: 'certificate without its private key',
    auth: 'certificate',
    prepare: (one) => certificate('half.pem', one, pem.certificate, pem.certificate + pem.key),
    failure:
      'sign_in_failed: The file of AZURE_CLIENT_CERTIFICATE_PATH does not hold both a certificate and its private key. Export both into the one file.',
  },
  {
    type: 'workload identity',
    auth: 'workload-identity',
    inAuto: true,
    async prepare({ federated }, { entra }) {
      const AZURE_FEDERATED_TOKEN_FILE = await entra.federatedTokenFile(cluster);
      return { env: { AZURE_FEDERATED_TOKEN_FILE }, mend: () => federated.push(cluster) };
    },
    failure: formatSignInError(
      'workload identity',
      'AADSTS70021: "No matching federated identity record found for presented assertion"',
      'Correct the federated credential of the app registration: issuer, subject and audience have to be those of the token file.',
    ),
  },
  {
    type: "managed identity, the machine's own",
    auth: 'managed-identity',
    inAuto: true,
    async prepare(one) {
      return { env: { AZURE_CLIENT_ID: '' }, mend: () => Object.assign(one, { managed: 'system' }) };
    },
    failure: `${noIdentity} ${assign}`,
  },
  {
    type: 'managed identity, assigned',
    auth: 'managed-identity',
    inAuto: true,
    async prepare(one) {
      return { env: {}, mend: () => Object.assign(one, { managed: 'user' }) };
    },
    failure: `${noIdentity} ${assign}`,
  },
  {
    type: 'Azure CLI',
    auth: 'azure-cli',
    inAuto: true,
    prepare: (one, world) => tool('az', one, world),
    failure: formatNobody('Azure CLI', 'az login'),
  },
  {
    type: 'Azure PowerShell',
    auth: 'azure-powershell',
    inAuto: true,
    prepare: (one, world) => tool('pwsh', one, world),
    failure: formatNobody('Azure PowerShell', 'Connect-AzAccount'),
  },
  {
    type: 'Azure Developer CLI',
    auth: 'azd',
    inAuto: true,
    prepare: (one, world) => tool('azd', one, world),
    failure: formatNobody('Azure Developer CLI', 'azd auth login'),
  },
  {
    type: 'browser',
    auth: 'browser',
    async prepare(one, { entra, alice }) {
      entra.signsIn = alice;
      const env = await createBrowserOnPath(entra.caFile);
      return { env, mend: () => one.consents.push({ scopes: [sensorsRead] }) };
    },
    failure: formatSignInError('browser', notConsented, consent, 'permission_missing'),
  },
];

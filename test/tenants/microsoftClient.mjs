// Microsoft's own client with Microsoft's own sign-in, in a process that trusts the certificate by NODE_EXTRA_CA_CERTS.
// Carries out the calls that it is handed, one after the other, and prints what each came to.
import { ClientSecretCredential } from '@azure/identity';
import { Client, PageIterator } from '@microsoft/microsoft-graph-client';
import { TokenCredentialAuthenticationProvider } from '@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js';

const { graphRoot, authorityHost, tenantId, clientId, secret, calls } = JSON.parse(process.env.MDI_TEST);
const credential = new ClientSecretCredential(tenantId, clientId, secret, {
  authorityHost,
  disableInstanceDiscovery: true,
});
const client = Client.initWithMiddleware({
  authProvider: new TokenCredentialAuthenticationProvider(credential, { scopes: [`${graphRoot}/.default`] }),
  baseUrl: graphRoot,
  customHosts: new Set([new URL(graphRoot).hostname]),
});

async function every(path) {
  const items = [];
  const first = await client.api(path).get();
  await new PageIterator(client, first, (item) => items.push(item)).iterate();
  return items;
}

const results = [];
for (const [method, path, body] of calls) {
  try {
    const result = method === 'every' ? await every(path) : await client.api(path)[method](body);
    results.push({ result });
  } catch ({ statusCode, code, message }) {
    results.push({ statusCode, code, message });
  }
}
process.stdout.write(JSON.stringify(results));

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDirectory } from '../../entra/entra.ts';
import { approve, type FormAnswer } from '../../harness/clients.ts';
import { everyRead, everyWrite, normalizeOutput, type SignInSetup, secret, startSignInSetup } from './signedIn.ts';
import { toolOnPath } from './tools.ts';

let world: SignInSetup;
beforeAll(async () => {
  world = await startSignInSetup();
});
beforeEach(() => {
  world.tenant.requests.splice(0);
});
afterAll(() => world.close());

const wrong: FormAnswer = { action: 'accept', content: { typed: 'not this' } };
const everything = [...everyRead, ...everyWrite];

/** What a question says has changed since the approval. */
const changesIn = (message = '') =>
  message.split('\n').flatMap((line) => (line.startsWith('- ') ? [normalizeOutput(line, world)] : []));

describe('where Azure CLI answers as somebody else after the question', () => {
  /** A server that asks Azure CLI for each token, since none is valid long enough to be kept. */
  async function withCli(approved: (cli: ReturnType<typeof toolOnPath>) => void) {
    world.entra.tokenLifetime = 240;
    const cli = toolOnPath('az');
    let forms: string[] = [];
    const client = await world.connect(
      { MDI_MCP_AUTH: 'azure-cli', PATH: cli.PATH },
      {
        person(form) {
          forms.push(form.message);
          if (forms.length > 1) return wrong;
          approved(cli);
          return approve(form);
        },
      },
    );
    return {
      close: client.close,
      async remove(token: string) {
        forms = [];
        cli.signIn(token);
        const before = world.gated();
        const { text } = await client.call('delete_sensor', { id: world.someSensor() });
        return { text: normalizeOutput(text, world), changes: changesIn(forms[1]), sent: world.gated() - before };
      },
    };
  }

  test('nothing is sent as another person, whichever of its answers is the first', { timeout: 60_000 }, async () => {
    world.entra.tokenLifetime = 240;
    const app = world.registerApp({ name: 'Azure CLI' });
    const [bob, carol] = ['bob@contoso.com', 'carol@contoso.com'].map(world.addUser);
    if (bob === undefined || carol === undefined) throw new Error('nobody is there');
    const [first, second] = await Promise.all(
      [bob, carol].map((person) => world.tokenFor(app, { person, scopes: everything })),
    );
    let later = 0;
    const server = await withCli((cli) => cli.signIn(second ?? '', later));
    const asked = {
      text: 'mistyped: What was answered is not what was asked for. Nothing was changed. Call the tool again without the old answer; the person is asked anew.',
      changes: ['- acting identity: approved for "person ID, app ID", now "person ID, app ID"'],
      sent: 0,
    };
    const refused = {
      text: 'target_changed: The signed-in identity changed after the approval, so the request was not sent. Nothing was changed. Call again: the question then names who acts now.',
      changes: [],
      sent: 0,
    };
    // First it is seen who acts, then come the token that writes, the two reads of the second plan, the request itself, and a look at what came of it.
    for (const expected of [
      asked,
      refused,
      asked,
      asked,
      refused,
      { text: expect.stringMatching(/^\{/), changes: [], sent: 1 },
    ]) {
      expect([later, await server.remove(first ?? '')]).toEqual([later, expected]);
      later += 1;
    }
    await server.close();
  });

  test('nothing is sent to another tenant, even where the same sensor is there', async () => {
    world.entra.tokenLifetime = 240;
    const app = world.registerApp({ name: 'Azure CLI' });
    const fabrikam = createDirectory('fabrikam.onmicrosoft.com', 'fab21ca0-0000-4000-8000-000000000000');
    const [here, there] = [await world.tokenFor(app), await world.tokenFor(app, undefined, fabrikam)];
    const server = await withCli((cli) => {
      cli.signIn(there);
      world.tenant.identity.tenantId = fabrikam.id;
    });
    expect(await server.remove(here)).toMatchObject({
      text: expect.stringMatching(/^mistyped: /),
      changes: ['- tenant: approved for "TENANT", now "ID"'],
      sent: 0,
    });
    world.tenant.identity.tenantId = world.home.id;
    await server.close();
  });
});

describe('the tenant is called', () => {
  test.each([
    ['what the operator says', { MDI_MCP_TENANT_LABEL: 'Contoso East' }, [], 'Contoso East', 'key 8c157435'],
    ['what Graph says, where the token lets that be read', {}, ['Organization.Read.All'], 'Contoso', 'key Contoso'],
    [
      'both, where they differ',
      { MDI_MCP_TENANT_LABEL: 'Contoso East' },
      ['Organization.Read.All'],
      'Contoso East',
      'key 8c157435',
      '"Contoso East", Microsoft Graph: "Contoso"',
    ],
    ['by its id, where nothing says more', {}, [], 'TENANT', 'key TENANT'],
    [
      'in letters that cannot be mistaken',
      { MDI_MCP_TENANT_LABEL: 'Соntoso' },
      [],
      'Соntoso',
      'key 8c157435',
      '"Соntoso" ("\\u{421}\\u{43e}ntoso")',
    ],
    ['in a safe spelling', { MDI_MCP_TENANT_LABEL: 'Contoso \u202e' }, [], 'Contoso \\u{202e}', 'key 8c157435'],
  ])(
    '%s, in questions, in what a person types, and in results',
    async (_, env, more, label, typed, shown = `"${label}"`) => {
      const one = world.registerApp({ roles: [...everything, ...more] });
      const messages: string[] = [];
      const client = await world.connect(
        { AZURE_CLIENT_ID: one.id, AZURE_CLIENT_SECRET: secret, ...env },
        {
          person(form) {
            messages.push(normalizeOutput(form.message, world));
            return approve(form);
          },
        },
      );
      const { structured } = await client.call('get_deployment_access_key');
      const lines = messages[0]?.split('\n') ?? [];
      expect([lines[0], lines.at(-1), normalizeOutput(String(structured?.tenant), world)]).toEqual([
        `TENANT ${shown} (TENANT)`,
        `To approve, type: ${typed}`,
        label === 'TENANT' ? label : `${label} (TENANT)`,
      ]);
      await client.close();
    },
  );
});

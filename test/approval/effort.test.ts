import { expect, test, vi } from 'vitest';
import { type AskedForm, connect, readTyped, type TestClient } from '../harness/clients.ts';
import { passUntil } from '../harness/clock.ts';
import { askSocket, openOfferedPage, readAddress } from '../harness/outside.ts';
import { startServer, type TestServer } from '../harness/server.ts';
import { tell } from '../harness/tables.ts';
import { type GatedTool, tools } from '../harness/tools.ts';

/** What a person does for one approved call; a shortcut or a pasted text counts as its keys. */
interface Effort {
  readonly windows: number;
  readonly calls: number;
  readonly keys: number;
}

type Setup = Parameters<typeof startServer>[0];

async function approveOn(setup: Setup, use: (server: TestServer) => Promise<Effort>): Promise<Effort> {
  const server = await startServer(setup);
  const effort = await use(server);
  await server.end();
  return effort;
}

const call = async (client: TestClient, tool: GatedTool) => client.call(tool, tools[tool].args);

/** Enter ends the text. */
const approveInForm = (tool: GatedTool) =>
  approveOn({ flags: { approval: 'form' } }, async (server) => {
    const forms: AskedForm[] = [];
    const client = await connect('v2 modern', server, (form) => {
      forms.push(form);
      return { action: 'accept', content: { typed: readTyped(form) } };
    });
    expect((await call(client, tool)).isError).toBeUndefined();
    await client.close();
    expect(forms).toHaveLength(1);
    return { windows: 0, calls: 1, keys: forms.map(readTyped).join('').length + 1 };
  });

/** Tab to the field, the text, Tab past Decline, Tab to Approve, Enter. */
function approveOnPage(tool: GatedTool) {
  const files: string[] = [];
  const setup = {
    flags: { approval: 'page' },
    patience: 25_000,
    openBrowser: async (file: string) => void files.push(file),
  };
  return approveOn(setup, async (server) => {
    const client = await connect('v2 modern', server);
    const waiting = call(client, tool);
    await vi.waitFor(() => expect(files).toHaveLength(1));
    const page = await openOfferedPage(readAddress(files[0]), server.pass);
    const typed = /To approve, type: <code>(.*?)<\/code>/.exec(page.body)?.[1]?.replace(/<[^>]+>/g, '') ?? '';
    await page.post({ decision: 'approve', typed });
    expect((await waiting).isError).toBeUndefined();
    await client.close();
    return { windows: files.length, calls: 1, keys: typed.length + 4 };
  });
}

/** The first call says what to run in a terminal; Enter ends the text there. */
const approveAtTerminal = (tool: GatedTool) =>
  approveOn({ flags: { approval: 'terminal' }, patience: 25_000 }, async (server) => {
    const client = await connect('v2 modern', server);
    const first = await passUntil(call(client, tool), () => server.pass(2_000));
    expect(first.text).toMatch(/^approval_pending: /);
    const again = call(client, tool);
    const { typed } = tools[tool];
    const [{ nonce } = { nonce: '' }] = await askSocket(server.home, { do: 'list' });
    await askSocket(server.home, { do: 'approve', nonce, typed });
    expect((await again).isError).toBeUndefined();
    await client.close();
    return { windows: 1, calls: 2, keys: typed.length + 1 };
  });

const headings = ['what a person does: windows, calls, keys', 'text', 'form', 'page', 'terminal'];
const format = ({ windows, calls, keys }: Effort) => `${windows}, ${calls}, ${keys}`;

const acts: Readonly<Partial<Record<GatedTool, readonly [form: string, page: string, terminal: string]>>> = {
  delete_sensor: ['0, 1, 17', '1, 1, 20', '1, 2, 17'],
  delete_stale_sensors: ['0, 1, 17', '1, 1, 20', '1, 2, 17'],
  activate_sensor_candidates: ['0, 1, 11', '1, 1, 14', '1, 2, 11'],
  migrate_sensors: ['0, 1, 18', '1, 1, 21', '1, 2, 18'],
  get_deployment_access_key: ['0, 1, 12', '1, 1, 15', '1, 2, 12'],
  regenerate_deployment_access_key: ['0, 1, 15', '1, 1, 18', '1, 2, 15'],
  update_activation_configuration: ['0, 1, 18', '1, 1, 21', '1, 2, 18'],
  update_auto_auditing_configuration: ['0, 1, 21', '1, 1, 24', '1, 2, 21'],
};

for (const tool of Object.keys(acts) as GatedTool[]) {
  test(`what a person does to approve ${tool} in a form, on the page and at the terminal`, async (context) => {
    const efforts = [await approveInForm(tool), await approveOnPage(tool), await approveAtTerminal(tool)].map(format);
    tell(context, headings, [tool, tools[tool].typed, ...efforts]);
    expect(efforts).toEqual(acts[tool]);
  });
}

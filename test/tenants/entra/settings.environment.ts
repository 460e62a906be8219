import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { environment } from '../../harness/clients.ts';
import { secret } from '../world.ts';
import { closed } from './signedIn.ts';

const id = '6f8e8268-647e-4e82-85fa-b218e59f4840';
test.each([
  [
    { MDI_MCP_WRITER_CLIENT_ID: id },
    'MDI_MCP_WRITER_CLIENT_ID needs MDI_MCP_WRITER_CLIENT_SECRET, MDI_MCP_WRITER_CLIENT_CERTIFICATE_PATH or MDI_MCP_WRITER_FEDERATED_TOKEN_FILE.',
  ],
  [{ MDI_MCP_WRITER_CLIENT_SECRET: secret }, 'The variables of a writer need MDI_MCP_WRITER_CLIENT_ID.'],
  [
    { MDI_MCP_WRITER_CLIENT_ID: id, MDI_MCP_WRITER_CLIENT_SECRET: secret, MDI_MCP_AUTH: 'browser' },
    'MDI_MCP_WRITER_CLIENT_ID is for apps, and --auth names a person.',
  ],
  [
    { MDI_MCP_AUTH: 'password' },
    'MDI_MCP_AUTH is auto, secret, certificate, workload-identity, managed-identity, azure-cli, azure-powershell, azd, browser or device-code.',
  ],
])('%j ends the start with one sentence, and the doctor says it and goes on', async (env, sentence) => {
  const run = (args: readonly string[]) =>
    new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      const inside = { env: { ...environment, HTTPS_PROXY: closed, ...env } };
      const child = execFile(process.execPath, ['dist/main.js', ...args], inside, (_, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      );
    });
  expect(await run([])).toEqual({ code: 2, stdout: '', stderr: `mdi-sensors-mcp: ${sentence} See --help.\n` });
  const { code, stdout, stderr } = await run(['doctor', '--json']);
  const { findings } = JSON.parse(stdout) as { findings: { about: string; is: string; text: string }[] };
  expect([code, stderr, findings.at(-1)?.about]).toEqual([2, '', 'This machine']);
  expect(findings).toContainEqual(expect.objectContaining({ is: 'fatal', text: sentence }));
});

import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { environment } from '../../harness/clients.ts';
import { secret } from '../world.ts';

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
])('%j ends the start with one sentence', async (env, sentence) => {
  for (const args of [[], ['doctor', '--json']]) {
    const ended = await new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        ['dist/main.js', ...args],
        { env: { ...environment, ...env } },
        (_, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
      );
    });
    expect(ended).toEqual({ code: 2, stdout: '', stderr: `mdi-sensors-mcp: ${sentence} See --help.\n` });
  }
});

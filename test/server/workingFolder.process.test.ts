import { tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { approve, connect } from '../harness/clients.ts';
import { prepareServerProcess, type TestServer } from '../harness/server.ts';

type Folders = Pick<TestServer, 'home' | 'secretsDir'>;

describe('a host that starts the server in', () => {
  test.each([
    ['the root', () => '/', 'in a file on this machine'],
    ['the home folder', ({ home }: Folders) => home, 'in a file on this machine'],
    [
      'a project with the secrets folder in it',
      ({ secretsDir }: Folders) => dirname(secretsDir),
      'secret_not_kept: The secrets folder is inside the working folder, where agents read files.',
    ],
  ])('%s', async (where, folderOf, expected) => {
    const server = await prepareServerProcess();
    const HOME = where === 'the home folder' ? server.home : tmpdir();
    const script = `cd "$1" && exec "${server.command}" "$2"`;
    const args = ['-c', script, 'sh', folderOf(server), resolve(server.args[0] ?? '')];
    const client = await connect('v2 modern', { command: 'sh', args, env: { ...server.env, HOME } }, approve);
    expect((await client.call('get_deployment_access_key')).text).toContain(expected);
    await client.close();
    await server.end();
  });
});

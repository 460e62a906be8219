import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { approve, connect, type Person } from '../harness/clients.ts';
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
    [
      'a project with the home folder in it',
      ({ secretsDir }: Folders) => dirname(secretsDir),
      'secret_not_kept: The secrets folder is inside the working folder, where agents read files.',
    ],
  ])('%s', async (where, folderOf, expected) => {
    const server = await prepareServerProcess();
    const inside = join(server.home, 'home');
    await mkdir(inside);
    const HOME = { 'the home folder': server.home, 'a project with the home folder in it': inside }[where] ?? tmpdir();
    const script = `cd "$1" && exec "${server.command}" "$2"`;
    const args = ['-c', script, 'sh', folderOf(server), resolve(server.args[0] ?? '')];
    const asked: string[] = [];
    const person: Person = (form) => {
      asked.push(form.message);
      return approve(form);
    };
    const client = await connect('v2 modern', { command: 'sh', args, env: { ...server.env, HOME } }, person);
    expect((await client.call('get_deployment_access_key')).text).toContain(expected);
    // A person is not asked for what then fails.
    expect(asked).toHaveLength(expected.startsWith('secret_not_kept') ? 0 : 1);
    await client.close();
    await server.end();
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { findFreePort } from '../entra/loopback.ts';
import { connect } from '../harness/clients.ts';
import { toolNames } from '../harness/tools.ts';

const image = readFileSync('Dockerfile', 'utf8');
const base = mkdtempSync(join(tmpdir(), 'image-'));
const audit = join(base, 'audit');
mkdirSync(audit, { mode: 0o700 });

/** What the image holds and what it may write, as Debian's bubblewrap shows it to a process: another user, a root that cannot be written, no shell. */
function run(command: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const node = dirname(process.execPath);
  const libraries = ['/lib', '/lib64', '/usr/lib'].flatMap((path) => ['--ro-bind-try', path, path]);
  const variables = Object.entries({ ...environment, NODE_ENV: 'production', MDI_MCP_AUDIT_LOG: '/audit' });
  const args = [
    ...['--unshare-user', '--unshare-pid', '--uid', '65532', '--gid', '65532', '--die-with-parent', '--clearenv'],
    ...['--ro-bind', node, '/nodejs/bin', ...libraries, '--ro-bind', 'dist', '/app', '--bind', audit, '/audit'],
    ...['--proc', '/proc', '--dev', '/dev', '--remount-ro', '/'],
    ...variables.flatMap(([name, value]) => ['--setenv', name, value]),
    ...['/nodejs/bin/node', ...command],
  ];
  return spawn('bwrap', args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

test('the Dockerfile says what is tried here: that user, that folder, and nothing but Node and dist', () => {
  expect(image).toContain('\nUSER 65532:65532\n');
  expect(image).toContain('MDI_MCP_AUDIT_LOG=/audit');
  expect(image.match(/^COPY --from=build .*$/gm)).toEqual(['COPY --from=build /src/dist /app']);
  expect(image).toContain('\nENTRYPOINT ["/nodejs/bin/node", "/app/main.js", "http", ');
});

test('as that user nothing can be written but the audit log', async () => {
  const script = `
    const { writeFileSync } = require('node:fs');
    const can = (file) => { try { writeFileSync(file, ''); return true; } catch (error) { return error.code; } };
    console.log(JSON.stringify([process.getuid(), can('/app/x'), can('/x'), can('/tmp/x'), can('/audit/probe')]));`;
  const child = run(['-e', script]);
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  await once(child, 'close');
  expect(JSON.parse(text)).toEqual([65532, 'EROFS', 'EROFS', 'ENOENT', true]);
});

test('there the server begins its audit log, and serves every tool that is offered over HTTP', async () => {
  const port = await findFreePort();
  const child = run(['/app/main.js', 'http', '--port', `${port}`], { MDI_MCP_SIMULATE: 'true' });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = once(child, 'close');
  while (!stderr.includes('bearer token: ') && child.exitCode === null)
    await Promise.race([once(child.stderr, 'data'), ended]);
  const token = /bearer token: (\S+)/.exec(stderr)?.[1] ?? '';
  const url = `http://127.0.0.1:${port}/mcp`;
  const client = await connect('v2 modern', { url, token, fetch, stderr: () => '' });
  const exported = 'export_fleet';
  expect((await client.tools()).map(({ name }) => name)).toEqual(toolNames.filter((name) => name !== exported));
  expect((await client.call('summarize_fleet')).structured?.tenant).toMatch(/^SIMULATED Contoso /);
  await client.close();
  child.kill();
  await ended;
  expect(readdirSync(audit).some((name) => name.startsWith('audit-'))).toBe(true);
});

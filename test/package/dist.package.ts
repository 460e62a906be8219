import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import about from '../../package.json' with { type: 'json' };
import { connect } from '../harness/clients.ts';

/** dist/ and nothing else, far from any node_modules. */
function alone(...args: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'dist-'));
  cpSync('dist', folder, { recursive: true });
  return execFileSync(process.execPath, [join(folder, 'main.js'), ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: process.env.HOME, CI: '1' },
    input: '',
  });
}

/** The same result however often it is asked for. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** What a file of the bundle names in an import, or in a call that could load something. */
function listLoads(text: string): string[] {
  const statements = text.matchAll(/(?:^|[;}])(?:import|export)\b[^"'`;()]*?(?:\bfrom)?"([^"\n]+)"/gm);
  const calls = text.matchAll(/(?<![\w$."'`])(?:import|require|__require|\w*createRequire)\(("?)([^")]*)\1\)/g);
  return [...[...statements].map(([, name = '']) => name), ...[...calls].map(([, , name = '']) => name)];
}

test('the bundle loads nothing but itself and what Node brings along', () => {
  const files = readdirSync('dist').filter((name) => name.endsWith('.js'));
  const loads = files.flatMap((file) =>
    listLoads(readFileSync(join('dist', file), 'utf8')).map((name) => ({ file: file.replace(/-\w+\.js$/, ''), name })),
  );
  expect(loads.length).toBeGreaterThan(200);
  const isInside = (name: string) =>
    isBuiltin(name) || (/^\.\/[\w-]+\.js$/.test(name) && files.includes(name.slice(2)));
  const outside = loads.filter(({ name }) => !isInside(name));
  // The first is asked of Node alone and refused; the others are text of a generator of code that is never run from a file.
  expect([...new Set(outside.map(({ name }) => name))].filter((name) => !/^ajv(-formats)?\/dist\//.test(name))).toEqual(
    ['supports-color'],
  );
});

/** The demo of a copy of dist/ that has packages beside it that note when they are run. */
const runDemo = once(() => {
  const folder = mkdtempSync(join(tmpdir(), 'beside-'));
  const mark = join(folder, 'ran');
  for (const name of ['supports-color', 'ajv', '@azure/identity-cache-persistence', 'bufferutil', 'pino-pretty']) {
    const beside = join(folder, 'node_modules', name);
    mkdirSync(beside, { recursive: true });
    writeFileSync(join(beside, 'index.js'), `require('node:fs').writeFileSync(${JSON.stringify(mark)}, '${name}');`);
  }
  cpSync('dist', join(folder, 'server'), { recursive: true });
  const shown = execFileSync(process.execPath, [join(folder, 'server', 'main.js'), 'demo'], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: folder, CI: '1', NODE_PATH: join(folder, 'node_modules') },
    input: '',
  });
  return { shown, ran: existsSync(mark) ? readFileSync(mark, 'utf8') : 'none' };
});

test('packages beside the bundle are not run', () => {
  expect(runDemo()).toMatchObject({ shown: expect.stringContaining('done'), ran: 'none' });
}, 60_000);

test('dist runs with nothing installed', () => {
  expect(alone('--version')).toBe(`${about.version}\n`);
});

test('the log reaches stderr from the bundle too', async () => {
  const args = ['dist/main.js', '--simulate', '--log-level', 'debug'];
  const client = await connect('v2 legacy', { command: process.execPath, args });
  await client.call('list_sensors');
  await vi.waitFor(() => expect(client.stderr()).toMatch(/"level":\d0,.*"msg":/));
  await client.close();
});

test('the demo ends well without a terminal: it is asked, answers wrongly, sees that nothing is gone, answers rightly', () => {
  const { shown } = runDemo();
  const [wrong, still, gone] = ['> DC70.contoso.com', 'nothing was deleted', 'not_found'].map((text) =>
    shown.indexOf(text),
  );
  expect([wrong, still, gone]).toEqual([wrong, still, gone].toSorted((a = 0, b = 0) => a - b));
  expect(wrong).toBeGreaterThan(0);
  expect(shown.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(shown).not.toContain('\u001b');
  expect(shown).toMatch(
    /activate_sensor_candidates +activate 2 +done\ndelete_sensor +DC70\.contoso\.com, then DC07\.contoso\.com +done\n$/,
  );
}, 60_000);

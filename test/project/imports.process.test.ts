import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { bundle, loadedWith } from './bundle.ts';

/** From the inside out: a room knows those before it. `tenants` knows `graph`, and only `commands` knows `tenants`; `main` opens them. */
const rooms = ['root', 'secrets', 'entra', 'graph', 'operations', 'audit', 'approval', 'server', 'commands', 'main'];
const root = ['clock', 'command', 'concurrency', 'config', 'errors', 'files', 'json', 'log', 'text', 'tracing'];

function roomOf(file: string): string {
  const [, first = '', rest] = file.match(/^src\/([^/.]+)(\/.+|\.ts)$/) ?? [];
  return rest === '.ts' && root.includes(first) ? 'root' : first;
}

function mayImport(from: string, to: string): boolean {
  const [inner, outer] = [roomOf(to), roomOf(from)];
  if (outer === inner) return true;
  if (outer === 'tenants') return inner === 'root' || (inner === 'graph' && mayKnow(from, to));
  if (inner === 'tenants') return outer === 'commands' || (outer === 'main' && to === 'src/tenants/open.ts');
  return rooms.indexOf(inner) < rooms.indexOf(outer);
}

/** The endpoints are what the simulated tenant answers; a real one answers whatever comes. */
const mayKnow = (from: string, to: string) =>
  !to.startsWith('src/graph/endpoints/') || from.startsWith('src/tenants/simulated/');

/** Who may use which package. */
const packages: [name: RegExp, users: RegExp][] = [
  [/^@azure\/identity(\/|$)/, /^src\/tenants\/entra\//],
  [/^@modelcontextprotocol\//, /^src\/(server|commands|approval)\//],
  [/^jose$/, /^src\/(entra|approval|tenants\/entra)\//],
  [/^@azure\/core-rest-pipeline(\/|$)/, /^src\/(graph\/(client\/|tenant\.ts)|tenants\/)/],
];

/** Every import of the sources, those of types too, which are in no bundle. */
const edges = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('src', name))
  .flatMap((from) =>
    [...readFileSync(from, 'utf8').matchAll(/(?:\bfrom |\bimport\(|\bimport )'([^']+)'/g)].map(([, name = '']) => ({
      from,
      to: name.startsWith('.') ? join(dirname(from), name) : name,
    })),
  );

test('every source file stands in a room', () => {
  const files = Object.keys(bundle.inputs).filter((file) => file.startsWith('src/'));
  expect(files.filter((file) => ![...rooms, 'tenants'].includes(roomOf(file)))).toEqual([]);
});

test('imports between rooms run one way, types included', () => {
  const inner = edges.filter(({ to }) => to.startsWith('src/'));
  expect(inner.length).toBeGreaterThan(200);
  expect(inner.filter(({ from, to }) => !mayImport(from, to)).map(({ from, to }) => `${from} imports ${to}`)).toEqual(
    [],
  );
});

test('nothing of the tests is in the bundle', () => {
  expect(Object.keys(bundle.inputs).filter((file) => !/^(src|node_modules)\/|^package\.json$/.test(file))).toEqual([]);
});

test('identity, protocol and pipeline packages are used only where they belong', () => {
  const wrong = edges.flatMap(({ from, to }) =>
    packages.filter(([name, users]) => name.test(to) && !users.test(from)).map(() => `${from} uses ${to}`),
  );
  expect(wrong).toEqual([]);
});

test.each(['src/main.ts', 'src/commands/runServer.ts'])('%s starts without what only some calls need', (source) => {
  const late =
    /node_modules\/(@azure\/(identity|msal-node|core-rest-pipeline)|jose|hono|@hono\/node-server|@modelcontextprotocol\/hono|pino|pino-pretty|csv-stringify|@modelcontextprotocol\/client)\/|src\/(tenants\/(simulated|entra)\/|graph\/client\/client\.ts|approval\/channels\/(page|terminal|signin|guard|loopback)\.ts|commands\/(demo|doctor|setup)\/|commands\/(approve|audit|export|http|secrets)\.ts|server\/(http|authentication)\.ts|entra\/)/;
  expect(loadedWith(source).filter((input) => late.test(input))).toEqual([]);
});

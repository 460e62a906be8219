import { expect, test } from 'vitest';
import { bundle, loadedWith } from './bundle.ts';

/** From the inside out: a room knows the rooms before it. */
const rooms = ['leaf', 'graph', 'operations', 'audit', 'approval', 'server', 'commands', 'main'];
const leaves = ['config', 'display', 'folder', 'json', 'log', 'refusal', 'secret', 'secretFile'];
const serverFiles = ['server', 'write', 'results', 'process'];

function roomOf(file: string): string {
  const [, first = '', rest] = file.match(/^src\/([^/.]+)(\/.+|\.ts)$/) ?? [];
  if (rest !== '.ts') return first;
  if (leaves.includes(first)) return 'leaf';
  return serverFiles.includes(first) ? 'server' : first;
}

function mayImport(from: string, to: string): boolean {
  const [inner, outer] = [roomOf(to), roomOf(from)];
  if (outer === inner) return true;
  if (outer === 'tenants') return inner === 'leaf' || (inner === 'graph' && mayKnow(from, to));
  if (inner === 'tenants') return outer === 'commands';
  return rooms.indexOf(inner) < rooms.indexOf(outer);
}

/** The list of endpoints is what the simulated tenant answers; a real one answers whatever comes. */
const mayKnow = (from: string, to: string) =>
  to !== 'src/graph/endpoints.ts' || from.startsWith('src/tenants/simulated/');

/** Who may use which package. */
const packages: [name: RegExp, users: RegExp][] = [
  [/^@azure\/identity(\/|$)/, /^src\/tenants\/entra\//],
  [/^@modelcontextprotocol\//, /^src\/(server\.ts|approval\/form\.ts|commands\/)/],
  [/^@azure\/core-rest-pipeline(\/|$)/, /^src\/(graph\/(client|reach|retry)\.ts|tenants\/)/],
];

const sources = Object.entries(bundle.inputs).filter(([file]) => file.startsWith('src/'));
const edges = sources.flatMap(([from, { imports }]) => imports.map((edge) => ({ from, ...edge })));

test('every source file stands in a room', () => {
  const homeless = sources.map(([file]) => file).filter((file) => ![...rooms, 'tenants'].includes(roomOf(file)));
  expect(homeless).toEqual([]);
});

test('imports between rooms run one way: graph <- operations <- audit <- approval <- server <- commands <- main', () => {
  const inner = edges.filter(({ path }) => path.startsWith('src/'));
  expect(inner.length).toBeGreaterThan(20);
  const wrong = inner.filter(({ from, path }) => !mayImport(from, path));
  expect(wrong.map(({ from, path }) => `${from} imports ${path}`)).toEqual([]);
});

test('nothing of the tests is in the bundle', () => {
  expect(Object.keys(bundle.inputs).filter((file) => !/^(src|node_modules)\/|^package\.json$/.test(file))).toEqual([]);
});

test('identity, protocol and pipeline packages are used only where they belong', () => {
  const wrong = edges.flatMap(({ from, path, original = path }) =>
    packages.filter(([name, users]) => name.test(original) && !users.test(from)).map(() => `${from} uses ${original}`),
  );
  expect(wrong).toEqual([]);
});

test.each(['src/main.ts', 'src/commands/serve.ts'])('%s starts without what only some calls need', (source) => {
  const late =
    /node_modules\/(@azure\/(identity|msal-node|core-rest-pipeline)|pino|pino-pretty|@modelcontextprotocol\/client)\/|src\/(tenants\/simulated\/|graph\/client\.ts|approval\/(page|terminal)\.ts|commands\/(demo|approve|audit|doctor|secrets|setup|setupCommands)\.ts)/;
  expect(loadedWith(source).filter((input) => late.test(input))).toEqual([]);
});

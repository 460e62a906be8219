// Bundles src/main.ts into dist/, which runs without anything installed, and into plugin/. `test`, `fuzz` and `bench` build what those need as well.
import { chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';

process.chdir(dirname(import.meta.dirname));
const cache = 'node_modules/.cache/mdi-sensors-mcp';

/** Packages in CommonJS call `require`, which an ES module does not have. This one knows Node's own modules and nothing beside the bundle. */
const banner = [
  'const require = (name) => { const found = process.getBuiltinModule(name);',
  "if (found === undefined) throw new Error(name + ' is not in this bundle'); return found; };",
].join(' ');

/** The part of pino that runs a logger's target in a worker, loaded by name from anywhere; this server has none. */
const withoutTransports = {
  name: 'without pino transports',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]pino[\\/]lib[\\/]transport\.js$/ }, () => ({
      contents: "module.exports = () => { throw new Error('This server has no log transports.'); };",
    })),
};

/** What the SDK would check answers of forms with; this server hands it a validator of its own (`server/server.ts`). */
const withoutAjv = {
  name: 'without the validator of the SDK',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]server[\\/]dist[\\/]shimsNode\.mjs$/ }, () => ({
      contents:
        "export { default as process } from 'node:process'; export const DefaultJsonSchemaValidator = undefined;",
    })),
};

const bundled = {
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  banner: { js: banner },
  plugins: [withoutTransports],
  logLevel: 'warning',
};
/** Every file of src that is imported by `import()`. */
async function listLazyFiles() {
  const files = (await readdir('src', { recursive: true })).filter((name) => name.endsWith('.ts'));
  const imports = files.map(async (file) =>
    [...(await readFile(join('src', file), 'utf8')).matchAll(/\bimport\('(\.[^']+)'\)/g)].map(([, path]) =>
      resolve('src', dirname(file), path),
    ),
  );
  return new Set((await Promise.all(imports)).flat());
}

const lazyFiles = await listLazyFiles();
const runServer = resolve('src/commands/runServer.ts');

/**
 * What is loaded later is bundled as if it imported the server, so that all that they share is one file. Without it a start
 * reads thirty small ones, which is a tenth of its time.
 */
const besideServer = {
  name: 'beside the server',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) =>
      lazyFiles.has(path) && path !== runServer
        ? { contents: `import ${JSON.stringify(runServer)};\n${await readFile(path, 'utf8')}`, loader: 'ts' }
        : undefined,
    ),
};
const server = { ...bundled, plugins: [withoutTransports, withoutAjv, besideServer] };

/** Every package that is in the bundle, with the folder that it came from. */
function listPackages(metafile) {
  const inputs = Object.keys(metafile.inputs).join('\n');
  const folders = [...new Set(inputs.match(/^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/gm))].sort();
  return Promise.all(
    folders.map(async (folder) => {
      const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
      return { folder, name, version, license };
    }),
  );
}

/** The licences of the packages, which their terms ask to go along. */
async function formatLicences(packages) {
  const texts = packages.map(async ({ folder, name, version, license }) => {
    const file = (await readdir(folder)).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
    const text = file === undefined ? '' : `\n${(await readFile(join(folder, file), 'utf8')).trim()}\n`;
    return `${name} ${version}, ${license}\n${text}`;
  });
  return (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n`);
}

/** What the bundle is made of, in the form of https://cyclonedx.org/docs/1.6/json/. */
function formatSbom({ name, version, license }, packages) {
  const component = (one, type) => ({
    type,
    'bom-ref': `${one.name}@${one.version}`,
    name: one.name,
    version: one.version,
    // A choice of licences is an expression, such as (BSD-3-Clause OR GPL-2.0).
    licenses: [one.license.includes(' ') ? { expression: one.license } : { license: { id: one.license } }],
    purl: `pkg:npm/${one.name.replace('@', '%40')}@${one.version}`,
  });
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: component({ name, version, license }, 'application') },
    components: [...new Map(packages.map((one) => [`${one.name}@${one.version}`, component(one, 'library')])).values()],
  };
}

async function buildServer() {
  await rm('dist', { recursive: true, force: true });
  const { metafile } = await build({ ...server, entryPoints: ['src/main.ts'], outdir: 'dist', metafile: true });
  const { name, version, type, license } = JSON.parse(await readFile('package.json', 'utf8'));
  const packages = await listPackages(metafile);
  const main = await readFile('dist/main.js', 'utf8');
  await Promise.all([
    writeFile('dist/main.js', main.startsWith('#!') ? main : `#!/usr/bin/env node\n${main}`),
    writeFile('dist/package.json', `${JSON.stringify({ name, version, type, license })}\n`),
    writeFile('dist/THIRD-PARTY-LICENSES.txt', await formatLicences(packages)),
    writeFile('dist/sbom.cdx.json', `${JSON.stringify(formatSbom({ name, version, license }, packages), null, 2)}\n`),
    writeFile(join(cache, 'metafile.json'), JSON.stringify(metafile)),
  ]);
  await chmod('dist/main.js', 0o755);
}

/** A host copies the folder of a plugin and nothing beside it, so the server has to be in there. */
async function buildPlugin() {
  const { version, description, license } = JSON.parse(await readFile('package.json', 'utf8'));
  const mcpServers = { mdi: { command: 'node', args: [`\${extensionPath}/dist/main.js`] } };
  const extension = JSON.stringify({ name: 'mdi', version, description, license, mcpServers }, null, 2);
  await rm('plugin/dist', { recursive: true, force: true });
  await cp('dist', 'plugin/dist', { recursive: true });
  await Promise.all([
    cp('LICENSE', 'plugin/dist/LICENSE'),
    writeFile('plugin/gemini-extension.json', `${extension}\n`),
  ]);
}

async function buildBench() {
  const outdir = join(cache, 'bench');
  await rm(outdir, { recursive: true, force: true });
  await build({ ...bundled, entryPoints: ['test/bench/minimal.ts', 'test/bench/minimalHttp.ts'], outdir });
  const entryPoints = ['bench', 'graph', 'redirect'].map((name) => `test/bench/${name}.ts`);
  await build({ ...bundled, entryPoints, outdir, packages: 'external', banner: {} });
}

/** The servers of the tests: the same one, with a simulated tenant that a test can look into, or with an Entra on loopback. */
async function buildEntries() {
  const outdir = join(cache, 'entry');
  await rm(outdir, { recursive: true, force: true });
  await Promise.all([
    build({ ...server, entryPoints: ['test/harness/entry.ts'], outdir }),
    build({ ...server, entryPoints: ['test/harness/entraEntry.ts'], outdir: join(outdir, 'entra') }),
  ]);
}

async function buildFuzz() {
  const outdir = join(cache, 'fuzz');
  await rm(outdir, { recursive: true, force: true });
  await build({ ...bundled, entryPoints: ['test/fuzz/run.ts'], outdir, packages: 'external', banner: {} });
}

/** Below node_modules a script is CommonJS until Node has tried that, which took a server of the tests a seventh of its start. */
async function markAsModules() {
  await mkdir(cache, { recursive: true });
  await writeFile(join(cache, 'package.json'), '{ "type": "module" }\n');
}

await markAsModules();
await buildServer();
await buildPlugin();
if (['test', 'fuzz'].includes(process.argv[2])) await buildEntries();
if (process.argv[2] === 'fuzz') await buildFuzz();
if (process.argv[2] === 'bench') await buildBench();

// node scripts/release.mjs [tag]: ends with 1, and names why, where what a release would ship is not ready. npm runs it before it publishes.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const { published } = read('release.json');
const { name, version } = read('package.json');
const [tag = `v${version}`] = process.argv.slice(2);

/** What stands for a value that only the owner has. */
const placeholder = /\bOWNER\b|\/path\/to\//;
/** Files that go out beside the package. */
const besides = ['server.json', 'plugin/plugin.json', 'plugin/mcp.json', 'plugin/gemini-extension.json'];

function listPacked() {
  const [{ files }] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], { encoding: 'utf8' }),
  );
  return files.map(({ path }) => path);
}

/** Bundled libraries have words and paths of their own. */
const isOurs = (file) => !/^dist\/|\.(png|svg)$/.test(file);

const lock = read('package-lock.json');
const versions = {
  tag: tag.replace(/^v/, ''),
  'package-lock.json': lock.version,
  'package-lock.json, packages': lock.packages[''].version,
  'manifest.json': read('manifest.json').version,
  'server.json': read('server.json').version,
  'server.json, packages': read('server.json').packages[0].version,
  'plugin/plugin.json': read('plugin/plugin.json').version,
  'plugin/gemini-extension.json': read('plugin/gemini-extension.json').version,
  'dist/package.json': read('dist/package.json').version,
  'dist/sbom.cdx.json': read('dist/sbom.cdx.json').metadata.component.version,
};

const problems = [
  ...(published ? [] : ['release.json says that it is not published.']),
  ...[...listPacked(), ...besides]
    .filter((file) => isOurs(file) && placeholder.test(readFileSync(file, 'utf8')))
    .map((file) => `${file} has a placeholder (OWNER or /path/to).`),
  ...Object.entries(versions)
    .filter(([, one]) => one !== version)
    .map(([where, one]) => `${where} has version ${one}, and package.json ${version}.`),
];
if (problems.length > 0) {
  const what = `${name} ${version} is not ready to be published:\n- ${problems.join('\n- ')}\n`;
  const next = 'Set owner, registry and published in release.json, then run npm run generate and npm run build.\n';
  process.stderr.write(`${what}${next}`);
  process.exit(1);
}
process.stdout.write(`${name} ${version} is ready to be published.\n`);

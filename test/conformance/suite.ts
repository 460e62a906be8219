import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConformanceRow, execute } from './command.ts';
import { serveShipped } from './http.ts';
import { type ConformanceServer, serveFixtures } from './server.ts';

const expectedFailures = 'test/conformance/expected-failures.yml';
/** The same, and what fails over HTTP alone: the suite takes one file. */
const expectedOverHttp = join(mkdtempSync(join(tmpdir(), 'conformance-')), 'expected-failures.yml');
const both = [expectedFailures, 'test/conformance/expected-failures-http.yml'].map((file) =>
  readFileSync(file, 'utf8'),
);
writeFileSync(expectedOverHttp, both.join(''));
const revisions = ['2025-11-25', '2026-07-28'];

/** Where the suite gives the answer that was asked for; in every other scenario nothing gated may reach Graph. */
const approving = [
  'tools-call-elicitation',
  'input-required-result-basic-elicitation',
  'input-required-result-request-state',
  'input-required-result-multi-round',
];

/** The command `http` shows no form: to approve takes a sign-in there. */
const needsForm = /elicitation|input-required/;

/** Runs every scenario that the suite has for servers, each against a server of its own, and most also against the command `http`. */
export async function* scenarios(): AsyncGenerator<ConformanceRow> {
  for (const revision of revisions) {
    const { text } = await execute('conformance', ['list', '--server', '--spec-version', revision]);
    const names = [...text.matchAll(/^ {2}- (\S+) \[/gm)].map(([, name = '']) => name);
    if (names.length === 0) throw new Error(`the suite lists no scenario for ${revision}: ${text}`);
    for (const name of names) yield await scenario(name, revision, await serveFixtures(), expectedFailures);
    for (const name of names.filter((one) => !needsForm.test(one))) {
      const row = await scenario(name, revision, await serveShipped(), expectedOverHttp);
      yield { ...row, revision: `${revision} http` };
    }
  }
}

async function scenario(
  name: string,
  revision: string,
  server: ConformanceServer,
  expectedFile: string,
): Promise<ConformanceRow> {
  const on = ['--url', server.url, '--scenario', name, '--spec-version', revision];
  const { code, text } = await execute('conformance', ['server', ...on, '--expected-failures', expectedFile]);
  await server.close();
  const [, passed = 0, counted = 0, warnings = 0] =
    /^Passed: (\d+)\/(\d+), \d+ failed, (\d+) warnings$/m.exec(text) ?? [];
  const expected = [...text.matchAll(/^ {2}~ (\S+)$/gm)].map(([, entry = '']) => entry);
  const gated = server.gatedRequests();
  const due = approving.includes(name) ? 1 : 0;
  const wrong =
    code !== 0 || passed === 0 ? text : gated === due ? undefined : `${gated} gated requests reached Graph, not ${due}`;
  const of = Number(counted) + Number(warnings);
  return { name, revision, passed: `${passed} of ${of}`, expected, ...(wrong !== undefined && { wrong }) };
}

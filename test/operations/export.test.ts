import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { GraphError } from '../../src/tenants/simulated/errors.ts';
import { createSimulatedTenant, type SimulatedTenantOptions } from '../../src/tenants/simulated/tenant.ts';
import { answerFacts } from '../facts/facts.ts';
import { type ClientKind, connect, kinds, sleep } from '../harness/clients.ts';
import { createVirtualClock } from '../harness/clock.ts';
import { readFileMethods } from '../harness/disk.ts';
import { serveTenant } from '../harness/server.ts';
import { all } from '../tenants/asking.ts';

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

/** A server with a folder for exports, and a client in front of it. */
async function scene(options: SimulatedTenantOptions = {}, kind: ClientKind = 'v2 modern', exportDir?: string | null) {
  const home = mkdtempSync(join(tmpdir(), 'exports-'));
  const folder = exportDir ?? join(home, 'exports');
  const clock = createVirtualClock();
  const tenant = createSimulatedTenant({ seed: 1, now: clock.wall, ...options });
  const flags = { secretsDir: join(home, 'secrets'), auditLog: 'off', logLevel: 'silent' };
  const named = exportDir === null ? {} : { exportDir: folder };
  const client = await connect(kind, {
    pass: (durationMs) => clock.pass(durationMs),
    open: (transport) => serveTenant(transport, tenant, { flags: { ...flags, ...named }, home, clock }),
  });
  return {
    home,
    folder,
    tenant,
    client,
    files: () => readdirSync(folder).sort(),
    async exports(what: string, format?: string) {
      const { structured, text, isError } = await client.call('export_fleet', { what, ...(format && { format }) });
      return { ...structured, text, isError, content: isError ? '' : readExported(structured) };
    },
  };
}

const readExported = ({ folder, file }: Readonly<Record<string, unknown>> = {}) =>
  readFileSync(join(String(folder), String(file)), 'utf8');

/** The rows of a CSV file by RFC 4180, each by the names of its header. */
function parseCsv(text: string): Readonly<Record<string, string>>[] {
  const rows: string[][] = [[]];
  const cell = /"((?:[^"]|"")*)"([,\n])|([^",\n]*)([,\n])/gy;
  cell.lastIndex = text.startsWith('\uFEFF') ? 1 : 0;
  while (cell.lastIndex < text.length) {
    const [, quoted, end, plain = '', plainEnd] = cell.exec(text) ?? expect.unreachable('no CSV');
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if ((end ?? plainEnd) === '\n') rows.push([]);
  }
  const [header = [], ...records] = rows.slice(0, -1);
  return records.map((record) => {
    expect(record).toHaveLength(header.length);
    return Object.fromEntries(header.map((name, index) => [name, record[index] ?? '']));
  });
}

/** What Graph's value is in a cell, where nothing in it is hidden and none begins like a formula. */
function toPlainCell(value: unknown): string {
  if (!Array.isArray(value)) return value === undefined || value === null ? '' : String(value);
  return value
    .map((one) => (typeof one === 'string' ? one : `${one.name}${one.isEnabled ? '' : ' (not used)'}`))
    .join('; ');
}

const paths = { sensors: '/sensors', candidates: '/sensorCandidates', issues: '/healthIssues' } as const;
const hidden = /[^\n\P{C}]|\p{Default_Ignorable_Code_Point}/u;

describe.each(kinds)('through a %s client', (kind) => {
  test('all 350 sensors go into a file for Excel, equal to what Graph has, for less than 300 tokens', async () => {
    const { client, tenant, files } = await scene({ sensors: 350 }, kind);
    const { text, structured, isError } = await client.call('export_fleet', { what: 'sensors' });
    expect(isError).toBeUndefined();
    expect(encode(text).length + encode('export_fleet {"what":"sensors"}').length).toBeLessThan(300);
    expect(structured).toMatchObject({ tenant: expect.stringMatching(/^SIMULATED Contoso /), rows: 350 });
    expect(files()).toEqual([structured?.file]);
    const rows = parseCsv(readExported(structured));
    const { items } = await all(tenant, '/sensors');
    expect(rows).toHaveLength(350);
    const differing = items.flatMap(({ settings, ...sensor }, index) =>
      Object.entries({ ...sensor, ...(settings as object) }).flatMap(([name, value]) =>
        rows[index]?.[name] === toPlainCell(value) ? [] : [[rows[index]?.[name], toPlainCell(value)]],
      ),
    );
    const spelled = (value = '') =>
      ['\n', '\u001b', '\u200b', '\u202e', '\u2060'].reduce(
        (text, sign) => text.replaceAll(sign, `\\u{${sign.charCodeAt(0).toString(16)}}`),
        value,
      );
    expect(differing.map(([, value]) => spelled(value))).toEqual(differing.map(([cell]) => cell));
    expect(differing).toHaveLength(7);
    await client.close();
  });

  test.each(Object.entries(paths))('%s as JSON read back as Graph has them', async (what, path) => {
    const { client, tenant, exports } = await scene({}, kind);
    const { content, rows } = (await exports(what, 'json')) as { content: string; rows?: number };
    const { items } = await all(tenant, path);
    expect(JSON.parse(content)).toEqual(items);
    expect(rows).toBe(items.length);
    expect(content).not.toMatch(hidden);
    await client.close();
  });

  test('progress tells how many rows are read, of how many there are', async () => {
    const { client } = await scene({ sensors: 250 }, kind);
    const told: string[] = [];
    await client.call('export_fleet', { what: 'sensors' }, { onProgress: (message) => void told.push(message) });
    expect(told).toEqual(['sensors: 100 of 250 read', 'sensors: 199 of 250 read', 'sensors: 250 of 250 read']);
    await client.close();
  });

  test('a call that is cancelled half way reads no further page and leaves no file', async () => {
    const { client, tenant, files } = await scene({ sensors: 400, pageSize: 20 }, kind);
    const controller = new AbortController();
    const onProgress = (message: string) => message === 'sensors: 96 of 400 read' && controller.abort();
    tenant.beforeRequest = () => new Promise((resolve) => setTimeout(resolve, 5));
    const options = { signal: controller.signal, onProgress: (message: string) => void onProgress(message) };
    await expect(client.call('export_fleet', { what: 'sensors' }, options)).rejects.toThrow();
    await client.call('get_activation_configuration');
    const pages = tenant.requests.filter(({ path }) => path.endsWith('/sensors')).length;
    expect(pages).toBeLessThan(15);
    await client.call('get_activation_configuration');
    expect(tenant.requests.filter(({ path }) => path.endsWith('/sensors'))).toHaveLength(pages);
    expect(files()).toEqual([]);
    await client.close();
  });

  test('a call that is cancelled while its file is written leaves none', async () => {
    const { client, files } = await scene({}, kind);
    const controller = new AbortController();
    const methods = await readFileMethods();
    const isWritten = new Promise<void>((resolve) => {
      vi.spyOn(methods, 'sync').mockImplementation(async () => {
        expect(files()).toHaveLength(1);
        controller.abort();
        await sleep(30);
        resolve();
      });
    });
    await expect(client.call('export_fleet', { what: 'sensors' }, { signal: controller.signal })).rejects.toThrow();
    await isWritten;
    await vi.waitFor(() => expect(files()).toEqual([]));
    await client.close();
  });

  test('two calls at once write two files, each of them whole', async () => {
    const { client, exports, files } = await scene({}, kind);
    const [one, other] = await Promise.all([exports('sensors'), exports('sensors')]);
    expect(files()).toHaveLength(2);
    expect(one.content).toBe(other.content);
    expect(parseCsv(one.content)).toHaveLength(44);
    await client.close();
  });
});

describe('a CSV file', () => {
  const header = (content: string) => content.slice(0, content.indexOf('\n'));

  test.each([
    ['sensors', 'listSensors'],
    ['candidates', 'listSensorCandidates'],
    ['issues', 'listHealthIssues'],
  ] as const)('of %s begins with a mark of UTF-8 and has a column for each of their properties', async (what, fact) => {
    const { client, exports } = await scene();
    const { content } = await exports(what);
    const [mark, ...columns] = [content.slice(0, 1), ...header(content).slice(1).split(',')];
    expect(mark).toBe('\uFEFF');
    const names = answerFacts[fact]?.split(/\s+/).filter((name) => name !== 'settings' && !/Adapters\./.test(name));
    expect(columns.sort()).toEqual(names?.map((name) => name.replace('settings.', '')).sort());
    await client.close();
  });

  test('of nothing has its header alone', async () => {
    const { client, exports, tenant } = await scene();
    tenant.candidates.length = 0;
    expect(await exports('candidates')).toMatchObject({
      rows: 0,
      content: '\uFEFFid,computerDnsName,domainName,sensorTypes,lastSeenDateTime,senseClientVersion\n',
    });
    await client.close();
  });

  test.each([
    ['=HYPERLINK("https://evil.example","x")', `'=HYPERLINK("https://evil.example","x")`],
    ["+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"],
    ['-2+3', "'-2+3"],
    ['@SUM(1+1)*2', "'@SUM(1+1)*2"],
    ['＝1+1', "'＝1+1"],
    [' =1+1', " '=1+1"],
    ['\t=1+1', '\\u{9}=1+1'],
    ['\r=1+1', '\\u{d}=1+1'],
    ['\uFEFF=1+1', '\\u{feff}=1+1'],
    ['a;=1+1', "a;'=1+1"],
    ['a; @x;-1', "a; '@x;'-1"],
    ['one\n=1+1', 'one\\u{a}=1+1'],
    ['a "quoted" name, and a comma', 'a "quoted" name, and a comma'],
    ['"', '"'],
    ['\u001b[2K', '\\u{1b}[2K'],
    ['Zürich', 'Zürich'],
    ['DC-01', 'DC-01'],
  ])('has %j as the text %j', async (text, cell) => {
    const { client, exports, tenant } = await scene();
    const [sensor] = tenant.sensors;
    if (sensor !== undefined) Object.assign(sensor, { displayName: text, domainName: text });
    if (sensor !== undefined)
      Object.assign(sensor.settings, { description: text, domainControllerDnsNames: ['a', text] });
    const { content } = await exports('sensors');
    const [row] = parseCsv(content);
    expect(row).toMatchObject({ displayName: cell, domainName: cell, description: cell });
    expect(row?.domainControllerDnsNames).not.toMatch(/;\s*[=+\-@＝]/);
    expect(content.slice(1)).not.toMatch(hidden);
    expect(content.match(/\n/g)).toHaveLength(45);
    await client.close();
  });
});

describe('the file', () => {
  test("is this user's alone, in a folder that is too, and its name tells what it has, of which tenant, and when", async () => {
    const { client, exports, folder, files } = await scene();
    await exports('issues', 'json');
    const [file = ''] = files();
    expect(file).toMatch(/^issues_SIMULATED_8c157435_\d{4}(-\d\d){2}_\d\d(-\d\d){2}-\d{3}Z_[0-9a-f]{8}\.json$/);
    expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    await client.close();
  });

  test('is where the operator wants it, whatever a model names', async () => {
    const { client, home } = await scene();
    const { text } = await client.call('export_fleet', { what: 'sensors', path: '/etc/cron.d/x' });
    expect(text).toBe(
      'invalid_input: export_fleet has no argument "path"; nearest first, it takes what, format. Correct this and call export_fleet again. (SIMULATED tenant)',
    );
    const escaping = await client.call('export_fleet', { what: '../../sensors' });
    expect(escaping.text).toMatch(/^invalid_input: what takes sensors, candidates or issues, not /);
    expect(readdirSync(home)).toEqual([]);
    await client.close();
  });

  test('goes into a folder of other files that the operator named, which stays as it is', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'documents-'));
    writeFileSync(join(folder, 'notes.txt'), '');
    chmodSync(folder, 0o755);
    const { client, exports, files } = await scene({}, 'v1', folder);
    expect(await exports('sensors')).toMatchObject({ rows: 44, folder });
    expect(files()).toHaveLength(2);
    expect(statSync(folder).mode & 0o777).toBe(0o755);
    await client.close();
  });

  test('is not left behind where the third page cannot be read', async () => {
    const { client, exports, tenant, files } = await scene({ sensors: 100, pageSize: 20 });
    tenant.faults.push({
      appliesTo: () => tenant.requests.length > 2,
      answer: new GraphError(403, 'UnknownError', ''),
    });
    const { text } = await exports('sensors');
    expect(text).toMatch(/^permission_missing: /);
    expect(tenant.requests).toHaveLength(7);
    expect(files()).toEqual([]);
    await client.close();
  });

  test('is not left behind where the disk is full', async () => {
    const { client, exports, files } = await scene();
    vi.spyOn(await readFileMethods(), 'sync').mockRejectedValue(Object.assign(new Error('full'), { code: 'ENOSPC' }));
    expect((await exports('sensors')).text).toBe(
      'file_not_written: The file could not be written (ENOSPC). Let the operator name another folder with --export-dir. (SIMULATED tenant)',
    );
    expect(files()).toEqual([]);
    vi.restoreAllMocks();
    expect(await exports('sensors')).toMatchObject({ rows: 44 });
    await client.close();
  });
});

describe('nothing is read for a folder', () => {
  const inOwn = (change: (folder: string) => void) => {
    const folder = join(mkdtempSync(join(tmpdir(), 'exports-')), 'own');
    change(folder);
    return folder;
  };
  const make = (folder: string, mode: number) => {
    mkdirSync(folder);
    chmodSync(folder, mode);
  };
  const refusal = async (folder: string | null) => {
    const { client, exports, tenant } = await scene({}, 'v2 legacy', folder);
    const { text } = await exports('sensors');
    expect(tenant.requests.filter(({ path }) => path.endsWith('/sensors'))).toEqual([]);
    await client.close();
    return text
      .replace('file_not_written: The folder for exports ', '')
      .replace(' Let the operator name another folder with --export-dir. (SIMULATED tenant)', '');
  };

  test.each<[why: string, (folder: string) => void]>([
    ['can be written by others.', (folder) => make(folder, 0o775)],
    ['is not a folder of its own but a link or a file.', (folder) => writeFileSync(folder, '')],
    ['is not a folder of its own but a link or a file.', (folder) => symlinkSync(tmpdir(), folder)],
    ['is in a folder into which every user can write.', (folder) => chmodSync(join(folder, '..'), 0o777)],
  ])('that %s', async (why, change) => {
    expect(await refusal(inOwn(change))).toBe(why);
  });

  test.runIf(process.getuid?.() === 0)('of another user', async () => {
    const folder = inOwn((own) => {
      make(own, 0o700);
      chownSync(own, 12_345, 12_345);
    });
    expect(await refusal(folder)).toBe('belongs to another user.');
  });

  test('that is the default one where there is no home folder', async () => {
    vi.stubEnv('XDG_STATE_HOME', '');
    vi.spyOn(os, 'homedir').mockReturnValue('');
    syncBuiltinESMExports();
    expect(await refusal(null)).toBe('would be in the home folder, and there is none.');
  });

  test('that is the default one inside the working folder, which only an operator may choose', async () => {
    const inside = 'node_modules/.cache/mdi-sensors-mcp/state';
    vi.stubEnv('XDG_STATE_HOME', join(process.cwd(), inside));
    expect(await refusal(null)).toBe('is inside the working folder, where agents read files.');
    const { client, exports } = await scene({}, 'v1', join(process.cwd(), inside, 'mdi-sensors-mcp', 'exports'));
    expect(await exports('candidates')).toMatchObject({ rows: 8 });
    await client.close();
  });
});

test('issues need the permission to read them, and the rest does not', async () => {
  const { client, exports, files } = await scene({ permissions: ['SecurityIdentitiesSensors.Read.All'] });
  expect((await exports('issues')).text).toMatch(/^permission_missing: .*SecurityIdentitiesHealth\.Read\.All/);
  expect(files()).toEqual([]);
  expect(await exports('candidates')).toMatchObject({ rows: 8 });
  await client.close();
});

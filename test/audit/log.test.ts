import { createHash } from 'node:crypto';
import fs, {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openAuditLog, resolveAuditFolder } from '../../src/audit/log.ts';
import { verifyFolder } from '../../src/audit/verify.ts';
import { showAuditLog, verifyAuditLog } from '../../src/commands/audit.ts';

const about = { version: '1', principal: 'somebody', settings: ['--reveal-secrets true'] };
const fresh = () => join(mkdtempSync(join(tmpdir(), 'audit-')), 'audit');

/** A log of a call that was approved and done. */
function written(folder: string) {
  const audit = openAuditLog({ folder, ...about });
  audit.record('question', { id: '1', tool: 'delete_sensor', text: 'Delete 1 sensor?' });
  audit.record('answer', { id: '1', action: 'approved' });
  audit.record('acting', { id: '1', tool: 'delete_sensor' }, { durable: true });
  const last = audit.record('outcome', { id: '1', verdict: 'done' });
  // A file has its millisecond as its name.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
  return { audit, last };
}
const fileIn = (folder: string) => join(folder, readdirSync(folder).sort().at(-1) ?? '');
const linesOf = (folder: string) => readFileSync(fileIn(folder), 'utf8').split('\n').slice(0, -1);
const problems = (folder: string, head?: string) => verifyFolder(folder, head).flatMap((file) => file.problems);

test('a log begins with who runs the server and its unusual settings, and each line follows from the one before', () => {
  const folder = fresh();
  const { last } = written(folder);
  const lines = linesOf(folder).map((line) => JSON.parse(line));
  expect(lines.map(({ n, kind }) => [n, kind])).toEqual([
    [0, 'start'],
    [1, 'question'],
    [2, 'answer'],
    [3, 'acting'],
    [4, 'outcome'],
  ]);
  expect(lines[0]).toMatchObject({ v: 1, version: '1', principal: 'somebody', settings: ['--reveal-secrets true'] });
  expect(lines.slice(1).map(({ prev }) => prev)).toEqual(lines.slice(0, -1).map(({ hash }) => hash));
  expect(last).toEqual({ n: 4, head: lines[4].hash });
  expect(problems(folder, `4:${last?.head}`)).toEqual([]);
  expect((statSync(folder).mode & 0o777).toString(8)).toBe('700');
  expect((statSync(fileIn(folder)).mode & 0o777).toString(8)).toBe('600');
});

test('a server that asks nothing leaves no file, and one whose log is off none either', () => {
  const folder = fresh();
  openAuditLog({ folder, ...about });
  expect(openAuditLog({ folder: 'off', ...about }).record('question', {})).toBeUndefined();
  expect(() => readdirSync(folder)).toThrow('ENOENT');
});

test.each<[string, (folder: string) => void, string]>([
  ['a file', (folder) => writeFileSync(folder, ''), 'its folder is not a folder of its own but a link or a file'],
  ['a link', (folder) => symlinkSync(tmpdir(), folder), 'its folder is not a folder of its own but a link or a file'],
])('a folder that is %s is refused with a sentence, and stays refused', (_, make, why) => {
  const folder = fresh();
  make(folder);
  const audit = openAuditLog({ folder, ...about });
  const refuse = (reason: string) =>
    expect.objectContaining({
      code: 'audit_unavailable',
      message: `The audit log cannot be written (${reason}).`,
      next: 'Let the operator look at the folder of --audit-log and restart the server.',
    });
  expect(audit.state).toBe('on');
  expect(() => audit.record('question', {})).toThrow(refuse(why));
  rmSync(folder);
  expect(() => audit.record('question', {})).toThrow(refuse('an earlier record failed'));
  expect(audit.state).toBe('broken');
});

test('the log is off, in the folder that the setting names, or where this user keeps the state of programs', () => {
  vi.stubEnv('XDG_STATE_HOME', '/state');
  expect(resolveAuditFolder('off')).toBe('off');
  expect(resolveAuditFolder('/var/log/mdi')).toBe('/var/log/mdi');
  if (process.platform === 'linux') expect(resolveAuditFolder(undefined)).toBe('/state/mdi-sensors-mcp/audit');
});

test('a folder that others can read is closed to them', () => {
  const folder = fresh();
  written(folder);
  chmodSync(folder, 0o755);
  written(folder);
  expect((statSync(folder).mode & 0o777).toString(8)).toBe('700');
});

test('two servers that begin their logs in the same millisecond, with the same process id, have two files that hold', () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const folder = fresh();
  for (const _ of [1, 2]) openAuditLog({ folder, ...about }).record('question', {});
  vi.useRealTimers();
  expect(readdirSync(folder)).toHaveLength(2);
  expect(problems(folder)).toEqual([]);
});

test('a record whose file was removed meanwhile is refused', () => {
  const folder = fresh();
  const audit = openAuditLog({ folder, ...about });
  audit.record('question', {});
  rmSync(fileIn(folder));
  const message = 'The audit log cannot be written (its file was removed).';
  expect(() => audit.record('acting', {})).toThrow(expect.objectContaining({ code: 'audit_unavailable', message }));
  expect(audit.state).toBe('broken');
});

/** Every way to touch a log, and that it is found. */
const edits: [string, (lines: string[]) => string[]][] = [
  ['a removed line', ([a = '', , ...rest]) => [a, ...rest]],
  ['a removed first line', ([, ...rest]) => rest],
  ['a swapped pair', ([a = '', b = '', c = '', ...rest]) => [a, c, b, ...rest]],
  ['an inserted copy', ([a = '', b = '', ...rest]) => [a, b, b, ...rest]],
  ['an inserted line', ([a = '', b = '', ...rest]) => [a, '{"v":1}', b, ...rest]],
  ['an empty line', ([a = '', ...rest]) => [a, '', ...rest]],
  ['a field added', ([a = '', ...rest]) => [a.replace('{', '{"x":1,'), ...rest]],
];
test.each(edits)('verify finds %s', (_, edit) => {
  const folder = fresh();
  written(folder);
  writeFileSync(fileIn(folder), `${edit(linesOf(folder)).join('\n')}\n`);
  expect(problems(folder)).not.toEqual([]);
});

test('verify finds a changed byte, wherever it is', () => {
  const folder = fresh();
  written(folder);
  const bytes = readFileSync(fileIn(folder));
  for (let at = 0; at < bytes.length - 1; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(fileIn(folder), changed);
    expect(problems(folder), `byte ${at}`).not.toEqual([]);
  }
});

test('verify finds a missing tail against a head that was kept outside, and only so', () => {
  const folder = fresh();
  const { last } = written(folder);
  writeFileSync(fileIn(folder), `${linesOf(folder).slice(0, -1).join('\n')}\n`);
  expect(problems(folder)).toEqual([]);
  expect(problems(folder, last?.head)).toEqual([expect.stringContaining('is missing')]);
  expect(problems(folder, `4:${last?.head.slice(0, 16)}`)).toHaveLength(1);
});

test('a file without a record does not hide the one before it', () => {
  const folder = fresh();
  written(folder);
  const first = fileIn(folder);
  writeFileSync(first.replace(/-\d+-[0-9a-f]+\.jsonl$/, '-99999999.jsonl'), '');
  written(folder);
  expect(problems(folder)).toEqual([]);
  writeFileSync(first, `${readFileSync(first, 'utf8').split('\n').slice(0, -2).join('\n')}\n`);
  expect(problems(folder)).toEqual([expect.stringContaining('is not the one that it followed')]);
});

test('verify finds a file that was taken away, or written anew, from what the next one says of it', () => {
  const folder = fresh();
  written(folder);
  const first = fileIn(folder);
  const anew = fresh();
  written(anew);
  written(folder);
  expect(problems(folder)).toEqual([]);
  const original = readFileSync(first);
  writeFileSync(first, readFileSync(fileIn(anew)));
  expect(problems(folder)).toEqual([
    expect.stringContaining('it is a copy of audit-'),
    expect.stringContaining('is not the one that it followed'),
  ]);
  writeFileSync(first, original);
  rmSync(first);
  expect(problems(folder)).toEqual([expect.stringContaining('is missing')]);
});

test('verify finds a file that was emptied, copied or put in between', () => {
  const folder = fresh();
  written(folder);
  const first = fileIn(folder);
  written(folder);
  const second = fileIn(folder);
  written(folder);
  const [one, two] = [readFileSync(first), readFileSync(second)];
  writeFileSync(second, '');
  expect(problems(folder)).toEqual([`the file before it, ${basename(second)}, is not the one that it followed`]);
  rmSync(second);
  expect(problems(folder)).toEqual([`the file before it, ${basename(second)}, is missing`]);
  writeFileSync(first, one);
  writeFileSync(second, two);
  const copy = join(folder, 'audit-zzz.jsonl');
  writeFileSync(copy, two);
  expect(problems(folder)).toEqual([`it is a copy of ${basename(second)}`]);
  writeFileSync(copy, two.subarray(two.indexOf('\n') + 1));
  expect(problems(folder)).toContain('it does not begin with the record of a start');
});

test.each([
  ['before its first record', ''],
  ['in the middle of it', '{"v":1,"n":0,"ti'],
])('a server that was killed %s leaves a log that holds, and so does the next one', (_, rest) => {
  const folder = fresh();
  written(folder);
  writeFileSync(join(folder, 'audit-2199-01-01T00-00-00-000Z-7.jsonl'), rest);
  expect(problems(folder)).toEqual([]);
  vi.setSystemTime('2199-01-02');
  written(folder);
  vi.useRealTimers();
  expect(verifyFolder(folder).map(({ records }) => records.length)).toEqual([5, 0, 5]);
  expect(problems(folder)).toEqual([]);
});

test('a second file that names none before it is found', async () => {
  const folder = fresh();
  const alone = fresh();
  written(alone);
  await new Promise((resolve) => setTimeout(resolve, 5));
  written(folder);
  writeFileSync(join(folder, basename(fileIn(alone))), readFileSync(fileIn(alone)));
  expect(problems(folder)).toEqual(['it names no file before it, and there is one']);
});

test.each([
  ['as results name it', (n: number, head: string) => `record ${n}, head ${head.slice(0, 16)}`],
  ['with a colon', (n: number, head: string) => `${n}:${head}`],
  ['as its hash alone', (_: number, head: string) => head.slice(0, 16)],
  ['in capitals', (n: number, head: string) => `Record ${n}, Head ${head.slice(0, 20).toUpperCase()}`],
])('a head is read %s, and another record is not it', (_, name) => {
  const folder = fresh();
  const { last } = written(folder);
  const { n, head } = last ?? { n: 0, head: '' };
  expect(problems(folder, name(n, head))).toEqual([]);
  expect(problems(folder, name(n, `0${head.slice(1)}`.replace(/^0/, head.startsWith('0') ? '1' : '0')))).toHaveLength(
    1,
  );
});

test('a log that a kill cut off is accepted, and its open act is told', () => {
  const folder = fresh();
  const audit = openAuditLog({ folder, ...about });
  audit.record('acting', { id: '7', tool: 'regenerate_deployment_access_key' });
  appendFileSync(fileIn(folder), '{"v":1,"n":2,"time":"2026-');
  const [verified] = verifyFolder(folder);
  expect(verified).toMatchObject({ problems: [], isCutOff: true, unfinished: [{ n: 1, id: '7' }] });
});

/** What a command prints, and its exit code. */
function printed(command: () => number) {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const code = command();
  const text = write.mock.calls.map(([line]) => String(line)).join('');
  write.mockRestore();
  return { code, text };
}

test.each([
  ['cut in half', (bytes: Buffer, start: number) => bytes.subarray(0, start + Math.floor((bytes.length - start) / 2))],
  ['without the end of its line', (bytes: Buffer) => bytes.subarray(0, -1)],
  ['taken away', (bytes: Buffer, start: number) => bytes.subarray(0, start)],
])('verify finds an outcome that is %s, and the act that lacks it', (_, cut) => {
  const folder = fresh();
  written(folder);
  expect(printed(() => verifyAuditLog(folder))).toMatchObject({
    code: 0,
    text: expect.stringMatching(/^holds audit-/),
  });
  const bytes = readFileSync(fileIn(folder));
  const start = bytes.lastIndexOf('\n', bytes.length - 2) + 1;
  const left = cut(bytes, start);
  writeFileSync(fileIn(folder), left);
  const { code, text } = printed(() => verifyAuditLog(folder));
  expect(code).toBe(3);
  expect(text).toMatch(/^OPEN audit-.*: record 3, head /);
  expect(text).toMatch(/ {2}record 3 of .* began an act whose outcome is unknown: read what became of it/);
  expect(text.includes('its last line is not whole')).toBe(left.length !== start);
});

test('verify with a head that was kept outside misses a whole folder that was taken away', () => {
  const folder = fresh();
  const { last } = written(folder);
  rmSync(folder, { recursive: true });
  const { code, text } = printed(() => verifyAuditLog(folder, last?.head));
  expect(code).toBe(1);
  expect(text.replace(/\s+/g, ' ')).toContain('the end of a log, or a whole file, is missing');
  expect(printed(() => verifyAuditLog(folder))).toEqual({ code: 0, text: 'There is no audit log here.\n' });
});

test('show names the targets of each question, with nothing hidden in them', () => {
  const folder = fresh();
  const audit = openAuditLog({ folder, ...about });
  audit.record('question', {
    id: '1',
    tool: 'delete_sensor',
    tenant: 'C',
    channel: 'page',
    targets: ['DC01', 'a\u202eb'],
  });
  expect(printed(() => showAuditLog(folder)).text).toMatch(
    /delete_sensor {2}C {7}unanswered \(page\) {2}-\n {4}DC01, a\\u\{202e\}b\n$/,
  );
});

describe('a record that somebody wrote again who can seal', () => {
  type RecordFields = Readonly<Record<string, unknown>>;
  const seal = ({ hash: _, ...content }: RecordFields) => {
    const body = JSON.stringify(content);
    return `${body.slice(0, -1)},"hash":"${createHash('sha256').update(body).digest('hex')}"}`;
  };
  /** Each record sealed again with the hash of the one before, as a whole log that is forged. */
  const chain = (records: readonly RecordFields[], prev = '0'.repeat(64)): string[] => {
    const [first, ...rest] = records;
    if (first === undefined) return [];
    const line = seal({ ...first, prev });
    return [line, ...chain(rest, JSON.parse(line).hash)];
  };
  const recordsOf = (folder: string): RecordFields[] => linesOf(folder).map((line) => JSON.parse(line));
  const rewrite = (records: readonly RecordFields[], index: number) =>
    records.map((record, at) => (at === index ? { ...record, id: 'rewritten' } : record));
  const keep = (folder: string, lines: readonly string[]) => writeFileSync(fileIn(folder), `${lines.join('\n')}\n`);

  test('is sealed as this log seals', () => {
    const folder = fresh();
    written(folder);
    expect(recordsOf(folder).map(seal)).toEqual(linesOf(folder));
    expect(chain(recordsOf(folder))).toEqual(linesOf(folder));
  });

  test.each([
    [1, 'line 2 does not follow from the line before'],
    [2, 'line 3 does not follow from the line before'],
    [3, 'line 4 does not follow from the line before'],
    [4, 'line 5 does not follow from the line before'],
  ])('as line %i is found by the next one', (line, problem) => {
    const folder = fresh();
    written(folder);
    keep(folder, rewrite(recordsOf(folder), line - 1).map(seal));
    expect(problems(folder)).toEqual([problem]);
  });

  test('as the last line is found by a head that was kept outside, and only so', () => {
    const folder = fresh();
    const { last } = written(folder);
    keep(folder, rewrite(recordsOf(folder), 4).map(seal));
    expect(problems(folder)).toEqual([]);
    expect(problems(folder, `4:${last?.head}`)).toEqual([expect.stringContaining('is missing')]);
  });

  test.each<[string, number[], string[]]>([
    ['taken out', [0, 1, 3, 4], ['line 3', 'line 4']],
    ['swapped with the next one', [0, 2, 1, 3, 4], ['line 2', 'line 3', 'line 4']],
    ['put in a second time', [0, 1, 1, 2, 3, 4], ['line 3', 'line 4', 'line 5', 'line 6']],
  ])('that is %s, with the numbers corrected, is found by those after it', (_, order, lines) => {
    const folder = fresh();
    written(folder);
    const records = recordsOf(folder);
    keep(
      folder,
      order.map((from, n) => seal({ ...records[from], n })),
    );
    expect(problems(folder)).toEqual(lines.map((line) => `${line} does not follow from the line before`));
  });

  test('as a first one that follows from another record is found by itself', () => {
    const folder = fresh();
    written(folder);
    keep(folder, chain(recordsOf(folder), 'f'.repeat(64)));
    expect(problems(folder)).toEqual(['line 1 does not follow from the line before']);
  });

  test('with all those after it is found by the next file, or by a head that was kept outside, and only so', () => {
    const folder = fresh();
    const { last } = written(folder);
    keep(folder, chain(rewrite(recordsOf(folder), 1)));
    expect(problems(folder)).toEqual([]);
    expect(problems(folder, last?.head)).toEqual([expect.stringContaining('is missing')]);
    const followed = fresh();
    written(followed);
    const first = fileIn(followed);
    const records = recordsOf(followed);
    written(followed);
    writeFileSync(first, `${chain(rewrite(records, 1)).join('\n')}\n`);
    expect(problems(followed)).toEqual([expect.stringContaining('is not the one that it followed')]);
  });
});

describe('a disk', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  });

  /** Each write takes at most so many bytes, and all of them together no more than are free. */
  function takeAtMost(bytes: number, freeBytes = Number.POSITIVE_INFINITY): void {
    const { writeSync } = fs;
    let free = freeBytes;
    vi.spyOn(fs, 'writeSync').mockImplementation(((handle: number, data: Buffer, offset: number) => {
      if (free === 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      const taken = Math.min(bytes, free, data.length - offset);
      free -= taken;
      return writeSync(handle, data, offset, taken);
    }) as never);
    syncBuiltinESMExports();
  }

  test.each([1, 10, 100])('that takes %i bytes at a time has every record whole', (bytes) => {
    const folder = fresh();
    takeAtMost(bytes);
    const { last } = written(folder);
    expect(linesOf(folder).map((line) => JSON.parse(line).kind)).toEqual([
      'start',
      'question',
      'answer',
      'acting',
      'outcome',
    ]);
    expect(problems(folder, `4:${last?.head}`)).toEqual([]);
  });

  const refused = { code: 'audit_unavailable', message: expect.stringContaining('(ENOSPC)') };
  const answer = { id: '1', action: 'approved' };
  test.each<[string, number, (line: number) => number]>([
    ['nothing', 10, () => 0],
    ['one byte', 10, () => 1],
    ['ten bytes', 10, () => 10],
    ['more than one write', 10, () => 25],
    ['everything but the end of the line', 10_000, (line) => line - 1],
  ])('that is full after %s of a record leaves the log at the end of the one before', (_, bytes, freeBytes) => {
    const folder = fresh();
    const audit = openAuditLog({ folder, ...about });
    audit.record('answer', answer);
    const before = readFileSync(fileIn(folder), 'utf8');
    takeAtMost(bytes, freeBytes(Buffer.byteLength(before.split('\n')[1] ?? '') + 1));
    expect(() => audit.record('answer', answer)).toThrow(expect.objectContaining(refused));
    expect(readFileSync(fileIn(folder), 'utf8')).toBe(before);
    expect(verifyFolder(folder)).toMatchObject([{ problems: [], isCutOff: false, records: [{ n: 0 }, { n: 1 }] }]);
    vi.restoreAllMocks();
    syncBuiltinESMExports();
    expect(() => audit.record('answer', answer)).toThrow(expect.objectContaining({ code: 'audit_unavailable' }));
    expect([audit.state, readFileSync(fileIn(folder), 'utf8')]).toEqual(['broken', before]);
  });

  test('that has just enough space for a record takes it whole', () => {
    const folder = fresh();
    const audit = openAuditLog({ folder, ...about });
    audit.record('answer', answer);
    const before = readFileSync(fileIn(folder), 'utf8');
    takeAtMost(10, Buffer.byteLength(before.split('\n')[1] ?? '') + 1);
    expect(audit.record('answer', answer)).toMatchObject({ n: 2 });
    expect(verifyFolder(folder)).toMatchObject([{ problems: [], isCutOff: false, records: [{}, {}, { n: 2 }] }]);
  });

  test('that takes a record and does not keep it leaves the log at the end of the one before', () => {
    const folder = fresh();
    const audit = openAuditLog({ folder, ...about });
    audit.record('answer', answer);
    const before = readFileSync(fileIn(folder), 'utf8');
    vi.spyOn(fs, 'fsyncSync').mockImplementation(() => {
      throw Object.assign(new Error('input/output error'), { code: 'EIO' });
    });
    syncBuiltinESMExports();
    expect(() => audit.record('acting', { id: '1' }, { durable: true })).toThrow(
      expect.objectContaining({ code: 'audit_unavailable' }),
    );
    expect(readFileSync(fileIn(folder), 'utf8')).toBe(before);
  });
});

describe('what surrounds the records', () => {
  test('a log that is off says so, and suspects no host', () => {
    const audit = openAuditLog({ folder: 'off', ...about });
    expect([audit.state, audit.isEndedEarly]).toEqual(['off', false]);
  });

  test('where neither a setting nor a home folder names a folder, nothing can be recorded', () => {
    expect(() => openAuditLog({ folder: undefined, ...about }).record('question', {})).toThrow(
      'The audit log cannot be written (its folder would be in the home folder, and there is none).',
    );
  });

  test('a host that ended two servers with their question open is suspected from the first record on', () => {
    const folder = fresh();
    mkdirSync(folder, { mode: 0o700 });
    const time = new Date().toISOString();
    const lines = [
      { kind: 'start', time, host: hostname(), pid: 99_999_999 },
      { kind: 'question', time },
    ];
    for (const name of ['audit-1.jsonl', 'audit-2.jsonl'])
      writeFileSync(join(folder, name), `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
    const audit = openAuditLog({ folder, ...about });
    expect(audit.isEndedEarly).toBe(false);
    audit.record('question', {});
    expect(audit.isEndedEarly).toBe(true);
  });

  test('an act and its outcome are on the disk before anything follows; a question need not be', () => {
    const audit = openAuditLog({ folder: fresh(), ...about });
    audit.record('question', { id: '1' });
    const sync = vi.spyOn(fs, 'fsyncSync');
    syncBuiltinESMExports();
    audit.record('answer', { id: '1' });
    expect(sync).toHaveBeenCalledTimes(0);
    audit.record('acting', { id: '1' }, { durable: true });
    expect(sync).toHaveBeenCalledTimes(1);
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  });

  test('a new file is on the disk with its folder', () => {
    const sync = vi.spyOn(fs, 'fsyncSync');
    syncBuiltinESMExports();
    openAuditLog({ folder: fresh(), ...about }).record('question', {});
    expect(sync).toHaveBeenCalledTimes(2);
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  });

  test('a file names the newest one before it, by its last whole record', () => {
    const folder = fresh();
    written(folder);
    const { last } = written(folder);
    const second = basename(fileIn(folder));
    appendFileSync(fileIn(folder), '{"v":1,"n":5');
    written(folder);
    expect(JSON.parse(linesOf(folder)[0] ?? '').previous).toEqual({ file: second, n: 4, head: last?.head });
    expect(problems(folder)).toEqual([]);
  });

  test('files of others in the folder are none of the log', () => {
    const folder = fresh();
    written(folder);
    for (const name of ['notes.txt', 'old-audit-1.jsonl', 'audit-1.jsonl.bak']) writeFileSync(join(folder, name), 'x');
    expect(verifyFolder(folder).map(({ file, problems: found }) => [file, found])).toEqual([
      [basename(readdirSync(folder).find((name) => /^audit-2.*jsonl$/.test(name)) ?? ''), []],
    ]);
  });

  test('a head that no file holds is a file that is missing', () => {
    const folder = fresh();
    written(folder);
    expect(verifyFolder(folder, 'f'.repeat(64)).at(-1)).toEqual({
      file: folder,
      records: [],
      hashes: [],
      problems: [`no file holds the record ${'f'.repeat(64)}: the end of a log, or a whole file, is missing`],
      unfinished: [],
      isCutOff: false,
    });
  });

  test('a head is found as a result names it, as short as 16 digits, in any case, and with blanks around it', () => {
    const folder = fresh();
    const { last: { n, head } = { n: 0, head: '' } } = written(folder);
    const short = head.slice(0, 16);
    for (const kept of [`record ${n}, head ${short}`, `${n}:${head}`, short.toUpperCase(), ` ${head}\n`])
      expect(problems(folder, kept)).toEqual([]);
    for (const other of [`record 3, head ${short}`, head.slice(0, 15), `${head}0`, `x${head}`])
      expect(problems(folder, other)).toHaveLength(1);
  });

  test('what is written after the seal of a line, or before it, breaks the seal', () => {
    const folder = fresh();
    written(folder);
    const lines = linesOf(folder);
    for (const [index, change] of [
      [1, (line: string) => `${line} `],
      [2, (line: string) => ` ${line}`],
    ] as const) {
      writeFileSync(fileIn(folder), `${lines.map((line, at) => (at === index ? change(line) : line)).join('\n')}\n`);
      expect(problems(folder)[0]).toBe(`line ${index + 1} was changed`);
    }
  });

  test('bytes that are no text, an end without a beginning, and a copy under another name are found', () => {
    const folder = fresh();
    written(folder);
    const [name, lines] = [fileIn(folder), linesOf(folder)];
    writeFileSync(name, Buffer.concat([Buffer.from(`${lines.join('\n')}\n`), Buffer.from([0xff, 0x0a])]));
    expect(problems(folder)).toContain('there are bytes that are not UTF-8');
    writeFileSync(name, `${lines.slice(1).join('\n')}\n`);
    expect(problems(folder)[0]).toBe('it does not begin with the record of a start');
    writeFileSync(name, `${lines.join('\n')}\n`);
    renameSync(name, join(folder, 'audit-9.jsonl'));
    expect(problems(folder)).toEqual([`it is a copy of ${basename(name)}`]);
  });
});

import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, test } from 'vitest';
import {
  findServers,
  findSocketsFolder,
  openTerminal,
  terminalAnswer,
} from '../../../src/approval/channels/terminal.ts';
import { UntrustedFolder } from '../../../src/files.ts';
import { makeQuestion, makeTarget } from '../questions.ts';
import { createFakeInbox, makeView } from './inbox.ts';

const endings: AbortController[] = [];
const sockets: Socket[] = [];
afterEach(() => {
  for (const ending of endings.splice(0)) ending.abort();
  for (const socket of sockets.splice(0)) socket.destroy();
});

const makeHome = () => mkdtempSync(join(tmpdir(), 'mdi-home-'));
const settle = async () => {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** Opens the terminal of a server with two questions, `one` and `two`, in a home folder of its own. */
async function open({ inbox = createFakeInbox('one', 'two'), home = makeHome(), name = '4711-abcdef01' } = {}) {
  const ending = new AbortController();
  endings.push(ending);
  await openTerminal(inbox, home, name, ending.signal);
  const folder = findSocketsFolder(home);
  return { inbox, home, folder, ending, path: (kind: string) => join(folder, `${name}.${kind}`) };
}

/** Writes to a socket, and reads its answers; `undefined` once it is closed. */
async function dial(path: string) {
  const socket = connect(path);
  sockets.push(socket);
  socket.on('error', () => undefined);
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  await once(socket, 'connect');
  return {
    socket,
    write: (text: string) => socket.write(text),
    async read(): Promise<{ readonly nonce: string }[] | undefined> {
      const { value, done } = await lines.next();
      return done === true ? undefined : JSON.parse(value).questions;
    },
  };
}

const ask = async (path: string, command: unknown) => {
  const { write, read } = await dial(path);
  write(`${typeof command === 'string' ? command : JSON.stringify(command)}\n`);
  return read();
};

describe('a server at the terminal', () => {
  test('lists what waits and what was declined, each with what is to be shown and typed', async () => {
    const { inbox, path } = await open();
    inbox.views.set('two', makeView('two', { state: 'ended', canBeLifted: true, sentence: 'A person declined.' }));
    const [one, two, ...others] = (await ask(path('sock'), { do: 'list' })) ?? [];
    expect(one).toEqual({
      nonce: 'one',
      id: 'one',
      askedAtMs: 0,
      channel: 'page',
      minutesLeft: 10,
      state: 'waiting',
      sentence: '',
      canBeLifted: false,
      title: '"Contoso": Delete sensor DC07.contoso.com',
      targets: '',
      text: expect.stringMatching(/^TENANT "Contoso" [^\n]+\n\nDelete sensor DC07\.contoso\.com\?\n/),
      typed: 'DC07.contoso.com',
    });
    expect(two).toMatchObject({ nonce: 'two', state: 'ended', canBeLifted: true, sentence: 'A person declined.' });
    expect(others).toEqual([]);
  });

  test('says what is simulated, names the targets that the title does not, and what to read first', async () => {
    const { inbox, path } = await open();
    const act = { word: 'delete', verb: 'Delete', noun: 'sensor', how: 'for good' };
    const plan = { act, targets: [makeTarget(7, 'DC07'), makeTarget(8, 'DC08')], types: 'count' as const };
    const question = makeQuestion({ plan, context: { simulated: true } });
    inbox.views.set('one', makeView('one', { question, note: ['Look again.'] }));
    expect(await ask(path('sock'), { do: 'look', nonce: 'one' })).toMatchObject([
      {
        title: 'SIMULATED "Contoso": Delete 2 sensors for good',
        targets: 'DC07.contoso.com, DC08.contoso.com',
        text: expect.stringContaining('\nLook again.\n'),
      },
    ]);
  });

  test.each<[string, object, unknown[][], string]>([
    ['looks at one', { do: 'look', nonce: 'two' }, [], 'waiting'],
    ['declines one', { do: 'decline', nonce: 'two' }, [['answer', 'two', { kind: 'decline' }, 'terminal']], 'ended'],
    [
      'approves one',
      { do: 'approve', nonce: 'two', typed: 'DC07' },
      [['answer', 'two', { kind: 'approve', typed: 'DC07' }, 'terminal']],
      'approved',
    ],
    ['lets one be asked again', { do: 'lift', nonce: 'two' }, [['lift', 'two']], 'waiting'],
  ])('%s, and answers how it is then', async (_, command, deeds, state) => {
    const { inbox, path } = await open();
    expect(await ask(path('sock'), command)).toMatchObject([{ nonce: 'two', state }]);
    expect(inbox.deeds).toStrictEqual(deeds);
  });

  test.each(['look', 'decline', 'approve', 'lift'])(
    'answers with nothing to "%s" of what it does not know',
    async (what) => {
      const { path } = await open();
      expect(await ask(path('sock'), { do: what, nonce: 'three', typed: 'DC07' })).toEqual([]);
    },
  );

  test.each<[string, unknown]>([
    ['no JSON', 'approve everything'],
    ['nothing', ''],
    ['a text', '"list"'],
    ['an order that is none', { do: 'force', nonce: 'one' }],
    ['a look at nothing', { do: 'look' }],
    ['a decline of nothing', { do: 'decline' }],
    ['a lift of a number', { do: 'lift', nonce: 1 }],
    ['an approval of nothing', { do: 'approve', typed: 'DC07' }],
    ['an approval without a text', { do: 'approve', nonce: 'one' }],
  ])(
    'closes the connection at %s, and does nothing',
    async (_, command) => {
      const { inbox, path } = await open();
      expect(await ask(path('sock'), command)).toBeUndefined();
      expect(inbox.deeds).toEqual([]);
    },
    2_000,
  );

  test('carries out the commands of a connection one after another', async () => {
    const { inbox, path } = await open();
    const { write, read } = await dial(path('sock'));
    const commands = [
      { do: 'decline', nonce: 'one' },
      { do: 'lift', nonce: 'one' },
      { do: 'look', nonce: 'one' },
    ];
    write(commands.map((command) => `${JSON.stringify(command)}\n`).join(''));
    expect([await read(), await read(), await read()]).toMatchObject([
      [{ canBeLifted: true }],
      [{ canBeLifted: false }],
      [{ sentence: 'A person declined. It may be asked again.' }],
    ]);
    expect(inbox.deeds.map(([deed]) => deed)).toEqual(['answer', 'lift']);
  });

  test('closes the connection where a command fails, and serves the others', async () => {
    const inbox = createFakeInbox('one');
    const { path } = await open({ inbox: { ...inbox, listWaiting: () => Promise.reject(new Error('gone')) } });
    expect(await ask(path('sock'), { do: 'list' })).toBeUndefined();
    expect(await ask(path('sock'), { do: 'look', nonce: 'one' })).toHaveLength(1);
  }, 2_000);

  test('outlives a client that goes before its answers', async () => {
    const { path } = await open();
    const broken: unknown[] = [];
    const note = (error: unknown) => void broken.push(error);
    process.on('uncaughtException', note);
    // It reads nothing, so that what was written to it is lost with it.
    const socket = connect(path('sock'));
    await once(socket, 'connect');
    socket.write(`${JSON.stringify({ do: 'list' })}\n`.repeat(500));
    await settle();
    socket.destroy();
    expect(await ask(path('sock'), { do: 'list' })).toHaveLength(2);
    await settle();
    process.off('uncaughtException', note);
    expect(broken).toEqual([]);
  });
});

describe('a line without an end', () => {
  const limitBytes = 65_536;
  const list = '{"do":"list"}';
  /** Writes texts one after another, each once the one before has arrived, and tells whether the last command is answered. */
  const isServed = async (...texts: readonly string[]) => {
    const { path } = await open();
    const { socket, write, read } = await dial(path('sock'));
    for (const text of texts) {
      write(text);
      await settle();
    }
    if (socket.closed || socket.destroyed) return false;
    const commands = texts.join('').split('\n').length - 1;
    for (let command = 0; command < commands; command++) if ((await read()) === undefined) return false;
    return true;
  };
  const pad = (bytes: number) => list.padEnd(bytes);

  test.each<[string, boolean, readonly string[]]>([
    ['of 64 KiB is read', true, [pad(limitBytes), '\n']],
    ['of a byte more is not', false, [pad(limitBytes + 1), '\n']],
    ['that comes in pieces of 40 KiB is not', false, [pad(40 * 1024), ' '.repeat(40 * 1024), '\n']],
    ['begins anew with each line', true, [`${list}\n${pad(1_000)}`, ' '.repeat(limitBytes - 1_000), '\n']],
    ['ends one byte too late after a line', false, [`${list}\n${pad(1_000)}`, ' '.repeat(limitBytes - 999), '\n']],
    ['counts no lines before it', true, [`${pad(50_000)}\n`, `${pad(50_000)}\n`, `${pad(50_000)}\n`]],
  ])(
    '%s',
    async (_, isRead, texts) => {
      expect(await isServed(...texts)).toBe(isRead);
    },
    2_000,
  );
});

describe('the socket of a server', () => {
  const readMachine = () => ({
    host: hostname(),
    boot: existsSync(bootFile) ? readFileSync(bootFile, 'utf8').trim() : undefined,
  });
  const bootFile = '/proc/sys/kernel/random/boot_id';

  test('is for its user alone, as is the note that names it and the machine', async () => {
    const { folder, path } = await open();
    expect(readdirSync(folder).sort()).toEqual(['4711-abcdef01.server', '4711-abcdef01.sock']);
    expect([folder, path('sock'), path('server')].map((one) => (statSync(one).mode & 0o777).toString(8))).toEqual([
      '700',
      '600',
      '600',
    ]);
    expect(JSON.parse(readFileSync(path('server'), 'utf8'))).toEqual({ v: 1, socket: path('sock'), ...readMachine() });
  });

  test('goes with its note when the server ends', async () => {
    const { folder, ending } = await open();
    ending.abort();
    await settle();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is not opened where there is no home folder', async () => {
    const opening = openTerminal(createFakeInbox(), undefined, '1-a', new AbortController().signal);
    await expect(opening).rejects.toThrow(/^HOME names no home folder$/);
  });

  test.each([
    [103, 'is opened'],
    [104, 'its socket would have a path of over 103 bytes'],
  ])('with a path of %d bytes: %s', async (bytes, said) => {
    const home = makeHome();
    const name = 'n'.repeat(bytes - Buffer.byteLength(join(findSocketsFolder(home), '.sock')));
    const opened = await open({ home, name }).then(
      () => 'is opened',
      (error: Error) => error.message,
    );
    expect(opened).toBe(said);
  });

  test('is not opened in a folder that cannot be trusted', async () => {
    const home = makeHome();
    writeFileSync(findSocketsFolder(home), '');
    await expect(open({ home })).rejects.toThrow(/^its folder is not a folder of its own but a link or a file$/);
  });

  test('is not opened where no folder can be made', async () => {
    const file = join(makeHome(), 'file');
    writeFileSync(file, '');
    await expect(open({ home: file })).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  test('is not opened where another one has its path', async () => {
    const { home } = await open();
    await expect(open({ home })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('is closed again where its note cannot be written', async () => {
    const home = makeHome();
    const folder = findSocketsFolder(home);
    mkdirSync(join(folder, '4711-abcdef01.server'), { recursive: true });
    chmodSync(folder, 0o700);
    await expect(open({ home })).rejects.toMatchObject({ code: 'EISDIR' });
    await settle();
    expect(readdirSync(folder)).toEqual(['4711-abcdef01.server']);
  });

  test('is not left where the server ends meanwhile', async () => {
    const home = makeHome();
    const opening = open({ home });
    endings.at(-1)?.abort(new Error('the server is ending'));
    await expect(opening).rejects.toThrow('the server is ending');
    await settle();
    expect(readdirSync(findSocketsFolder(home))).toEqual([]);
  });

  test('takes away what servers left that were killed, and leaves what runs', async () => {
    const first = await open({ name: '1-running' });
    const gone = leave(first.folder, { name: '2-killed' });
    const page = mkdtempSync(join(tmpdir(), 'mdi-sensors-mcp-2-killed-'));
    const otherHost = leave(first.folder, { name: '3-elsewhere', host: 'another-host' });
    const ended: string[] = [];
    const beside = createServer((socket) => void socket.resume().on('end', () => ended.push('ended')));
    beside.listen(join(first.folder, '4-other.sock'));
    await once(beside, 'listening');
    leave(first.folder, { name: '4-other' });

    await open({ home: first.home, name: '5-new' });

    expect([existsSync(gone), existsSync(page), existsSync(otherHost)]).toEqual([false, false, true]);
    expect(readdirSync(first.folder).sort()).toEqual([
      '1-running.server',
      '1-running.sock',
      '3-elsewhere.server',
      '4-other.server',
      '4-other.sock',
      '5-new.server',
      '5-new.sock',
    ]);
    await expect.poll(() => ended).toEqual(['ended']);
    beside.close();
  });

  /** The note of a server, as this version writes it on this machine, unless it differs. */
  const leave = (folder: string, { name = '', ...note }: { name?: string; [field: string]: unknown }) => {
    const path = join(folder, `${name}.server`);
    const content = { v: 1, socket: join(folder, `${name}.sock`), ...readMachine(), ...note };
    writeFileSync(path, JSON.stringify(content));
    return path;
  };

  const makeFolder = () => {
    const folder = findSocketsFolder(makeHome());
    mkdirSync(folder, { mode: 0o700 });
    return folder;
  };
  const listNames = async (folder: string) => {
    const { here, otherHosts } = await findServers(folder);
    return { here: here.map(({ name, process }) => [name, process]).sort(), otherHosts };
  };

  describe('is found', () => {
    test('by the note beside it, which names its process', async () => {
      const folder = makeFolder();
      leave(folder, { name: '4711-abcdef01' });
      leave(folder, { name: '12-0' });
      expect(await listNames(folder)).toEqual({
        here: [
          ['12-0', '12'],
          ['4711-abcdef01', '4711'],
        ],
        otherHosts: [],
      });
    });

    test('nowhere where there is no folder', async () => {
      expect(await listNames(findSocketsFolder(makeHome()))).toEqual({ here: [], otherHosts: [] });
    });

    test('nowhere where others can write notes', async () => {
      const folder = makeFolder();
      chmodSync(folder, 0o777);
      await expect(findServers(folder)).rejects.toThrow(UntrustedFolder);
    });

    test('not on another machine, nor from before this one was started anew; other machines are named once', async () => {
      const folder = makeFolder();
      leave(folder, { name: '1-here' });
      leave(folder, { name: '2-b', host: 'b-host' });
      leave(folder, { name: '3-b', host: 'b-host' });
      leave(folder, { name: '4-odd', host: 'odd host\u200b', boot: undefined });
      leave(folder, { name: '5-before', boot: 'another boot' });
      leave(folder, { name: '6-before', boot: undefined });
      const { here, otherHosts } = await listNames(folder);
      expect(here).toEqual([['1-here', '1']]);
      expect([...otherHosts].sort()).toEqual(['"odd host\\u{200b}"', 'b-host']);
    });

    test('by nothing else', async () => {
      const folder = makeFolder();
      mkdirSync(join(folder, '1-folder.server'));
      writeFileSync(join(folder, '2-empty.server'), '');
      writeFileSync(join(folder, '3-garbage.server'), '{');
      leave(folder, { name: '4-version', v: 2 });
      leave(folder, { name: '5-socketless', socket: undefined });
      leave(folder, { name: '6-hostless', host: undefined });
      leave(folder, { name: '7-boots', boot: 7 });
      writeFileSync(join(folder, '.server.note'), readFileSync(leave(folder, { name: '8-real' })));
      writeFileSync(join(folder, '9-real.sock'), readFileSync(join(folder, '8-real.server')));
      expect(await listNames(folder)).toEqual({ here: [['8-real', '8']], otherHosts: [] });
    });
  });

  describe('where it is tried', () => {
    const tryServer = async (folder: string) => {
      const { here } = await findServers(folder);
      const socket = await here[0]?.connect();
      if (socket !== undefined) sockets.push(socket);
      return socket;
    };

    test('is connected, and everything stays', async () => {
      const { folder, path } = await open();
      const socket = await tryServer(folder);
      expect(socket?.readyState).toBe('open');
      expect([existsSync(path('sock')), existsSync(path('server'))]).toEqual([true, true]);
    });

    test.each([
      ['refuses', (folder: string) => writeFileSync(join(folder, '1-a.sock'), '')],
      ['is not there', () => undefined],
    ])('and %s, nothing that its server left stays, and what others left does', async (_, prepare) => {
      const folder = makeFolder();
      prepare(folder);
      leave(folder, { name: '1-a' });
      writeFileSync(join(folder, '1-ab.sock'), '');
      const [page, other] = ['1-a-', '1-ab-'].map((name) => mkdtempSync(join(tmpdir(), `mdi-sensors-mcp-${name}`)));
      expect(await tryServer(folder)).toBeUndefined();
      expect([readdirSync(folder), existsSync(page ?? ''), existsSync(other ?? '')]).toEqual([
        ['1-ab.sock'],
        false,
        true,
      ]);
    });

    test('and cannot be reached for another reason, everything stays', async () => {
      const folder = makeFolder();
      leave(folder, { name: '1-a', socket: join(folder, '1-a.server', 'a.sock') });
      expect(await tryServer(folder)).toBeUndefined();
      expect(readdirSync(folder)).toEqual(['1-a.server']);
    });
  });
});

describe('what a server sends to the terminal', () => {
  const question = {
    nonce: 'one',
    channel: 'page',
    state: 'waiting',
    title: 'Contoso: Delete sensor DC07.contoso.com',
    targets: 'DC08, DC09',
    text: 'TENANT Contoso\n\nDelete?',
    typed: 'DC07',
    sentence: '',
    canBeLifted: false,
  } as const;
  const more = { minutesLeft: 10, secretFile: '/home/ann/key', auditRecord: 7, replacedBy: 'two' };
  const read = (change: object) =>
    terminalAnswer.safeParse({ questions: [{ ...question, ...change }] }).data?.questions[0];

  test('is read whole', () => {
    expect(read({})).toEqual(question);
    expect(read(more)).toEqual({ ...question, ...more });
    expect(terminalAnswer.safeParse({ questions: [] }).data).toEqual({ questions: [] });
  });

  test.each([
    ...['form', 'page', 'terminal', 'signin'].map((channel) => ({ channel })),
    ...['waiting', 'approved', 'acting', 'ended'].map((state) => ({ state })),
  ])('may say %o', (change) => {
    expect(read(change)).toEqual({ ...question, ...change });
  });

  test.each([
    { nonce: 1 },
    { channel: 'post' },
    { channel: '' },
    { state: 'gone' },
    { state: '' },
    { title: undefined },
    { targets: undefined },
    { text: undefined },
    { typed: undefined },
    { sentence: undefined },
    { canBeLifted: 'yes' },
    { minutesLeft: 'ten' },
    { secretFile: 1 },
    { auditRecord: '7' },
    { replacedBy: 1 },
  ])('is not read with %o', (change) => {
    expect(read(change)).toBeUndefined();
  });

  test.each(['nothing', {}, { questions: {} }, { questions: [{}] }])('is not read as %o', (answer) => {
    expect(terminalAnswer.safeParse(answer).success).toBe(false);
  });

  test.each(['title', 'targets', 'text', 'typed', 'sentence', 'secretFile'])(
    'cannot move the cursor by its %s',
    (field) => {
      expect(read({ [field]: 'a\u001b[2J\nb\u202e' })).toMatchObject({ [field]: 'a\\u{1b}[2J\nb\\u{202e}' });
    },
  );

  test('has lines of 4,000 characters at most, and as many as it wants', () => {
    const line = 'x'.repeat(4_000);
    expect(read({ text: `${line}\n\n${line}` })?.text).toBe(`${line}\n\n${line}`);
    expect(read({ text: `${line}x\n${line}` })?.text).toBe(`${line.slice(1)}…\n${line}`);
  });
});

test('the sockets of a user lie in a folder of their home', () => {
  expect(findSocketsFolder('/home/ann')).toBe('/home/ann/.mdi-sensors-mcp');
});

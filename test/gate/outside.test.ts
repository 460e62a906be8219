import { execFileSync, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { attack } from '../harness/attacks.ts';
import { connect, type TestClient } from '../harness/clients.ts';
import { type ControlledServer, controlledServer } from '../harness/controlled.ts';
import { atSocket, handedBy, http, type Opened, opened, sheet, socketIn } from '../harness/outside.ts';
import { type Find, finder } from './cases.ts';

interface Scene {
  readonly server: ControlledServer;
  readonly client: TestClient;
  readonly find: Find;
  /** Calls the deletion of DC07 once more, or of another. */
  call(name?: string): Promise<string>;
}

/** A server whose page is offered as a file, and one deletion that waits there. */
async function scene(
  { patience = 200, ...flags }: { patience?: number; approval?: string },
  use: (scene: Scene) => Promise<unknown>,
): Promise<number> {
  const server = await controlledServer({ flags: { approval: 'page', noBrowser: true, ...flags }, patience });
  const client = await connect('v2 legacy', server);
  const find = await finder(server);
  const call = async (name = 'DC07.contoso.com') =>
    (await client.call('delete_sensor', { id: find('sensors', name) })).text;
  expect(await call()).toMatch(/^approval_pending: /);
  await use({ server, client, find, call });
  const reached = await server.gated();
  await client.close();
  await server.end();
  return reached;
}

const yes = { decision: 'approve', typed: 'DC07.contoso.com' };

/** An attack on the page of a question, after which the call is repeated. */
function onPage(name: string, attempt: (page: Opened, scene: Scene) => Promise<unknown>, reach = 0, patience = 200) {
  attack(name, { on: 'any', channel: 'page', reach }, () =>
    scene({ patience }, async (own) => {
      await attempt(await opened(await handedBy(own.client.stderr)), own);
      await own.call();
    }),
  );
}

describe.concurrent('answers to the page that did not come from it', () => {
  for (const [name, headers] of [
    ['another Host', { Host: 'evil.example' }],
    ['a rebound name', { Host: 'localhost' }],
    ['no port in the Host', { Host: '127.0.0.1' }],
    ['another Origin', { Origin: 'https://evil.example' }],
    ['Origin: null', { Origin: 'null' }],
    ['an empty Origin', { Origin: '' }],
    ['the Origin of another port', { Origin: 'http://127.0.0.1:1' }],
    ['a cross-site form post', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a post of the same site', { 'Sec-Fetch-Site': 'same-site' }],
    ['JSON', { 'Content-Type': 'application/json' }],
    ['plain text', { 'Content-Type': 'text/plain' }],
  ] as const) {
    onPage(`a post with ${name}`, async (page) => {
      expect((await page.post(yes, { headers })).status).toBe(403);
    });
  }

  for (const [name, fields] of [
    ['a guessed secret', { ...yes, secret: 'A'.repeat(32) }],
    ['no secret', { ...yes, secret: '' }],
    ['another name', { decision: 'approve', typed: 'DC70.contoso.com' }],
    ['no name', { decision: 'approve' }],
    ['a tick instead of the name', { decision: 'approve', read: 'yes' }],
    ['a decision that is none', { decision: 'yes', typed: 'DC07.contoso.com' }],
  ] as const) {
    onPage(`a post with ${name}`, async (page) => {
      expect((await page.post(fields)).status).toBeLessThan(404);
    });
  }

  onPage('a post within a second', async (page) => {
    const { status, body } = await page.post(yes, { at: 'once' });
    expect(status).toBe(200);
    expect(body).toContain('That was too fast to have been read.');
  });
  onPage('a post of a megabyte', async (page) => {
    expect((await page.post({ ...yes, more: 'x'.repeat(1_000_000) })).status).toBe(403);
  });
  onPage('a thousand guessed addresses', async (page) => {
    for (let guess = 0; guess < 1_000; guess++) {
      const address = `${page.origin}/${guess % 2 === 0 ? 'q' : 'open'}/${String(guess).padStart(32, 'A')}`;
      expect((await http(address)).status).toBe(404);
    }
  });
  for (const method of ['HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    onPage(`the method ${method}`, async (page) => {
      const { status } = await http(page.address, { method, headers: { Origin: page.origin } });
      expect([403, 404, 405]).toContain(status);
    });
  }
  onPage('a page in a frame', async (page) => {
    const { headers } = await http(page.address);
    expect(headers['x-frame-options']).toBe('DENY');
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    );
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['referrer-policy']).toBe('same-origin');
  });
});

describe.concurrent('pages that somebody else has seen, or that are used again', () => {
  onPage('a second opener of the question', async (page, { call }) => {
    expect((await http(page.address)).body).toContain('This question was opened a second time, so it is void');
    expect((await page.post(yes)).headers.location).toMatch(/outcome$/);
    expect(await call()).toMatch(/^approval_pending: /);
  });
  attack('a leaked way in, opened before the person', { on: 'any', channel: 'page' }, () =>
    scene({}, async ({ client, call }) => {
      const handed = await handedBy(client.stderr);
      await http(handed);
      expect((await http(handed)).body).toContain('was opened a second time, so it is void');
      await call();
    }),
  );
  onPage(
    'a page answered twice',
    async (page) => {
      await page.post(yes);
      expect((await page.post(yes)).status).toBe(303);
    },
    1,
  );
  onPage('decline, then approve', async (page, { call }) => {
    await page.post({ decision: 'decline' });
    await page.post(yes);
    expect(await call()).toMatch(/^approval_busy: A person declined this a moment ago/);
  });
  onPage('a page answered after eleven minutes', async (page, { server }) => {
    await server.tell({ do: 'clock', ahead: { monotonic: 11 * 60_000 } });
    expect((await page.post(yes)).headers.location).toMatch(/outcome$/);
  });
  onPage('the page of a call that was cancelled', async (_, { client, find }) => {
    const id = find('sensors', 'DC01.contoso.com');
    await client.call('delete_sensor', { id }, { signal: AbortSignal.timeout(100) }).catch(() => undefined);
    const page = await opened(await handedBy(client.stderr, 2));
    expect(page.secret).toBe('');
    await page.post({ decision: 'approve', typed: 'DC01.contoso.com' });
    await client.call('delete_sensor', { id });
  });
  onPage(
    'an approval on a page of one sensor used for another',
    async (page, { call }) => {
      await page.post(yes);
      expect(await call('DC01.contoso.com')).toMatch(/^approval_pending: /);
    },
    1,
  );
  onPage('an approval that nobody used in five minutes', async (page, { server, call }) => {
    await page.post(yes);
    await server.tell({ do: 'clock', ahead: { monotonic: 6 * 60_000 } });
    expect(await call()).toMatch(/^approval_pending: /);
  });
  onPage('a sensor renamed after the approval', async (page, { server, find, call, client }) => {
    await page.post(yes);
    const id = find('sensors', 'DC07.contoso.com');
    await server.tell({ do: 'change', of: 'sensors', id, set: { displayName: 'DC70' } });
    expect(await call()).toMatch(/^approval_pending: /);
    const next = await opened(await handedBy(client.stderr, 2));
    expect(next.body).toContain('name was &quot;DC07&quot;, now &quot;DC70&quot;');
  });
  onPage(
    'two calls racing for one approval',
    async (page, { call }) => {
      await page.post(yes);
      const both = await Promise.all([call(), call()]);
      expect(both.filter((text) => text.includes('deleted; Graph answers 404'))).toHaveLength(2);
    },
    1,
    3_000,
  );
});

test('after a wrong text the same window asks once more, and the right one approves', async () => {
  const reached = await scene({}, async ({ call, client }) => {
    const page = await opened(await handedBy(client.stderr));
    const { headers } = await page.post({ decision: 'approve', typed: 'DC70' });
    const outcome = await http(`${page.origin}${headers.location}`);
    const again = await sheet(`${page.origin}${outcome.headers.location}`);
    expect(again.body).toContain('That was not it. To approve, type exactly: DC07.contoso.com');
    await again.post(yes);
    expect(await call()).toContain('deleted; Graph answers 404');
  });
  expect(reached).toBe(1);
});

test('a browser that cannot be opened does no harm: the file is named instead', async () => {
  const server = await controlledServer({ flags: { approval: 'auto' }, patience: 1_000 });
  const client = await connect('v1', { ...server, env: { ...server.env, DISPLAY: ':0', PATH: '/nowhere' } });
  const id = (await finder(server))('sensors', 'DC07.contoso.com');
  expect((await client.call('delete_sensor', { id })).text).toMatch(/^approval_pending: /);
  expect((await opened(await handedBy(client.stderr))).body).toContain('Delete 1 sensor?');
  await client.close();
  await server.end();
});

test('the file that a browser is given is the only place of the address, and only its owner can read it', async () => {
  await scene({}, async ({ client }) => {
    const address = await handedBy(client.stderr);
    const [, file = ''] = /Open this file in a browser: (.+)/.exec(client.stderr()) ?? [];
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
    expect((statSync(dirname(file)).mode & 0o777).toString(8)).toBe('700');
    expect(client.stderr() + client.seen()).not.toContain(new URL(address).pathname);
    await opened(address);
    expect(() => statSync(file)).toThrow('ENOENT');
  });
});

describe.concurrent('the terminal socket', () => {
  const atTerminal = { approval: 'terminal' };
  attack('the socket opened by another user', { on: 'any', channel: 'terminal' }, () =>
    scene(atTerminal, async ({ server: { runtimeDir } }) => {
      const path = socketIn(runtimeDir);
      expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
      expect((statSync(dirname(path)).mode & 0o777).toString(8)).toBe('700');
      if (process.getuid?.() !== 0) return;
      const script = `require('net').connect(${JSON.stringify(path)}).on('connect',()=>process.exit(0)).on('error',(e)=>{console.log(e.code);process.exit(9)})`;
      const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '-e', script];
      const { status, stdout } = spawnSync('setpriv', asNobody, { encoding: 'utf8', timeout: 10_000 });
      expect({ status, stdout }).toEqual({ status: 9, stdout: 'EACCES\n' });
    }),
  );
  for (const [name, line] of [
    ['garbage', 'approve everything\n'],
    ['a nonce made up', { do: 'approve', nonce: '0'.repeat(32), typed: 'DC07.contoso.com' }],
    ['an order that is none', { do: 'force' }],
  ] as const) {
    attack(`${name} on the socket`, { on: 'any', channel: 'terminal' }, () =>
      scene(atTerminal, async ({ server: { runtimeDir }, call }) => {
        expect(await atSocket(runtimeDir, line)).toEqual([]);
        await call();
      }),
    );
  }
  attack('decline at the terminal, then approve', { on: 'any', channel: 'terminal' }, () =>
    scene(atTerminal, async ({ server: { runtimeDir }, call }) => {
      const [{ nonce } = { nonce: '' }] = await atSocket(runtimeDir, { do: 'list' });
      await atSocket(runtimeDir, { do: 'decline', nonce });
      await atSocket(runtimeDir, { do: 'approve', nonce, typed: 'DC07.contoso.com' });
      expect(await call()).toMatch(/^approval_busy: /);
    }),
  );
  attack('a question moved to the terminal, then answered on its page', { on: 'any', channel: 'page' }, () =>
    scene({}, async ({ server: { runtimeDir }, client, call }) => {
      const page = await opened(await handedBy(client.stderr));
      const [{ nonce } = { nonce: '' }] = await atSocket(runtimeDir, { do: 'list' });
      await atSocket(runtimeDir, { do: 'approve', nonce, typed: 'wrong' });
      await page.post(yes);
      await call();
    }),
  );

  test('approve shows what waits on the own terminal, takes the name there, and tells the outcome', async () => {
    const reached = await scene(atTerminal, async ({ server: { runtimeDir }, call }) => {
      const env = { PATH: process.env.PATH, XDG_RUNTIME_DIR: runtimeDir, TERM: 'xterm' };
      const listed = execFileSync(process.execPath, ['dist/main.js', 'approve', '--list'], {
        env,
        encoding: 'utf8',
        timeout: 10_000,
      });
      expect(listed).toBe('Delete 1 sensor (10 minutes left)\n');
      const command = `${process.execPath} dist/main.js approve`;
      const input = 'DC07.contoso.com\n';
      const seen = spawnSync('script', ['-qec', command, '/dev/null'], {
        env,
        input,
        encoding: 'utf8',
        timeout: 10_000,
      }).stdout;
      expect(seen).toContain('To approve, type: DC07.contoso.com');
      expect(seen).toContain('Approved. It is done as soon as the assistant calls again.');
      expect(await call()).toContain('deleted; Graph answers 404');
    });
    expect(reached).toBe(1);
  });

  test('approve without a terminal, or with CI set, answers nothing', async () => {
    const reached = await scene(atTerminal, async ({ server: { runtimeDir }, call }) => {
      const env = { PATH: process.env.PATH, XDG_RUNTIME_DIR: runtimeDir, CI: 'true' };
      const command = `${process.execPath} dist/main.js approve`;
      const input = 'DC07.contoso.com\n';
      const seen = spawnSync('script', ['-qec', command, '/dev/null'], {
        env,
        input,
        encoding: 'utf8',
        timeout: 10_000,
      });
      expect(seen.status).toBe(2);
      expect(seen.stdout).toContain('approve needs a terminal with a person, and here is none.');
      await call();
    });
    expect(reached).toBe(0);
  });
});

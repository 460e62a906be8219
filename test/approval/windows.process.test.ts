import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { find } from '../harness/fleet.ts';
import { openOfferedPage, readAddress, readPage, sendHttp, waitForPageAddress } from '../harness/outside.ts';
import { readRecords } from './cases.ts';
import { playSceneOfProcess, yes } from './scene.ts';

const fresh = () => mkdtempSync(join(tmpdir(), 'windows-'));

/** A desktop on which the launcher of browsers notes what it is to open. */
function desktop(exitCode = 0) {
  const folder = fresh();
  const [launcher, notes] = [join(folder, 'xdg-open'), join(folder, 'opened')];
  writeFileSync(launcher, `#!/bin/sh\necho "$1" >> ${notes}\nexit ${exitCode}\n`);
  chmodSync(launcher, 0o755);
  const files = () => (existsSync(notes) ? readFileSync(notes, 'utf8').trim().split('\n') : []);
  return { env: { DISPLAY: ':0', PATH: `${folder}:${process.env.PATH}` }, files };
}
/** Longer than these launchers take to end. */
const inBrowser = { approval: 'auto', noBrowser: false, patience: 1_500 } as const;

describe.concurrent('a browser window', () => {
  test('goes on with the question that replaced its own, without another window', async () => {
    const { env, files } = desktop();
    const reached = await playSceneOfProcess({ ...inBrowser, env }, async ({ server, call }) => {
      await call();
      const page = await openOfferedPage(readAddress(files()[0]));
      const answered = await page.post(yes);
      const id = find('sensors', 'DC07.contoso.com');
      await server.tell({ do: 'change', of: 'sensors', id, set: { displayName: 'DC70' } });
      await call();
      const outcome = await sendHttp(`${page.origin}${answered.headers.location}`);
      const next = await readPage(`${page.origin}${outcome.headers.location}`);
      expect(next.body).toContain('Delete sensor DC70.contoso.com?');
      await next.post({ decision: 'approve', typed: 'DC70.contoso.com' });
      expect(await call()).toContain('Deleted; Graph answers 404');
      expect(files()).toHaveLength(1);
    });
    expect(reached).toBe(1);
  });

  test('that nobody has fetched after 5 seconds is opened anew by an equal call, under another address', async () => {
    const { env, files } = desktop();
    const reached = await playSceneOfProcess({ ...inBrowser, env }, async ({ server, call }) => {
      await call();
      const first = readAddress(files()[0]);
      expect(files()).toHaveLength(1);
      await server.pass(5_000);
      expect(await call()).toMatch(/^approval_pending: A person is asked on the approval page that was opened/);
      expect(files()).toHaveLength(2);
      const second = readAddress(files()[1]);
      expect(second).not.toBe(first);
      await (await openOfferedPage(second)).post(yes);
      expect(await call()).toContain('Deleted; Graph answers 404');
    });
    expect(reached).toBe(1);
  }, 60_000);

  test.each([
    ['is not there', () => ({ DISPLAY: ':0', PATH: '/nowhere' })],
    ['fails', () => desktop(3).env],
  ])('whose launcher %s does no harm: the log names the file, and the answer says so', async (_, env) => {
    await playSceneOfProcess({ ...inBrowser, env: env() }, async ({ client, call }) => {
      expect(await call()).toMatch(
        /^approval_pending: A person is asked on an approval page, whose file the server's log names, or at a terminal of their own on /,
      );
      expect((await openOfferedPage(await waitForPageAddress(client.stderr))).body).toContain(
        'Delete sensor DC07.contoso.com?',
      );
    });
  });
});

describe.concurrent('a way to the person that cannot be opened', () => {
  test('the page: the call is refused with the setting that helps, and the next one tries anew', async () => {
    const TMPDIR = join(fresh(), 'later');
    await playSceneOfProcess({ env: { TMPDIR } }, async ({ client, call }) => {
      expect(await call()).toMatch(
        /^approval_unavailable: This needs a human approval, and the approval page could not be opened \(ENOENT\)\. Nothing was changed\. .*--approval terminal/,
      );
      await vi.waitFor(() => expect(client.stderr()).toContain('The page for approvals could not be opened'));
      mkdirSync(TMPDIR);
      expect(await call()).toMatch(/^approval_pending: /);
    });
  });

  test('the terminal: the call is refused with the setting that helps, and the next one tries anew', async () => {
    const HOME = join(fresh(), 'home');
    writeFileSync(HOME, '');
    await playSceneOfProcess({ approval: 'terminal', env: { HOME } }, async ({ server, call }) => {
      expect(await call()).toMatch(
        /^approval_unavailable: This needs a human approval, and the way to the terminal could not be opened \(ENOTDIR\)\. Nothing was changed\. .*--approval page/,
      );
      expect(readRecords(server).at(-1)).toMatchObject({ kind: 'answer', channel: 'terminal', action: 'not shown' });
      rmSync(HOME);
      expect(await call()).toMatch(
        /^approval_pending: A person is asked at a terminal of their own on the machine or container /,
      );
    });
  });

  test('a home folder without a path is none', async () => {
    await playSceneOfProcess({ approval: 'terminal', env: { HOME: '' } }, async ({ call }) => {
      expect(await call()).toMatch(/^approval_unavailable: .*\(HOME names no home folder\)/);
    });
  });
});

test.concurrent('a twin that is cancelled while the page is still being opened leaves the question to the first call', async () => {
  const slow = `import net from 'node:net'; const { listen } = net.Server.prototype; net.Server.prototype.listen = function (...all) { if (all[0].port === 0) setTimeout(() => listen.apply(this, all), 2000); else listen.apply(this, all); return this; };`;
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(slow)}`;
  await playSceneOfProcess({ env: { NODE_OPTIONS } }, async ({ client, call }) => {
    const first = call();
    const id = find('sensors', 'DC07.contoso.com');
    const cancelled = new AbortController();
    const onProgress = () => cancelled.abort();
    await client.call('delete_sensor', { id }, { signal: cancelled.signal, onProgress }).catch(() => undefined);
    expect(await first).toMatch(/^approval_pending: /);
  });
});

test.concurrent('a user id without a name, as containers have, can start the server and be asked', async () => {
  const nameless =
    "import os from 'node:os'; import { syncBuiltinESMExports } from 'node:module'; os.userInfo = () => { throw new Error('no such user'); }; syncBuiltinESMExports();";
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(nameless)}`;
  await playSceneOfProcess({ approval: 'terminal', env: { NODE_OPTIONS } }, async ({ call }) => {
    expect(await call()).toMatch(/^approval_pending: /);
  });
});

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attack } from '../harness/attacks.ts';
import { expectNoKeyIn, keysBegin } from '../harness/canary.ts';
import { approve, connect } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { startServer } from '../harness/server.ts';
import { readRecords } from './cases.ts';
import {
  type EntraForApprovals,
  type PersonsBrowser,
  playSignInScene,
  readAddress,
  type ShownPage,
  type SignInScene,
  type SignInSceneOptions,
  startApprovalEntra,
  yes,
} from './signInScene.ts';

let world: EntraForApprovals;
beforeAll(async () => {
  world = await startApprovalEntra();
});
afterAll(() => world.entra.close());

/** What nobody may see before a sign-in. */
const secretWords = /DC07|Contoso|Delete|8c157435|sensor/i;

/** An attack, and its honest twin, which differs in one thing and reaches Graph. */
function attackSignIn(
  name: string,
  twin: string,
  act: (scene: SignInScene, isHonest: boolean) => Promise<unknown>,
  options: SignInSceneOptions | ((isHonest: boolean) => SignInSceneOptions) = {},
  [reach, honestReach]: readonly [number, number] = [0, 1],
) {
  for (const isHonest of [false, true]) {
    const row = { on: 'v2 modern', channel: 'signin', reach: isHonest ? honestReach : reach };
    attack(isHonest ? `twin: ${twin}` : name, row, () =>
      playSignInScene(world, typeof options === 'function' ? options(isHonest) : options, async (scene) => {
        await act(scene, isHonest);
        await scene.call();
      }),
    );
  }
}

/** Approves where the page has a form, and tells what was shown. */
async function approveWith(browser: PersonsBrowser, page: ShownPage): Promise<ShownPage> {
  if (page.action !== '') await browser.post(page, yes);
  return page;
}
const approveAs = async ({ browserOf, ask }: SignInScene, person: Parameters<SignInScene['browserOf']>[0]) => {
  const browser = browserOf(person);
  return approveWith(browser, await browser.open(await ask()));
};

const expectRefused = (page: ShownPage, sentence: string) => {
  expect(page).toMatchObject({ status: 403, action: '' });
  expect(page.body).toContain(sentence);
  expect(page.body.replace(/Sensors\.Approver/, '')).not.toMatch(/DC07|delete/i);
};

describe.concurrent('who may not approve', () => {
  attackSignIn(
    'approval by somebody else than the person who asked',
    'approval by that person',
    async (scene, isHonest) => {
      const page = await approveAs(scene, isHonest ? world.alice : world.bob);
      if (!isHonest) expectRefused(page, 'Only the person who asked may answer this, and you are somebody else.');
    },
  );
  attackSignIn(
    'approval by the person who asked, with --approvers other',
    'approval by a second person with the role',
    async (scene, isHonest) => {
      const page = await approveAs(scene, isHonest ? world.bob : world.alice);
      if (!isHonest) expectRefused(page, 'You asked for this yourself, and this server wants a second person');
    },
    { approvers: 'other' },
  );
  attackSignIn(
    'approval by a second person without the role',
    'approval by a second person with the role',
    async (scene, isHonest) => {
      const page = await approveAs(scene, isHonest ? world.bob : world.carol);
      if (!isHonest) expectRefused(page, 'Only somebody with the app role Sensors.Approver may answer this');
    },
    { approvers: 'other' },
  );
  attackSignIn(
    'approval without the role of what an app asks',
    'approval with the role of what an app asks',
    async (scene, isHonest) => {
      const page = await approveAs(scene, isHonest ? world.bob : world.carol);
      if (!isHonest) expectRefused(page, 'Only somebody with the app role Sensors.Approver may answer this');
    },
    { as: 'app' },
  );
  attackSignIn('approval for another tenant', 'approval for the tenant of the sign-in', async (scene, isHonest) => {
    const tenantId = '11111111-1111-4111-8111-111111111111';
    if (!isHonest) await scene.server.tell({ do: 'set', set: { identity: { tenantId } } });
    const page = await approveAs(scene, world.alice);
    if (!isHonest) expectRefused(page, 'You signed in to another tenant than the one that is asked about.');
  });

  test('a sign-in of somebody who may not approve is audited with who that was', async () => {
    await playSignInScene(world, {}, async (scene) => {
      await approveAs(scene, world.carol);
      expect(readRecords(scene.server).at(-1)).toMatchObject({
        kind: 'ignored',
        reason: 'Only the person who asked may answer this, and you are somebody else.',
        approver: { tid: world.home.id, oid: world.carol.objectId, name: 'carol@contoso.com' },
      });
    });
  });
});

describe.concurrent('sign-ins that do not count', () => {
  attackSignIn(
    'a sign-in of an hour ago, by an address without prompt=login',
    'a fresh sign-in of the same person',
    async ({ ask, browserOf }, isHonest) => {
      const browser = browserOf(world.early);
      const entra = await browser.begin(await ask());
      expect(Object.fromEntries(new URL(entra).searchParams)).toMatchObject({
        prompt: 'login',
        max_age: '0',
        code_challenge_method: 'S256',
        response_type: 'code',
      });
      const page = await browser.send(
        await browser.signIn(isHonest ? entra : entra.replace('prompt=login', 'prompt=none')),
      );
      if (!isHonest) expectRefused(page, 'You signed in before this was asked. Sign in again');
      await approveWith(browser, page);
    },
    { as: 'app' },
  );
  attackSignIn(
    'a sign-in without auth_time',
    'a sign-in with it',
    async (scene, isHonest) => {
      const page = await approveAs(scene, world.alice);
      if (!isHonest)
        expectRefused(
          page,
          'Let an administrator add the optional claim auth_time to the ID token of the app registration',
        );
    },
    (isHonest) => ({ app: isHonest ? 'app' : 'appWithoutTime' }),
  );
  for (const [what, param] of [
    ['code', 'code'],
    ['state', 'state'],
  ] as const) {
    attackSignIn(
      `the ${what} of another question's sign-in`,
      `the ${what} of its own`,
      async ({ ask, browserOf }, isHonest) => {
        const browser = browserOf(world.alice);
        const other = new URL(await browser.signIn(await browser.begin(await ask('DC01.contoso.com'))));
        const own = new URL(await browser.signIn(await browser.begin(await ask())));
        if (!isHonest) own.searchParams.set(param, other.searchParams.get(param) ?? '');
        const page = await browser.send(own.href);
        if (!isHonest) expect(page).toMatchObject({ status: 403, action: '' });
        await approveWith(browser, page);
      },
    );
  }
  attackSignIn(
    "an attacker's sign-in in the browser of somebody who has begun their own for that question",
    'their own',
    async ({ ask, browserOf }, isHonest) => {
      const address = await ask();
      const [own, attacker] = [browserOf(world.alice), browserOf(world.bob)];
      const ownEntra = await own.begin(address);
      const back = isHonest ? await own.signIn(ownEntra) : await attacker.signIn(await attacker.begin(address));
      const page = await own.send(back);
      if (!isHonest) expectRefused(page, 'This sign-in is not the one that was begun in this browser last.');
      await approveWith(own, page);
    },
    { as: 'app' },
  );
  attackSignIn(
    "an attacker's sign-in in the browser of somebody else",
    "a person's own sign-in in their browser",
    async ({ ask, browserOf }, isHonest) => {
      const address = await ask();
      const [own, attacker] = [browserOf(world.alice), browserOf(world.bob)];
      const entra = await (isHonest ? own : attacker).begin(address);
      const page = await own.send(await (isHonest ? own : attacker).signIn(entra));
      if (!isHonest) expectRefused(page, 'This sign-in was not begun in this browser, or is over already.');
      await approveWith(own, page);
    },
    { as: 'app' },
  );
  attackSignIn(
    'a sign-in that the person was led into by the address of an attacker',
    'a sign-in by the address of the question',
    async ({ ask, browserOf }, isHonest) => {
      const address = await ask();
      const [person, attacker] = [browserOf(world.alice), browserOf(world.bob)];
      const back = await person.signIn(await (isHonest ? person : attacker).begin(address));
      const page = await (isHonest ? person : attacker).send(back);
      if (!isHonest) {
        // The attacker's browser has begun it, and the code never comes there by itself; the person's browser has no cookie.
        expectRefused(await person.send(back), 'This sign-in was not begun in this browser, or is over already.');
        return;
      }
      await approveWith(person, page);
    },
  );
  attackSignIn('an answer with the iss of another Entra', 'an answer with its own iss', async (scene, isHonest) => {
    const browser = scene.browserOf(world.alice);
    const back = new URL(await browser.signIn(await browser.begin(await scene.ask())));
    expect(back.searchParams.get('iss')).toBe(`${world.entra.authorityHost}/${world.home.id}/v2.0`);
    if (!isHonest) back.searchParams.set('iss', `https://login.evil.example/${world.home.id}/v2.0`);
    const page = await browser.send(back.href);
    if (!isHonest) expectRefused(page, 'This answer is not from the Microsoft Entra of this server.');
    await approveWith(browser, page);
  });
  attackSignIn('an id token with the nonce of another sign-in', 'an id token with its own', async (scene, isHonest) => {
    const browser = scene.browserOf(world.alice);
    const entra = new URL(await browser.begin(await scene.ask()));
    if (!isHonest) entra.searchParams.set('nonce', 'somebody-elses');
    const page = await browser.send(await browser.signIn(entra.href));
    if (!isHonest) expectRefused(page, 'This sign-in belongs to another question.');
    await approveWith(browser, page);
  });
  attackSignIn('a code that was used already', 'a code that is new', async (scene, isHonest) => {
    const browser = scene.browserOf(world.alice);
    const entra = await browser.begin(await scene.ask());
    const cookies = [...browser.cookies];
    const back = await browser.signIn(entra);
    if (!isHonest) {
      await browser.send(back);
      expectRefused(await browser.send(back), 'This sign-in was not begun in this browser, or is over already.');
      for (const [name, value] of cookies) browser.cookies.set(name, value);
    }
    const page = await browser.send(back);
    if (!isHonest) expectRefused(page, 'Microsoft Entra did not complete the sign-in (AADSTS54005).');
    await approveWith(browser, page);
  });
  attackSignIn('a sign-in that the person declined', 'one that they did not', async (scene, isHonest) => {
    const browser = scene.browserOf(isHonest ? world.alice : { ...world.alice, upn: 'nobody' });
    const page = await browser.open(await scene.ask());
    if (!isHonest) expectRefused(page, 'Microsoft Entra did not complete the sign-in');
    await approveWith(browser, page);
  });

  test('an answer without iss counts: Entra need not send one', async () => {
    const reached = await playSignInScene(world, {}, async ({ ask, call, browserOf }) => {
      const browser = browserOf(world.alice);
      const back = new URL(await browser.signIn(await browser.begin(await ask())));
      back.searchParams.delete('iss');
      await approveWith(browser, await browser.send(back.href));
      await call();
    });
    expect(reached).toBe(1);
  });
});

describe.concurrent('what stands before the sign-in', () => {
  attackSignIn('the address of the page without a sign-in', 'the same address with one', async (scene, isHonest) => {
    const address = await scene.ask();
    const browser = scene.browserOf(world.alice);
    if (isHonest) return approveWith(browser, await browser.open(address));
    const page = await browser.send(address);
    expect(page).toMatchObject({ status: 200, action: '', secret: '' });
    expect(page.body).toContain('Sign in to see the question');
    expect(page.body).not.toMatch(secretWords);
    const guessed = await browser.post({ ...page, action: address, secret: 'A'.repeat(32) }, yes);
    expect(guessed.status).toBe(403);
    expect(guessed.body).not.toMatch(secretWords);
  });
  attackSignIn('the cookie of another question', 'its own cookie', async ({ ask, browserOf }, isHonest) => {
    const [other, address] = [await ask('DC01.contoso.com'), await ask()];
    const browser = browserOf(world.alice);
    const page = await browser.open(isHonest ? address : other);
    const name = (of: string) => `approver-${of.slice(-8)}`;
    if (!isHonest) browser.cookies.set(name(address), browser.cookies.get(name(other)) ?? '');
    const { status } = await browser.post({ ...page, action: address }, yes);
    expect(status).toBe(isHonest ? 200 : 403);
  });
  attackSignIn(
    "the cookie without what stands in the page, as another program of the machine can get a browser's cookies",
    'both',
    async ({ ask, browserOf }, isHonest) => {
      const address = await ask();
      const [browser, thief] = [browserOf(world.alice), browserOf(world.alice)];
      const page = await browser.open(address);
      for (const [name, value] of browser.cookies) thief.cookies.set(name, value);
      const seen = await thief.send(address);
      expect(seen.body).not.toMatch(secretWords);
      const { status } = await thief.post({ ...page, ...(!isHonest && { secret: 'A'.repeat(32) }) }, yes);
      expect(status).toBe(isHonest ? 200 : 403);
    },
  );
  attackSignIn('what stands in the page without the cookie', 'both', async ({ ask, browserOf }, isHonest) => {
    const browser = browserOf(world.alice);
    const page = await browser.open(await ask());
    if (!isHonest) browser.cookies.clear();
    expect((await browser.post(page, yes)).status).toBe(isHonest ? 200 : 403);
  });

  test('an address of no question says nothing but that', async () => {
    await playSignInScene(world, {}, async ({ ask, browserOf }) => {
      const { origin } = new URL(await ask());
      for (const path of ['00000000', '00000000/sign-in', 'callback', 'callback?state=00000000.x&code=1', '../approve'])
        expect((await browserOf(world.alice).send(`${origin}/approve/${path}`)).status).toBe(404);
    });
  });
});

describe.concurrent('answers that did not come from the page', () => {
  attackSignIn(
    'a secret that was used already',
    'the secret of the page that was shown last',
    async (scene, isHonest) => {
      const browser = scene.browserOf(world.alice);
      const page = await browser.open(await scene.ask());
      const next = await browser.post(page, { decision: 'neither' });
      expect(next.body).toContain('Choose Decline or Approve.');
      expect((await browser.post(isHonest ? next : page, yes)).status).toBe(isHonest ? 200 : 403);
    },
  );
  for (const [name, headers] of [
    ['another Origin', { Origin: 'https://evil.example' }],
    ['Origin: null', { Origin: 'null' }],
    ['the Origin of another port', { Origin: 'http://localhost:1' }],
    ['the Origin of another name of this machine', { Origin: 'http://127.0.0.1' }],
    ['Sec-Fetch-Site: cross-site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['Sec-Fetch-Site: same-site', { 'Sec-Fetch-Site': 'same-site' }],
    ['another Host', { Host: 'evil.example' }],
    ['plain text', { 'Content-Type': 'text/plain' }],
  ] as const) {
    attackSignIn(`a post with ${name}`, `the same without ${name}`, async ({ ask, browserOf }, isHonest) => {
      const browser = browserOf(world.alice);
      const page = await browser.open(await ask());
      const { status } = await browser.post(page, yes, isHonest ? {} : { headers });
      expect(status).toBe(isHonest ? 200 : 403);
    });
  }
  attackSignIn('a post within a second', 'a post after that', async ({ ask, browserOf }, isHonest) => {
    const browser = browserOf(world.alice);
    const page = await browser.open(await ask());
    const fields = { secret: page.secret, ...yes };
    const answered = isHonest ? await browser.post(page, yes) : await browser.send(page.action, { fields });
    if (!isHonest) expect(answered.body).toContain('That was too fast to have been read.');
  });
  attackSignIn('a decline, then an approval', 'an approval', async ({ ask, browserOf }, isHonest) => {
    const browser = browserOf(world.alice);
    const page = await browser.open(await ask());
    if (isHonest) return browser.post(page, yes);
    const declined = await browser.post(page, { decision: 'decline' });
    expect(declined.body).toContain('A person declined.');
    return browser.post(declined, yes);
  });
  attackSignIn('a page in a frame, or kept', 'the page itself', async ({ ask, browserOf }, isHonest) => {
    const browser = browserOf(world.alice);
    const address = await ask();
    const page = await browser.open(address);
    for (const { headers } of [await browser.send(address), page]) {
      expect(headers).toMatchObject({
        'x-frame-options': 'DENY',
        'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
        'cache-control': 'no-store',
        'referrer-policy': 'same-origin',
      });
    }
    if (isHonest) await browser.post(page, yes);
  });
});

describe.concurrent('a question behind a sign-in', () => {
  test('is read, approved and told; the record of its answer says who signed in, and when', async () => {
    const reached = await playSignInScene(world, {}, async ({ server, call, browserOf }) => {
      const text = await call();
      expect(text.replace(readAddress(text), 'ADDRESS')).toMatch(
        /^approval_pending: A person is asked on the page ADDRESS \(on the machine or container \S+\), after a sign-in with Microsoft Entra; the question is open for 10 minutes\. Nothing was changed\. Tell the user where, and call again with the same arguments when they have answered\. Only the person answers: it takes their own sign-in\./,
      );
      const browser = browserOf(world.alice);
      const page = await browser.open(readAddress(text));
      expect(page.body).toContain('Delete sensor DC07.contoso.com?');
      expect(page.body).toContain('Signed in as alice@contoso.com');
      expect(page.body).not.toContain('at a terminal');
      const approved = await browser.post(page, yes);
      expect(approved.body).toContain('Approved. It is done as soon as the assistant calls again, within 5 minutes.');
      expect(await call()).toContain('Deleted; Graph answers 404');
      const done = await browser.post(approved, { decision: 'look' });
      expect(done.body).toContain('Deleted; Graph answers 404 for it now.');
      expect(done.body).not.toContain('Look again');
      expect(readRecords(server).find(({ kind }) => kind === 'answer')).toMatchObject({
        channel: 'signin',
        action: 'approved',
        approver: {
          tid: '8c157435-5df6-4f27-8379-39535f133377',
          oid: world.alice.objectId,
          name: 'alice@contoso.com',
          authTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]+\.000Z$/),
        },
      });
    });
    expect(reached).toBe(1);
  });

  test('of a wrong text is asked once more after the same sign-in, and of one that changed after another sign-in', async () => {
    const reached = await playSignInScene(world, {}, async ({ server, ask, call, browserOf }) => {
      const browser = browserOf(world.alice);
      const page = await browser.open(await ask());
      const again = await browser.post(page, { ...yes, typed: 'DC70' });
      expect(again.body).toContain('That does not match. To approve, type exactly: DC07.contoso.com');
      expect(again.action).not.toBe(page.action);
      const approved = await browser.post(again, yes);
      const id = find('sensors', 'DC07.contoso.com');
      await server.tell({ do: 'change', of: 'sensors', id, set: { displayName: 'DC70' } });
      const address = readAddress(await call());
      const moved = await browser.post(approved, { decision: 'look' });
      expect(moved).toMatchObject({ status: 303, headers: { location: new URL(address).pathname } });
      const next = await browser.open(address);
      expect(next.body).toContain('name was &quot;DC07&quot;, now &quot;DC70&quot;');
      await browser.post(next, { decision: 'approve', typed: 'DC70.contoso.com' });
      expect(await call()).toContain('Deleted; Graph answers 404');
    });
    expect(reached).toBe(1);
  });

  test('that was declined is lifted by a person who signs in for that', async () => {
    await playSignInScene(world, {}, async ({ server, ask, call, browserOf }) => {
      const address = await ask();
      const browser = browserOf(world.alice);
      await browser.post(await browser.open(address), { decision: 'decline' });
      expect(await call()).toMatch(
        /^approval_busy: .* Only they can let it be asked again: on the approval page, after a sign-in\./,
      );
      const later = browserOf(world.alice);
      const declined = await later.open(address);
      expect(declined.body).toContain('Let it be asked again');
      const lifted = await later.post(declined, { decision: 'lift' });
      expect(lifted.body).toContain('A person declined. It may be asked again.');
      expect(readRecords(server).at(-1)).toMatchObject({ kind: 'lifted', approver: { name: 'alice@contoso.com' } });
      expect(await call()).toMatch(/^approval_pending: /);
    });
  });

  test('opens in the browser of a desktop by its address alone, and is named there as well', async () => {
    const opened: string[] = [];
    const openBrowser = async (address: string) => void opened.push(address);
    await playSignInScene(world, { env: { DISPLAY: ':0' }, openBrowser }, async ({ call }) => {
      const text = await call();
      expect(text).toContain(' (which opens in their browser), after a sign-in with Microsoft Entra;');
      expect(opened).toEqual([readAddress(text)]);
    });
  });

  test('can be answered neither at a terminal nor in a form, and with CI set not at all', async () => {
    const options = {
      flags: { approval: 'signin' },
      patience: 0,
      approvalEntra: { authority: world.entra.authorityHost, fetch: world.fetch },
    };
    const variables = { AZURE_TENANT_ID: world.home.id, AZURE_CLIENT_ID: world.app.id };
    for (const [env, code] of [
      [variables, 'approval_pending'],
      [{ ...variables, CI: 'true' }, 'approval_unavailable'],
    ] as const) {
      const server = await startServer({ ...options, env });
      const client = await connect('v2 modern', server, approve);
      const { text } = await client.call('delete_sensor', { id: find('sensors', 'DC07.contoso.com') });
      expect(text.split(':')[0]).toBe(code);
      expect(existsSync(join(server.home, '.mdi-sensors-mcp'))).toBe(false);
      expect(await server.gated()).toBe(0);
      await client.close();
      await server.end();
    }
  });

  test('is served on a port that nobody else can have under the other address of localhost', async () => {
    await playSignInScene(world, {}, async ({ ask }) => {
      const { port } = new URL(await ask());
      for (const host of ['127.0.0.1', '::1']) {
        const code = await new Promise((resolve) => {
          const server = createServer().once('error', (error) => resolve('code' in error ? error.code : 'none'));
          server.listen(Number(port), host, () => server.close(() => resolve('listens')));
        });
        expect([host, code]).toEqual([host, 'EADDRINUSE']);
      }
    });
  });
});

describe.concurrent('a key that was disclosed', () => {
  const keyYes = { decision: 'approve', typed: 'key Contoso' };

  /** A disclosure that was approved by this browser and done; its outcome as a page. */
  async function disclose({ server, callTool }: SignInScene, browser: PersonsBrowser, waitMs = 0): Promise<ShownPage> {
    const address = readAddress((await callTool('get_deployment_access_key')).text);
    const page = await browser.open(address);
    await server.pass(waitMs);
    const approved = await browser.post(page, keyYes);
    const { text, structured } = await callTool('get_deployment_access_key');
    expect(structured).toMatchObject({ outcome: 'The access key is shown to whoever approved it' });
    expect(structured).not.toHaveProperty('file');
    expectNoKeyIn(text);
    return browser.post(approved, { decision: 'look' });
  }

  attackSignIn(
    'Show by another approver than the one who approved',
    'Show by that one',
    async (scene, isHonest) => {
      const [browser, other] = [scene.browserOf(world.alice), scene.browserOf(world.bob)];
      const address = readAddress((await scene.callTool('get_deployment_access_key')).text);
      const othersPage = await other.open(address);
      const outcome = await disclose(scene, browser);
      if (isHonest) {
        expect((await browser.post(outcome, { decision: 'show' })).body).toContain(keysBegin);
        return;
      }
      const shown = await other.post(othersPage, { decision: 'show' });
      expect(shown.status).toBe(403);
      expect(shown.body).toContain('There is no key to be shown to you.');
      expect((await other.open(address)).body).not.toContain('Show the key');
    },
    { as: 'app' },
    [1, 2],
  );
  attackSignIn(
    'Show by another approver whose approval came too late',
    'Show by the one whose approval counted',
    async (scene, isHonest) => {
      const [browser, other] = [scene.browserOf(world.alice), scene.browserOf(world.bob)];
      const address = readAddress((await scene.callTool('get_deployment_access_key')).text);
      const othersPage = await other.open(address);
      const outcome = await disclose(scene, browser);
      const late = await other.post(othersPage, keyYes);
      expect([late.status, late.action, late.body.includes('Show the key')]).toEqual([200, '', false]);
      if (isHonest) expect((await browser.post(outcome, { decision: 'show' })).body).toContain(keysBegin);
    },
    { as: 'app' },
    [1, 2],
  );
  attackSignIn(
    'Show 10 minutes after the sign-in',
    'Show before that',
    async (scene, isHonest) => {
      const browser = scene.browserOf(world.alice);
      const outcome = await disclose(scene, browser, 8 * 60_000);
      expect(outcome.body).toContain('You can do that for 2 more minutes.');
      if (!isHonest) await scene.server.pass(2 * 60_000);
      const shown = await browser.post(outcome, { decision: 'show' });
      expect(shown.body.includes(keysBegin)).toBe(isHonest);
      if (!isHonest) expectRefused(shown, 'Your sign-in for this question is over.');
    },
    {},
    [1, 2],
  );
  attackSignIn(
    'Show where the audit log cannot be written any more',
    'Show where it can',
    async (scene, isHonest) => {
      const browser = scene.browserOf(world.alice);
      const outcome = await disclose(scene, browser);
      const { auditLog } = scene.server;
      if (!isHonest) for (const file of readdirSync(auditLog)) rmSync(join(auditLog, file));
      const shown = await browser.post(outcome, { decision: 'show' });
      expect(shown.body.includes(keysBegin)).toBe(isHonest);
      if (!isHonest) expect(shown.body).toContain('The key cannot be shown. The audit log cannot be written');
    },
    {},
    [1, 2],
  );
  attackSignIn(
    'Show before it was done',
    'Show when it was done',
    async (scene, isHonest) => {
      const browser = scene.browserOf(world.alice);
      const address = readAddress((await scene.callTool('get_deployment_access_key')).text);
      const approved = await browser.post(await browser.open(address), keyYes);
      if (isHonest) await scene.callTool('get_deployment_access_key');
      const page = isHonest ? await browser.post(approved, { decision: 'look' }) : approved;
      const shown = await browser.post(page, { decision: 'show' });
      expect(shown.body.includes(keysBegin)).toBe(isHonest);
    },
    {},
    [0, 2],
  );

  test('is audited each time that it is shown, stands in no file and no record, and is not cached', async () => {
    const reached = await playSignInScene(world, {}, async (scene) => {
      const browser = scene.browserOf(world.alice);
      let page = await disclose(scene, browser);
      for (const _ of ['first', 'second']) {
        page = await browser.post(page, { decision: 'show' });
        expect(page.body).toContain(keysBegin);
        expect(page.headers['cache-control']).toBe('no-store');
        page = await browser.post(page, { decision: 'look' });
        expectNoKeyIn(page.body);
      }
      const records = readRecords(scene.server);
      const [, fingerprint = ''] = /fingerprint <code>([0-9a-f]{8})</.exec(page.body) ?? [];
      const approver = expect.objectContaining({ oid: world.alice.objectId, name: 'alice@contoso.com' });
      expect(records.slice(-4)).toMatchObject([
        { kind: 'showing', approver },
        { kind: 'shown', fingerprint },
        { kind: 'showing', approver },
        { kind: 'shown', fingerprint },
      ]);
      expectNoKeyIn(JSON.stringify(records));
      expect(existsSync(scene.server.secretsDir)).toBe(false);
    });
    expect(reached).toBe(3);
  });

  test('that was replaced is shown as the new one; one that somebody replaced since is told apart', async () => {
    const reached = await playSignInScene(world, {}, async (scene) => {
      const rotate = () => scene.callTool('regenerate_deployment_access_key');
      const browser = scene.browserOf(world.alice);
      const page = await browser.open(readAddress((await rotate()).text));
      expect(page.body).toContain('and kept nowhere; the assistant gets a fingerprint.');
      const approved = await browser.post(page, { decision: 'approve', typed: 'rotate Contoso' });
      const { structured } = await rotate();
      expect(structured).toMatchObject({ rotated: true, fingerprint: expect.stringMatching(/^[0-9a-f]{8}$/) });
      const outcome = await browser.post(approved, { decision: 'look' });
      expect(outcome.body).toContain(`The key has the fingerprint <code>${structured?.fingerprint}</code>.`);
      const shown = await browser.post(outcome, { decision: 'show' });
      expect(shown.body).toContain(`Its fingerprint is <code>${structured?.fingerprint}</code>.`);
      expect(shown.body).not.toContain('This is another key');
      await scene.server.tell({ do: 'set', set: { accessKey: `${keysBegin}another` } });
      const later = await browser.post(await browser.post(shown, { decision: 'look' }), { decision: 'show' });
      expect(later.body).toContain('This is another key than the one that was approved');
    });
    expect(reached).toBe(4);
  });
});

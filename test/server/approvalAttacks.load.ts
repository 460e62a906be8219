import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BrowserRequest, PersonsBrowser, ShownPage } from '../approval/signInScene.ts';
import type { EntraUser } from '../entra/entra.ts';
import { openBrowser, readApprovalAddress, readTypedText } from '../harness/approvals.ts';
import { attack } from '../harness/attacks.ts';
import { keysBegin } from '../harness/canary.ts';
import type { TestClient } from '../harness/clients.ts';
import { callTool, startTeam, type Team } from '../harness/team.ts';

/** What nobody may see before a sign-in, or who may not answer. */
const secretWords = /DC\d\d|contoso|delete/i;

/** A deletion that Olga asks for through a client. */
interface Deletion {
  readonly id: string;
  readonly address: string;
  /** What approves it. */
  readonly yes: { readonly decision: 'approve'; readonly typed: string };
}

interface Scene {
  readonly team: Team;
  readonly people: Team['people'] & { readonly second: EntraUser };
  /** The deletion of the first sensor that is there, or of another one. */
  ask(which?: number): Promise<Deletion>;
  browserOf(person: EntraUser): PersonsBrowser;
}

describe.each([
  ['requester', 'operator'],
  ['other', 'approver'],
] as const)('with --approvers %s', (approvers, who) => {
  let scene: Scene;
  let client: TestClient;
  let olga: string;
  beforeAll(async () => {
    const team = await startTeam({ flags: { singleProcess: true, approvers } });
    const second = team.addPerson('Ada', ['Sensors.Approver']);
    olga = await team.signIn(team.people.operator);
    client = await team.connect('v1', olga);
    const nameOf = ({ displayName, domainName }: Team['tenant']['sensors'][number]) => `${displayName}.${domainName}`;
    const names = team.tenant.sensors.map(nameOf).filter((name) => /^[\w-]+\.[\w.]+$/.test(name));
    // A name that two have, or with strange letters in it, is not typed as it stands.
    const plain = names.filter((name) => names.indexOf(name) === names.lastIndexOf(name));
    const sensors = team.tenant.sensors.filter((one) => plain.includes(nameOf(one)));
    scene = {
      team,
      people: { ...team.people, second },
      browserOf: (person) => openBrowser(team, person),
      async ask(which = 0) {
        const sensor = sensors.filter(({ id }) => team.tenant.sensors.some((one) => one.id === id)).at(which);
        if (sensor === undefined) throw new Error('no sensor is left');
        const { text } = await client.call('delete_sensor', { id: sensor.id });
        return {
          id: sensor.id,
          address: readApprovalAddress(text),
          yes: { decision: 'approve', typed: nameOf(sensor) },
        };
      },
    };
  });
  afterAll(async () => {
    await client.close();
    await scene.team.close();
  });

  /** Who may approve here. */
  const rightful = () => scene.people[who];

  /** An attack on a deletion, and its honest twin, which differs in one thing and reaches Graph; the client calls again after each. */
  function attackDeletion(
    name: string,
    twin: string,
    act: (deletion: Deletion, isHonest: boolean) => Promise<unknown>,
  ): void {
    for (const isHonest of [false, true]) {
      const row = { on: 'HTTP', channel: 'signin', reach: isHonest ? 1 : 0 };
      attack(`${isHonest ? `twin: ${twin}` : name}, --approvers ${approvers}`, row, async () => {
        // What is still open from the attacks before is over.
        scene.team.clock.ahead.monotonic += 11 * 60_000;
        const deletion = await scene.ask();
        const before = scene.team.gated();
        await act(deletion, isHonest);
        await client.call('delete_sensor', { id: deletion.id });
        return scene.team.gated() - before;
      });
    }
  }

  const expectRefused = (page: ShownPage, sentence: string) => {
    expect(page).toMatchObject({ status: 403, action: '' });
    expect(page.body).toContain(sentence);
    expect(page.body).not.toMatch(secretWords);
  };

  async function approveWith(browser: PersonsBrowser, page: ShownPage, { yes }: Deletion): Promise<void> {
    if (page.action !== '') await browser.post(page, yes);
  }

  async function approveAs(person: EntraUser, deletion: Deletion): Promise<ShownPage> {
    const browser = scene.browserOf(person);
    const page = await browser.open(deletion.address);
    await approveWith(browser, page, deletion);
    return page;
  }

  const strangers: [keyof Scene['people'], string][] =
    approvers === 'requester'
      ? [
          ['approver', 'Only the person who asked may answer this, and you are somebody else.'],
          ['reader', 'Only the person who asked may answer this, and you are somebody else.'],
        ]
      : [
          ['operator', 'You asked for this yourself, and this server wants a second person'],
          ['reader', 'Only somebody with the app role Sensors.Approver may answer this'],
        ];
  for (const [stranger, sentence] of strangers) {
    attackDeletion(`approval by the ${stranger}`, `approval by the ${who}`, async (deletion, isHonest) => {
      const page = await approveAs(isHonest ? rightful() : scene.people[stranger], deletion);
      if (!isHonest) expectRefused(page, sentence);
    });
  }

  if (approvers === 'requester') attackSignIns();
  else attackKeys();

  function attackSignIns(): void {
    attackDeletion(
      'a sign-in of an hour ago, by an address without prompt=login',
      'a fresh sign-in',
      async (deletion, isHonest) => {
        const person = rightful();
        person.signedInAt = Math.floor(Date.now() / 1000) - 3_600;
        const browser = scene.browserOf(person);
        const entra = await browser.begin(deletion.address);
        const changed = isHonest ? entra : entra.replace('prompt=login', 'prompt=none');
        const page = await browser.send(await browser.signIn(changed));
        if (!isHonest) expectRefused(page, 'You signed in before this was asked. Sign in again');
        await approveWith(browser, page, deletion);
        person.signedInAt = undefined;
      },
    );
    attackDeletion(
      'a sign-in that tells when its token was issued, not when the person signed in',
      'one that tells both',
      async (deletion, isHonest) => {
        const claims = scene.team.api.optionalClaims.splice(0, isHonest ? 0 : 1);
        const page = await approveAs(rightful(), deletion);
        scene.team.api.optionalClaims.push(...claims);
        if (!isHonest) expectRefused(page, 'Microsoft Entra did not say when you signed in.');
      },
    );
    for (const part of ['code', 'state'])
      attackDeletion(
        `the ${part} of another question's sign-in`,
        `the ${part} of its own`,
        async (deletion, isHonest) => {
          const browser = scene.browserOf(rightful());
          const other = new URL(await browser.signIn(await browser.begin((await scene.ask(1)).address)));
          const own = new URL(await browser.signIn(await browser.begin(deletion.address)));
          if (!isHonest) own.searchParams.set(part, other.searchParams.get(part) ?? '');
          const page = await browser.send(own.href);
          if (!isHonest) expect(page).toMatchObject({ status: 403, action: '' });
          await approveWith(browser, page, deletion);
        },
      );
    for (const [where, hasBegun] of [
      ['of somebody who has begun their own', true],
      ['of somebody else', false],
    ] as const)
      attackDeletion(
        `the end of an attacker's sign-in opened in the browser ${where}`,
        'the end of their own',
        async (deletion, isHonest) => {
          const [own, attacker] = [scene.browserOf(rightful()), scene.browserOf(rightful())];
          const entra = hasBegun || isHonest ? await own.begin(deletion.address) : '';
          const back = await (isHonest ? own.signIn(entra) : attacker.signIn(await attacker.begin(deletion.address)));
          const page = await own.send(back);
          if (!isHonest) expect(page).toMatchObject({ status: 403, action: '' });
          await approveWith(own, page, deletion);
        },
      );
    attackDeletion(
      'the address, leaked to somebody who does not sign in',
      'with a sign-in',
      async (deletion, isHonest) => {
        if (isHonest) return approveAs(rightful(), deletion);
        const browser = scene.browserOf(rightful());
        const page = await browser.send(deletion.address);
        expect(page).toMatchObject({ status: 200, action: '', secret: '' });
        expect(page.body).toContain('Sign in to see the question');
        expect(page.body).not.toMatch(secretWords);
        const guessed = await browser.post({ ...page, action: deletion.address, secret: 'A'.repeat(32) }, deletion.yes);
        expectRefused(guessed, 'Your sign-in for this question is over.');
      },
    );
    attackDeletion(
      'the token with which the client calls for that person, in place of a sign-in',
      'a sign-in of that person',
      async (deletion, isHonest) => {
        if (isHonest) return approveAs(rightful(), deletion);
        const headers = { Authorization: `Bearer ${olga}` };
        const browser = scene.browserOf(rightful());
        expect((await browser.send(deletion.address, { headers })).body).not.toMatch(secretWords);
        const fields = { secret: 'A'.repeat(32), ...deletion.yes };
        expectRefused(
          await browser.send(deletion.address, { headers, fields }),
          'Your sign-in for this question is over.',
        );
      },
    );
    attackDeletion(
      'an answer to a form in the call itself, for which nobody was asked',
      'an answer on the page',
      async (deletion, isHonest) => {
        if (isHonest) return approveAs(rightful(), deletion);
        const { params, ...call } = callTool('delete_sensor', { id: deletion.id });
        const inputResponses = { confirm: { action: 'accept', content: { typed: deletion.yes.typed } } };
        const { text } = await scene.team.post(olga, { ...call, params: { ...params, inputResponses } });
        expect(text).toContain('approval_pending');
      },
    );
    attackDeletion('the cookie of another question', 'its own cookie', async (deletion, isHonest) => {
      const other = await scene.ask(1);
      const browser = scene.browserOf(rightful());
      const page = await browser.open(isHonest ? deletion.address : other.address);
      const name = ({ address }: Deletion) => `__Host-approver-${address.slice(-8)}`;
      if (!isHonest) browser.cookies.set(name(deletion), browser.cookies.get(name(other)) ?? '');
      const { status } = await browser.post({ ...page, action: deletion.address }, deletion.yes);
      expect(status).toBe(isHonest ? 200 : 403);
    });
    for (const [name, change] of [
      ['no cookie', (browser: PersonsBrowser) => browser.cookies.clear()],
      ['another secret than the one of the page', () => ({ fields: { secret: 'A'.repeat(32) } })],
      ['a foreign Origin', () => ({ headers: { Origin: 'https://evil.example' } })],
      ['Origin: null', () => ({ headers: { Origin: 'null' } })],
      ['an Origin that begins like the right one', () => ({ headers: { Origin: 'https://localhost.evil.example' } })],
      ['Sec-Fetch-Site: cross-site', () => ({ headers: { 'Sec-Fetch-Site': 'cross-site' } })],
      ['Sec-Fetch-Site: same-site', () => ({ headers: { 'Sec-Fetch-Site': 'same-site' } })],
      ['another Host', () => ({ headers: { Host: 'evil.example' } })],
      ['the Host of another port', () => ({ headers: { Host: 'localhost' } })],
      ['plain text', () => ({ headers: { 'Content-Type': 'text/plain' } })],
    ] as const)
      attackDeletion(`a post with ${name}`, 'a post of the page itself', async ({ address, yes }, isHonest) => {
        const browser = scene.browserOf(rightful());
        const page = await browser.open(address);
        const changed: BrowserRequest = (isHonest ? undefined : change(browser)) ?? {};
        const { status } = await browser.post(page, { ...yes, ...changed.fields }, { headers: { ...changed.headers } });
        expect(status).toBe(isHonest ? 200 : 403);
      });
    attackDeletion(
      'a secret that was used already',
      'the one of the page shown last',
      async ({ address, yes }, isHonest) => {
        const browser = scene.browserOf(rightful());
        const page = await browser.open(address);
        const next = await browser.post(page, { decision: 'neither' });
        expect((await browser.post(isHonest ? next : page, yes)).status).toBe(isHonest ? 200 : 403);
      },
    );

    test('no page may be framed or kept, before a sign-in or after it', async () => {
      const { address } = await scene.ask();
      const browser = scene.browserOf(rightful());
      for (const { headers } of [await browser.send(address), await browser.open(address)])
        expect(headers).toMatchObject({
          'x-frame-options': 'DENY',
          'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
          'cross-origin-opener-policy': 'same-origin',
          'cache-control': 'no-store',
          'referrer-policy': 'same-origin',
        });
    });
  }

  function attackKeys(): void {
    /** The key, disclosed to Anna; her browser with the page of the outcome, and the page of Ada, who could have approved too. */
    async function disclose() {
      const ask = (args = {}) => client.call('get_deployment_access_key', args);
      const first = (await ask()).text;
      const [, repeatOf] = /repeatOf "(\w+)"/.exec(first) ?? [];
      const again = () => ask(repeatOf === undefined ? {} : { repeatOf });
      const address = readApprovalAddress(repeatOf === undefined ? first : (await again()).text);
      const [browser, other] = [scene.browserOf(rightful()), scene.browserOf(scene.people.second)];
      const [page, othersPage] = [await browser.open(address), await other.open(address)];
      const approved = await browser.post(page, { decision: 'approve', typed: readTypedText(page) });
      await again();
      return { address, browser, other, othersPage, outcome: await browser.post(approved, { decision: 'look' }) };
    }
    const show = { decision: 'show' };

    /** An attack on a key that was disclosed once: nothing more may reach Graph. */
    function attackShow(
      name: string,
      twin: string,
      act: (disclosed: Awaited<ReturnType<typeof disclose>>, isHonest: boolean) => Promise<ShownPage>,
    ): void {
      for (const isHonest of [false, true]) {
        const row = { on: 'HTTP', channel: 'signin', reach: isHonest ? 1 : 0 };
        attack(isHonest ? `twin: ${twin}` : name, row, async () => {
          const disclosed = await disclose();
          const before = scene.team.gated();
          expect((await act(disclosed, isHonest)).body.includes(keysBegin)).toBe(isHonest);
          return scene.team.gated() - before;
        });
      }
    }

    attackShow('Show by another approver', 'Show by the one who approved', async (disclosed, isHonest) => {
      if (isHonest) return disclosed.browser.post(disclosed.outcome, show);
      expect((await disclosed.other.open(disclosed.address)).body).not.toContain('Show the key');
      return disclosed.other.post(disclosed.othersPage, show);
    });
    attackShow(
      'Show 10 minutes after the sign-in',
      'Show 9 minutes after it',
      async ({ browser, outcome }, isHonest) => {
        scene.team.clock.ahead.monotonic += (isHonest ? 9 : 10) * 60_000;
        return browser.post(outcome, show);
      },
    );
    attackShow('Show with the cookie of the one who approved', 'with their page too', async (disclosed, isHonest) => {
      const thief = scene.browserOf(scene.people.second);
      if (isHonest) return disclosed.browser.post(disclosed.outcome, show);
      await thief.begin(disclosed.address);
      for (const [name, value] of disclosed.browser.cookies) thief.cookies.set(name, value);
      return thief.post({ ...disclosed.outcome, secret: 'A'.repeat(32) }, show);
    });

    test('Show pressed twice on one page shows the key once, and each showing is in the audit log', async () => {
      const { browser, outcome } = await disclose();
      const before = scene.team.gated();
      const pages = [await browser.post(outcome, show), await browser.post(outcome, show)];
      expect(pages.map(({ status, body }) => [status, body.includes(keysBegin)])).toEqual([
        [200, true],
        [403, false],
      ]);
      expect(scene.team.gated() - before).toBe(1);
      const shown = (await scene.team.audit()).filter(({ kind }) => kind === 'showing' || kind === 'shown');
      expect(shown.slice(-2).map(({ kind }) => kind)).toEqual(['showing', 'shown']);
    });
  }
});

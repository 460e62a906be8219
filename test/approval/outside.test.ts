import { describe, expect, test } from 'vitest';
import { attack } from '../harness/attacks.ts';
import type { Pass } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { type Opened, openOfferedPage, readPage, sendHttp, waitForPageAddress } from '../harness/outside.ts';
import { attackPage, bothEras, playScene, yes } from './scene.ts';

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
    attackPage(`a post with ${name}`, async (page) => {
      expect((await page.post(yes, { headers })).status).toBe(403);
    });
  }

  attackPage('a post without an Origin', async ({ address, secret }, { server }) => {
    await server.pass?.(1_050);
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams({ secret, ...yes }).toString();
    expect((await sendHttp(address, { method: 'POST', headers, body })).status).toBe(403);
  });

  for (const [name, fields] of [
    ['a guessed secret', { ...yes, secret: 'A'.repeat(32) }],
    ['a secret of the same length in other letters', { ...yes, secret: 'é'.repeat(32) }],
    ['no secret', { ...yes, secret: '' }],
    ['a decision that is none', { decision: 'yes', typed: 'DC07.contoso.com' }],
  ] as const) {
    attackPage(`a post with ${name}`, async (page, { client }) => {
      expect((await page.post(fields)).status).toBe(403);
      expect(client.stderr()).not.toContain('Error');
    });
  }

  for (const [name, fields, said] of [
    ['another name', { decision: 'approve', typed: 'DC70.contoso.com' }, 303],
    ['no name', { decision: 'approve' }, 303],
    ['a tick instead of the name', { decision: 'approve', read: 'yes' }, 303],
    ['neither decision', { decision: 'neither', typed: 'DC07.contoso.com' }, 200],
  ] as const) {
    attackPage(`a post with ${name}`, async (page) => {
      expect((await page.post(fields)).status).toBe(said);
    });
  }

  for (const [name, more] of [
    ['decline and approve', { decision: 'decline' }],
    ['two texts', { typed: 'DC70.contoso.com' }],
    ['two secrets', { secret: 'A'.repeat(32) }],
  ] as const) {
    attackPage(`a post with ${name}`, async (page) => {
      const [[field, value = ''] = ['', '']] = Object.entries(more);
      const once = new URLSearchParams({ secret: page.secret, ...yes });
      const body = new URLSearchParams([[field, value], ...once]).toString();
      expect((await page.post({}, { body })).status).toBe(403);
    });
  }

  attack('an approval without a text', { on: 'v2 legacy', channel: 'page' }, () =>
    playScene({}, async ({ client, page: openPage }) => {
      const ids = [find('candidates', 'dc24.contoso.com')];
      const call = async () => (await client.call('activate_sensor_candidates', { ids })).text;
      await call();
      const page = await openPage();
      await page.post({ decision: 'approve' });
      expect(await call()).toMatch(/^approval_pending: /);
    }),
  );

  attackPage('a post within a second', async (page) => {
    const { status, body } = await page.post(yes, { at: 'once' });
    expect(status).toBe(200);
    expect(body).toContain('That was too fast to have been read.');
  });
  attackPage('a post of a megabyte', async (page) => {
    expect((await page.post({ ...yes, more: 'x'.repeat(1_000_000) })).status).toBe(403);
  });
  for (const method of ['HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    attackPage(`the method ${method}`, async (page) => {
      const { status } = await sendHttp(page.address, { method, headers: { Origin: page.origin } });
      expect([403, 404, 405]).toContain(status);
    });
  }
  attackPage('a page in a frame, in another window, or kept', async (page) => {
    expect((await sendHttp(page.address)).headers).toMatchObject({
      'x-frame-options': 'DENY',
      'content-security-policy': expect.stringMatching(
        /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
      ),
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'referrer-policy': 'same-origin',
    });
  });
});

describe.concurrent('pages that somebody else has seen, or that are used again', () => {
  attack('an empty secret on a page that nobody has read', { on: 'v2 legacy', channel: 'page' }, () =>
    playScene({}, async ({ client, call }) => {
      await call();
      const handed = await waitForPageAddress(client.stderr);
      const { origin } = new URL(handed);
      const { location } = (await sendHttp(handed)).headers;
      const headers = { Origin: origin, 'Content-Type': 'application/x-www-form-urlencoded' };
      const body = new URLSearchParams({ secret: '', ...yes }).toString();
      await sendHttp(`${origin}${location}`, { method: 'POST', headers, body });
      expect(await call()).toMatch(/^approval_pending: /);
    }),
  );
  attackPage(
    'a second opener of the question',
    async (page, { call }) => {
      expect((await sendHttp(page.address)).body).toContain('This question was opened a second time, so it is void');
      expect((await page.post(yes)).headers.location).toMatch(/outcome$/);
      expect(await call()).toMatch(/^approval_pending: /);
    },
    { on: bothEras },
  );
  for (const kind of bothEras) {
    attack('a leaked way in, opened before the person', { on: kind, channel: 'page' }, () =>
      playScene({ kind }, async ({ client, call }) => {
        await call();
        const handed = await waitForPageAddress(client.stderr);
        await sendHttp(handed);
        expect((await sendHttp(handed)).body).toContain('was opened a second time, so it is void');
        await call();
      }),
    );
    attack('a leaked way in, opened after the approval', { on: kind, channel: 'page' }, () =>
      playScene({ kind }, async ({ server, client, call }) => {
        await call();
        const handed = await waitForPageAddress(client.stderr);
        await (await openOfferedPage(handed, server.pass)).post(yes);
        expect((await sendHttp(handed)).body).toContain('was opened a second time, so it is void');
        expect(await call()).toMatch(/^approval_pending: /);
      }),
    );
    attack('a leaked way in, opened after the act', { on: kind, channel: 'page', reach: 1 }, () =>
      playScene({ kind }, async ({ server, client, call }) => {
        await call();
        const handed = await waitForPageAddress(client.stderr);
        await (await openOfferedPage(handed, server.pass)).post(yes);
        expect(await call()).toContain('Deleted; Graph answers 404');
        const { body } = await sendHttp(handed);
        expect(body).toContain('Deleted; Graph answers 404 for it now.');
        expect(body).not.toContain('Nothing was changed');
      }),
    );
  }
  attackPage(
    'a page answered twice',
    async (page) => {
      await page.post(yes);
      expect((await page.post(yes)).status).toBe(303);
    },
    { on: bothEras, reach: 1 },
  );
  attackPage(
    'decline, then approve',
    async (page, { call }) => {
      await page.post({ decision: 'decline' });
      await page.post(yes);
      expect(await call()).toMatch(/^approval_busy: A person declined this, or a part of it/);
    },
    { on: bothEras },
  );
  attackPage(
    'a page answered after eleven minutes',
    async (page, { server }) => {
      await server.tell({ do: 'clock', ahead: { monotonic: 11 * 60_000 } });
      expect((await page.post(yes)).headers.location).toMatch(/outcome$/);
    },
    { on: bothEras },
  );
  attackPage(
    'the page of a call that was cancelled',
    async (_, { server, client, call: callAgain }) => {
      const id = find('sensors', 'DC01.contoso.com');
      const cancelled = new AbortController();
      const call = client.call('delete_sensor', { id }, { signal: cancelled.signal }).catch(() => undefined);
      const handed = await waitForPageAddress(client.stderr, 2);
      cancelled.abort();
      await call;
      const page = await openOfferedPage(handed, server.pass);
      expect(page.secret).toBe('');
      await page.post({ decision: 'approve', typed: 'DC01.contoso.com' });
      await callAgain('DC01.contoso.com');
    },
    { on: bothEras, patience: 5_000 },
  );
  attackPage(
    'an approval on a page of one sensor used for another',
    async (page, { call }) => {
      await page.post(yes);
      expect(await call('DC01.contoso.com')).toMatch(/^approval_pending: /);
    },
    { on: bothEras, reach: 1 },
  );
  attackPage(
    'an approval that nobody used in five minutes',
    async (page, { server, call }) => {
      await page.post(yes);
      await server.tell({ do: 'clock', ahead: { monotonic: 6 * 60_000 } });
      expect(await call()).toMatch(/^approval_pending: /);
    },
    { on: bothEras },
  );
  attackPage(
    'a sensor renamed after the approval',
    async (page, { server, call, page: openPage }) => {
      await page.post(yes);
      const id = find('sensors', 'DC07.contoso.com');
      await server.tell({ do: 'change', of: 'sensors', id, set: { displayName: 'DC70' } });
      expect(await call()).toMatch(/^approval_pending: /);
      const next = await openPage(2);
      expect(next.body).toContain('name was &quot;DC07&quot;, now &quot;DC70&quot;');
    },
    { on: bothEras },
  );
  attackPage(
    'two calls racing for one approval',
    async (page, { call }) => {
      await page.post(yes);
      const both = await Promise.all([call(), call()]);
      for (const text of both) expect(text).toMatch(/Deleted; Graph answers 404/);
    },
    { on: bothEras, reach: 1 },
  );
});

/** The page of a decline, and what its form takes. */
async function decline(page: Opened, pass: Pass) {
  const { headers } = await page.post({ decision: 'decline' });
  const outcome = await readPage(`${page.origin}${headers.location}`, pass);
  expect(outcome.body).toContain('Let it be asked again');
  return outcome;
}

describe.concurrent('a decline that is taken back', () => {
  test('on the page on which it was given lets the same call ask again', async () => {
    const reached = await playScene({}, async ({ server, call, page: openPage }) => {
      await call();
      const outcome = await decline(await openPage(), server.pass);
      expect(await call()).toMatch(/^approval_busy: /);
      const { status, headers } = await outcome.post({});
      expect({ status, location: headers.location }).toEqual({
        status: 303,
        location: new URL(outcome.address).pathname,
      });
      const after = await readPage(outcome.address);
      expect(after.body).toContain('A person declined. It may be asked again.');
      expect(after.secret).toBe('');
      expect(await call()).toMatch(/^approval_pending: /);
      await (await openPage(2)).post(yes);
      expect(await call()).toContain('Deleted; Graph answers 404');
    });
    expect(reached).toBe(1);
  });

  for (const [name, fields, options] of [
    ['a guessed secret', { secret: 'A'.repeat(32) }, {}],
    ['no secret', { secret: '' }, {}],
    ['another Origin', {}, { headers: { Origin: 'https://evil.example' } }],
    ['a cross-site form', {}, { headers: { 'Sec-Fetch-Site': 'cross-site' } }],
    ['JSON', {}, { headers: { 'Content-Type': 'application/json' } }],
    ['a megabyte', { more: 'x'.repeat(1_000_000) }, {}],
  ] as const) {
    attackPage(`a decline taken back with ${name}`, async (page, { server, call }) => {
      const outcome = await decline(page, server.pass);
      expect((await outcome.post(fields, options)).status).toBe(403);
      expect(await call()).toMatch(/^approval_busy: /);
    });
  }
  attackPage('a decline taken back by a second click on the same spot', async (page, { server, call }) => {
    const outcome = await decline(page, server.pass);
    const { status, body } = await outcome.post({}, { at: 'once' });
    expect({ status, isOffered: body.includes('Let it be asked again') }).toEqual({ status: 200, isOffered: true });
    expect(await call()).toMatch(/^approval_busy: /);
  });
  attackPage('a decline taken back by whoever opens its page second', async (page, { server, call }) => {
    const outcome = await decline(page, server.pass);
    const second = await readPage(outcome.address, server.pass);
    expect(second.secret).toBe('');
    await second.post({});
    expect(await call()).toMatch(/^approval_busy: /);
  });
  attack('a decline taken back by a leaked way in', { on: 'v2 legacy', channel: 'page' }, () =>
    playScene({}, async ({ server, client, call }) => {
      await call();
      const handed = await waitForPageAddress(client.stderr);
      await (await openOfferedPage(handed, server.pass)).post({ decision: 'decline' });
      const outcome = await readPage(`${handed.replace('/open/', '/q/')}/outcome`, server.pass);
      expect(outcome.secret).toBe('');
      expect((await outcome.post({})).status).toBe(403);
      expect(await call()).toMatch(/^approval_busy: /);
    }),
  );
  attackPage('a decline taken back on the page of another question', async (page, { server, call, page: openPage }) => {
    await decline(page, server.pass);
    await call('DC01.contoso.com');
    const other = await openPage(2);
    await sendHttp(`${other.address}/outcome`, {
      method: 'POST',
      headers: { Origin: other.origin, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ secret: other.secret }).toString(),
    });
    expect(await call()).toMatch(/^approval_busy: /);
  });
});

test('after a wrong text the same window asks once more, and the right one approves', async () => {
  const reached = await playScene({}, async ({ server, call, page: openPage }) => {
    await call();
    const page = await openPage();
    const { headers } = await page.post({ decision: 'approve', typed: 'DC70' });
    const outcome = await sendHttp(`${page.origin}${headers.location}`);
    const again = await readPage(`${page.origin}${outcome.headers.location}`, server.pass);
    expect(again.body).toContain('That does not match. To approve, type exactly: DC07.contoso.com');
    await again.post(yes);
    expect(await call()).toContain('Deleted; Graph answers 404');
  });
  expect(reached).toBe(1);
});

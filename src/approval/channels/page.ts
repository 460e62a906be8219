import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import * as z from 'zod';
import type { Desk, Look } from '../inbox.ts';
import { createWindows, type Place } from './browserQueue.ts';
import { outcomePage, plainPage, questionPage, styleSource } from './pageHtml.ts';

/** A loopback page on which a person answers questions; see `Desk`. */
export interface Page {
  /** Opens a question in the person's browser in its turn, or names the file to open. Rejects where neither is possible. */
  show(nonce: string): Promise<void>;
  place(nonce: string): Place;
  close(): Promise<void>;
}

interface Options {
  readonly desk: Desk;
  /** Opens a local file in a browser; undefined where only the file's name is said. */
  readonly openBrowser: ((file: string) => Promise<void>) | undefined;
  say(line: string): void;
}

/** One question as one browser has it. */
interface Sheet {
  nonce: string;
  /** `handed`: the way in; `new`: not shown yet; `open`: shown with its form; `answered`: the outcome only. */
  state: 'handed' | 'new' | 'open' | 'answered';
  secret: string;
  shownAt: number;
}

/** Nobody reads a question in less. */
const fastestPerson = 1_000;
const answer = z.object({
  secret: z.string(),
  decision: z.enum(['approve', 'decline', 'neither']),
  read: z.literal('yes').optional(),
  typed: z.string().optional(),
});

const headers = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': `default-src 'none'; style-src ${styleSource}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

const token = () => randomBytes(24).toString('base64url');
const hash = (text: string) => createHash('sha256').update(text).digest();
const isSecret = (said: string, secret: string) => timingSafeEqual(hash(said), hash(secret));

export function createPage({ desk, openBrowser, say }: Options): Page {
  const sheets = new Map<string, Sheet>();
  const isWaiting = (nonce: string) => desk.look(nonce)?.state === 'waiting';
  const windows = createWindows({ openBrowser, isWaiting, say });
  let server: Promise<Server> | undefined;

  const origin = async () => {
    server ??= listen(app.fetch);
    server.catch(() => {
      server = undefined;
    });
    return `http://127.0.0.1:${portOf(await server)}`;
  };

  const sheetFor = (nonce: string, state: Sheet['state']) => {
    const address = token();
    sheets.set(address, { nonce, state, secret: '', shownAt: 0 });
    for (const old of [...sheets.keys()].slice(0, -200)) sheets.delete(old);
    return address;
  };

  const sheetsOf = (nonce: string) => [...sheets].filter(([, sheet]) => sheet.nonce === nonce);

  /** Takes a question back that still waits for a window of its own. */
  const recall = async (nonce: string) => {
    if (!(await windows.recall(nonce))) return;
    for (const [address] of sheetsOf(nonce)) sheets.delete(address);
  };

  /** A call that waits acts at once, so its outcome is worth a moment. */
  const settled = async (nonce: string) => {
    const isOpen = () => ['approved', 'acting'].includes(desk.look(nonce)?.state ?? '');
    for (let round = 0; round < 20 && isOpen(); round++) await wait(100);
    return desk.look(nonce);
  };

  const form = (c: Context, sheet: Sheet, look: Look, problem?: string) => {
    sheet.state = 'open';
    sheet.secret = token();
    sheet.shownAt = performance.now();
    return c.html(questionPage(look, sheet.secret, problem));
  };

  const gone = (c: Context) => c.html(plainPage('Not found', 'There is no question here.'), 404);
  const refused = (c: Context, why: string) => c.html(plainPage('Not accepted', `${why} Nothing was changed.`), 403);
  const twice = (c: Context, look: Look) => {
    desk.withdraw(look.nonce, 'It was opened twice, so somebody else may have seen it');
    const now = desk.look(look.nonce) ?? look;
    return now.state === look.state
      ? c.html(outcomePage(now))
      : refused(c, 'This question was opened a second time, so it is void: the assistant has to ask again.');
  };

  const app = new Hono<{ Variables: { sheet: Sheet; look: Look } }>();

  app.use(async (c, next) => {
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    const own = await origin();
    if (c.req.header('host') !== own.slice('http://'.length))
      return refused(c, 'This address is not the one that was opened.');
    if (c.req.method === 'GET') return next();
    if (c.req.method !== 'POST') return c.html(plainPage('Not accepted', 'Only GET and POST are known here.'), 405);
    const site = c.req.header('sec-fetch-site') ?? 'same-origin';
    const isForm = c.req.header('content-type')?.split(';')[0] === 'application/x-www-form-urlencoded';
    if (c.req.header('origin') !== own || site !== 'same-origin' || !isForm)
      return refused(c, 'This answer did not come from the page itself.');
    return next();
  });
  app.use('/:way/:address/*', async (c, next) => {
    const sheet = sheets.get(c.req.param('address'));
    const look = sheet && desk.look(sheet.nonce);
    if (sheet === undefined || look === undefined) return gone(c);
    c.set('sheet', sheet);
    c.set('look', look);
    return next();
  });

  app.get('/open/:address', async (c) => {
    const { sheet, look } = c.var;
    if (sheet.state !== 'handed') return twice(c, look);
    sheet.state = 'answered';
    await windows.forget(look.nonce);
    return c.redirect(`/q/${sheetFor(look.nonce, 'new')}`, 303);
  });

  app.get('/q/:address', (c) => {
    const { sheet, look } = c.var;
    if (sheet.state === 'handed') return gone(c);
    if (look.state !== 'waiting') return c.redirect(`${c.req.path}/outcome`, 303);
    return sheet.state === 'new' ? form(c, sheet, look) : twice(c, look);
  });

  app.post(
    '/q/:address',
    bodyLimit({ maxSize: 8 * 1024, onError: (c) => refused(c, 'This answer is too long.') }),
    async (c) => {
      const { sheet, look } = c.var;
      if (sheet.state !== 'open' || look.state !== 'waiting') return c.redirect(`${c.req.path}/outcome`, 303);
      const said = answer.safeParse(await c.req.parseBody({ all: true }));
      if (!said.success || !isSecret(said.data.secret, sheet.secret))
        return refused(c, 'This answer did not come from the page itself.');
      if (performance.now() - sheet.shownAt < fastestPerson)
        return form(c, sheet, look, 'That was too fast to have been read. Please read it and answer again.');
      const { decision, read, typed } = said.data;
      if (decision === 'neither') return form(c, sheet, look, 'Choose Decline or Approve.');
      if (decision === 'approve' && look.question.typed === undefined && read === undefined) {
        return form(c, sheet, look, 'To approve, tick the box.');
      }
      sheet.state = 'answered';
      desk.answer(
        look.nonce,
        decision === 'decline' ? { decision } : { decision, ...(typed !== undefined && { typed }) },
        'page',
      );
      return c.redirect(`${c.req.path}/outcome`, 303);
    },
  );

  app.get('/q/:address/outcome', async (c) => {
    const { sheet } = c.var;
    const look = (await settled(sheet.nonce)) ?? c.var.look;
    if (sheet.state !== 'answered') return look.state === 'waiting' ? gone(c) : c.html(outcomePage(look));
    if (look.replacedBy !== undefined) {
      await recall(look.replacedBy);
      const goesOn = isWaiting(look.replacedBy) && sheetsOf(look.replacedBy).length === 0;
      sheet.nonce = look.replacedBy;
      if (goesOn) return c.redirect(`/q/${sheetFor(look.replacedBy, 'new')}`, 303);
    }
    return c.html(outcomePage(look));
  });
  app.notFound(gone);

  return {
    async show(nonce) {
      if (sheetsOf(nonce).length > 0) return;
      await windows.open(nonce, `${await origin()}/open/${sheetFor(nonce, 'handed')}`);
    },
    place: windows.place,
    async close() {
      await windows.close();
      (await server)?.close();
    },
  };
}

/** On loopback alone; an open page does not keep the server of a host that has gone. */
function listen(fetch: (request: Request) => Response | Promise<Response>): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(getRequestListener(fetch, { overrideGlobalObjects: false }));
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server.unref()));
  });
}

const bound = z.object({ port: z.number() });
const portOf = (server: Server) => bound.parse(server.address()).port;

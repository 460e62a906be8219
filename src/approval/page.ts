import { randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import * as z from 'zod';
import type { Desk, Look } from './desk.ts';
import { outcomePage, plainPage, questionPage, redirectFile, styleSource } from './pageHtml.ts';

/** A loopback page on which a person answers questions; see `Desk`. */
export interface Page {
  /** Opens a question in the person's browser, or names the file to open. A failure is said, never thrown. */
  show(nonce: string): Promise<void>;
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
  /** `handed`: the way in; `open`: the form; `answered`: the outcome only. */
  state: 'handed' | 'open' | 'answered';
  secret: string;
  shownAt: number;
}

const millisecondsBetweenWindows = 30_000;
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
const isSecret = (said: string, secret: string) =>
  said.length === secret.length && timingSafeEqual(Buffer.from(said), Buffer.from(secret));

export function createPage({ desk, openBrowser, say }: Options): Page {
  const sheets = new Map<string, Sheet>();
  const files = new Map<string, string>();
  let server: Promise<Server> | undefined;
  let queue: Promise<void> = Promise.resolve();
  let lastWindow = Number.NEGATIVE_INFINITY;

  const origin = async () => {
    server ??= listen(app.fetch);
    return `http://127.0.0.1:${portOf(await server)}`;
  };

  const sheetFor = (nonce: string, state: Sheet['state']) => {
    const address = token();
    sheets.set(address, { nonce, state, secret: '', shownAt: 0 });
    for (const old of [...sheets.keys()].slice(0, -200)) sheets.delete(old);
    return address;
  };

  /** A question that replaced another is in one window: the one of the other, or a new one. */
  const isHeld = (nonce: string) => [...sheets.values()].some((sheet) => sheet.nonce === nonce);

  const forget = async (nonce: string) => {
    const file = files.get(nonce);
    files.delete(nonce);
    if (file !== undefined) await rm(join(file, '..'), { recursive: true, force: true });
  };

  const hand = async (nonce: string) => {
    if (desk.look(nonce)?.state !== 'waiting' || isHeld(nonce)) return;
    const folder = await mkdtemp(join(tmpdir(), 'mdi-sensors-mcp-'));
    const file = join(folder, 'approval.html');
    files.set(nonce, file);
    const address = `${await origin()}/open/${sheetFor(nonce, 'handed')}`;
    await writeFile(file, String(await redirectFile(address)), { mode: 0o600 });
    const name = () => say(`A person's approval is needed. Open this file in a browser: ${file}`);
    if (openBrowser === undefined) name();
    else await openBrowser(file).catch(name);
  };

  const form = (c: Context, sheet: Sheet, look: Look, problem?: string) => {
    sheet.secret = token();
    sheet.shownAt = performance.now();
    return c.html(questionPage(look, sheet.secret, problem));
  };

  const gone = (c: Context) => c.html(plainPage('Not found', 'There is no question here.'), 404);
  const refused = (c: Context, why: string) => c.html(plainPage('Not accepted', `${why} Nothing was changed.`), 403);
  const twice = (c: Context, nonce: string) => {
    desk.withdraw(nonce, 'It was opened twice, so somebody else may have seen it');
    return refused(c, 'This question was opened a second time, so it is void: the assistant has to ask again.');
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
    if (sheet.state !== 'handed') return twice(c, sheet.nonce);
    sheet.state = 'answered';
    await forget(look.nonce);
    return c.redirect(`/q/${sheetFor(look.nonce, 'open')}`, 303);
  });

  app.get('/q/:address', (c) => {
    const { sheet, look } = c.var;
    if (sheet.state === 'handed') return gone(c);
    if (look.state !== 'waiting') return c.redirect(`${c.req.path}/outcome`, 303);
    if (sheet.state === 'answered' || sheet.secret !== '') return twice(c, sheet.nonce);
    return form(c, sheet, look);
  });

  app.post(
    '/q/:address',
    bodyLimit({ maxSize: 8 * 1024, onError: (c) => refused(c, 'This answer is too long.') }),
    async (c) => {
      const { sheet, look } = c.var;
      if (sheet.state !== 'open' || look.state !== 'waiting') return c.redirect(`${c.req.path}/outcome`, 303);
      const said = answer.safeParse(await c.req.parseBody());
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

  app.get('/q/:address/outcome', (c) => {
    const { sheet, look } = c.var;
    if (look.replacedBy !== undefined && sheet.state === 'answered') {
      const next = desk.look(look.replacedBy);
      const isFree = !isHeld(look.replacedBy);
      sheet.nonce = look.replacedBy;
      if (next?.state === 'waiting' && isFree) return c.redirect(`/q/${sheetFor(next.nonce, 'open')}`, 303);
    }
    return look.state === 'waiting' && sheet.state !== 'answered' ? gone(c) : c.html(outcomePage(look));
  });
  app.notFound(gone);

  return {
    show(nonce) {
      queue = queue.then(async () => {
        const rest = lastWindow + millisecondsBetweenWindows - performance.now();
        if (rest > 0 && openBrowser !== undefined) await new Promise((resolve) => setTimeout(resolve, rest).unref());
        if (desk.look(nonce)?.state !== 'waiting') return;
        lastWindow = performance.now();
        await hand(nonce).catch((error: unknown) => say(`The approval page could not be opened: ${String(error)}`));
      });
      return queue;
    },
    async close() {
      await Promise.all([...files.keys()].map(forget));
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

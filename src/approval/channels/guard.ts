import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { createMessagePage, styleSource } from './pageHtml.ts';

const longestAnswerBytes = 8 * 1024;
/** Nobody reads a question faster. */
const fastestAnswerMs = 1_000;

const headers = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': `default-src 'none'; style-src ${styleSource}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/** Accepts what a browser sends from the pages of this origin (`http://127.0.0.1:5000`) themselves, and nothing else. */
export const createSourceCheck =
  (getOrigin: () => Promise<string>): MiddlewareHandler =>
  async (c, next) => {
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    const origin = await getOrigin();
    if (c.req.header('host') !== new URL(origin).host) return refuse(c, 'This address is not the one that was opened.');
    if (c.req.method === 'GET') return next();
    if (c.req.method !== 'POST')
      return c.html(createMessagePage('Not accepted', 'Only GET and POST are known here.'), 405);
    const site = c.req.header('sec-fetch-site') ?? 'same-origin';
    const isForm = c.req.header('content-type')?.split(';')[0] === 'application/x-www-form-urlencoded';
    if (c.req.header('origin') !== origin || site !== 'same-origin' || !isForm) return refuse(c, notFromPage);
    return next();
  };

export const limitAnswer: MiddlewareHandler = bodyLimit({
  maxSize: longestAnswerBytes,
  onError: (c) => refuse(c, 'This answer is too long.'),
});

export const notFromPage = 'This answer did not come from the page itself.';
export const answerNotFound = (c: Context) => c.html(createMessagePage('Not found', 'There is no question here.'), 404);
export const refuse = (c: Context, why: string) =>
  c.html(createMessagePage('Not accepted', `${why} Nothing was changed.`), 403);

/** What has to come back with an answer, and when it was shown, by the monotonic clock. */
export interface FormSecret {
  /** Empty where no form is open. */
  secret: string;
  shownAtMs: number;
}

export const createToken = () => randomBytes(24).toString('base64url');
const hash = (text: string) => createHash('sha256').update(text).digest();
export const isSecret = (text: string, secret: string) => timingSafeEqual(hash(text), hash(secret));

/** Whether the form was shown long enough for a person to have read it. */
export const isReadable = ({ shownAtMs }: FormSecret, nowMs: number) => nowMs - shownAtMs >= fastestAnswerMs;

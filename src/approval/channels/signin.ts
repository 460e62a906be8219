import { type Context, Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import * as z from 'zod';
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config.ts';
import { readSubject, type SignedInPerson, type SignIn, SignInRefused } from '../../entra/signIn.ts';
import { ToolError } from '../../errors.ts';
import type { Secret } from '../../secrets/secret.ts';
import { findObjection } from '../approvers.ts';
import type { ApprovalInbox, Decision, QuestionNames, RequestView } from '../inbox.ts';
import { computeDigest, isRefusal, type Question } from '../question.ts';
import { approvalPath, callbackPath } from './address.ts';
import {
  answerNotFound,
  createSourceCheck,
  createToken,
  type FormSecret,
  isReadable,
  isSecret,
  limitAnswer,
  notFromPage,
  refuse,
} from './guard.ts';
import { serveOnLoopback } from './loopback.ts';
import { waitForOutcome } from './outcome.ts';
import {
  createKeyPage,
  createMessagePage,
  createOutcomePage,
  createProblemPage,
  createQuestionPage,
  createSignInPage,
  createSignInProblemPage,
} from './pageHtml.ts';

export interface SignInPageOptions {
  readonly inbox: ApprovalInbox;
  readonly signIn: SignIn;
  readonly approvers: Config['approvers'];
  readonly clock: Clock;
  /** Scheme, host and port under which browsers reach it: `https://mdi.contoso.com`. */
  getOrigin(): Promise<string>;
  /** Reads the key that this question disclosed, for the person who approved it. @throws a ToolError. */
  readKey(question: Question, approver: SignedInPerson): Promise<Secret>;
}

/** What one person may do with one question after a sign-in, in one browser. */
interface ApproverSession extends FormSecret {
  /** What the cookie of the browser says. */
  readonly token: string;
  nonce: string;
  readonly approver: SignedInPerson;
  /** When it ends, by the monotonic clock. */
  readonly endsAtMs: number;
  hasApproved: boolean;
}

interface SessionView {
  readonly session: ApproverSession;
  readonly view: RequestView;
}

const sessionMinutes = 10;
/** Only who may answer has one. */
const mostSessions = 200;

const formFields = z.object({
  secret: z.string().min(1),
  decision: z.enum(['approve', 'decline', 'neither', 'look', 'lift', 'show']),
  typed: z.string().default(''),
});

/**
 * The page of a question behind a fresh sign-in with Microsoft Entra. Its address, `/approve/<id of the question>`, gives
 * nothing away and may stand anywhere: what leads to an answer is a cookie of the browser that signed in together with a
 * secret that stands in the page alone, which no other program on this machine reads from a cookie or the browser's history.
 *
 * The cookies have `HttpOnly` and `SameSite=Lax`; under https also `Secure` and the prefix `__Host-`, which browsers refuse
 * or handle differently on loopback over http.
 */
export class SignInPage {
  /** To be mounted at the root of a server; it answers below `/approve/` only. */
  readonly app = new Hono();
  readonly #options: SignInPageOptions;
  /** By their tokens. */
  readonly #sessions = new Map<string, ApproverSession>();

  constructor(options: SignInPageOptions) {
    this.#options = options;
    this.app.use(`${approvalPath}/*`, createSourceCheck(options.getOrigin));
    this.app.get(callbackPath, (c) => this.#receiveSignIn(c));
    this.app.get(`${approvalPath}/:id`, (c) => this.#showEntrance(c));
    this.app.get(`${approvalPath}/:id/sign-in`, (c) => this.#beginSignIn(c));
    this.app.post(`${approvalPath}/:id`, limitAnswer, (c) => this.#takeAnswer(c));
    this.app.all(`${approvalPath}/*`, answerNotFound);
  }

  async #showEntrance(c: Context<object, '/:id'>) {
    const view = await this.#options.inbox.find(c.req.param('id'));
    if (view === undefined) return answerNotFound(c);
    const next = await this.#findNext(view);
    if (next !== undefined) return c.redirect(`${approvalPath}/${next.id}`, 303);
    return c.html(createSignInPage(createSignInPath(view)));
  }

  async #beginSignIn(c: Context<object, '/:id'>) {
    const view = await this.#options.inbox.find(c.req.param('id'));
    if (view === undefined) return answerNotFound(c);
    try {
      const { address, sealed } = await this.#options.signIn.begin({
        subject: view.id,
        redirectUri: await this.#getRedirectUri(),
      });
      await this.#setCookie(c, 'signin', view.id, sealed);
      return c.redirect(address, 303);
    } catch (error) {
      return explainProblem(c, error, view);
    }
  }

  /** Whoever Entra sends back sees the question only where they may answer it. */
  async #receiveSignIn(c: Context) {
    const answer = c.req.query();
    const view = await this.#options.inbox.find(readSubject(answer));
    if (view === undefined) return answerNotFound(c);
    const { inbox, signIn, approvers, clock } = this.#options;
    const sealed = await this.#takeCookie(c, 'signin', view.id);
    let approver: SignedInPerson;
    try {
      const purpose = { subject: view.id, redirectUri: await this.#getRedirectUri(), afterMs: view.askedAtMs };
      approver = await signIn.finish(answer, sealed, purpose);
    } catch (error) {
      return explainProblem(c, error, view);
    }
    const objection = findObjection(approver, view.question.context, approvers);
    if (objection !== undefined) {
      await inbox.noteObjection(view.nonce, objection, approver);
      return c.html(createMessagePage('Not for you', objection), 403);
    }
    const token = createToken();
    const endsAtMs = clock.monotonic() + sessionMinutes * 60_000;
    const session = { token, nonce: view.nonce, approver, endsAtMs, hasApproved: false, secret: '', shownAtMs: 0 };
    this.#sessions.set(token, session);
    for (const old of [...this.#sessions.keys()].slice(0, -mostSessions)) this.#sessions.delete(old);
    await this.#setCookie(c, 'approver', view.id, token);
    return this.#show(c, { session, view });
  }

  async #takeAnswer(c: Context<object, '/:id'>) {
    const id = c.req.param('id');
    const session = this.#findSession(await this.#readCookie(c, 'approver', id));
    const view = session && (await this.#options.inbox.view(session.nonce));
    if (session === undefined || view === undefined || view.id !== id)
      return c.html(createSignInProblemPage('Your sign-in for this question is over.', `${approvalPath}/${id}`), 403);
    const fields = formFields.safeParse(await c.req.parseBody({ all: true }));
    if (!fields.success || !isSecret(fields.data.secret, session.secret)) return refuse(c, notFromPage);
    const { decision, typed } = fields.data;
    const signedIn = { session, view };
    if (!isReadable(session, this.#options.clock.monotonic()))
      return this.#show(c, signedIn, 'That was too fast to have been read. Please read it and answer again.');
    session.secret = '';
    switch (decision) {
      case 'neither':
        return this.#show(c, signedIn, 'Choose Decline or Approve.');
      case 'look':
        return this.#showOutcome(c, session);
      case 'lift':
        await this.#options.inbox.lift(view.nonce, session.approver);
        return this.#showOutcome(c, session);
      case 'show':
        return this.#showKey(c, signedIn);
      default: {
        const isDeclined = decision === 'decline' || isRefusal(typed);
        return this.#answer(c, signedIn, isDeclined ? { kind: 'decline' } : { kind: 'approve', typed });
      }
    }
  }

  async #answer(c: Context, { session, view }: SessionView, decision: Decision) {
    const { approver } = session;
    const { isApproved } = await this.#options.inbox.answer(view.nonce, { ...decision, approver }, 'signin');
    session.hasApproved ||= isApproved;
    return this.#showOutcome(c, session);
  }

  /** The question while it waits, else what became of it. */
  async #show(c: Context, { session, view }: SessionView, problem?: string): Promise<Response> {
    if (view.state !== 'waiting') return this.#showOutcome(c, session);
    return c.html(
      createQuestionPage(view, this.#renewSecret(session), problem, this.#describeVisit({ session, view })),
    );
  }

  async #showOutcome(c: Context, session: ApproverSession): Promise<Response> {
    const view = await waitForOutcome(this.#options, session.nonce);
    if (view === undefined) return answerNotFound(c);
    if (view.state === 'waiting') return this.#show(c, { session, view });
    const next = await this.#findNext(view);
    if (next === undefined) return this.#showEnd(c, { session, view });
    // The sign-in was for this question: after a wrong text it is still the same.
    if (computeDigest(next.question) !== computeDigest(view.question))
      return c.redirect(`${approvalPath}/${next.id}`, 303);
    await this.#moveSession(c, session, view, next);
    return this.#show(c, { session, view: next });
  }

  #showEnd(c: Context, { session, view }: SessionView) {
    const { disclosedKey: _, ...plain } = view;
    const shown = session.hasApproved ? view : plain;
    return c.html(createOutcomePage(shown, this.#renewSecret(session), this.#describeVisit({ session, view })));
  }

  async #showKey(c: Context, { session, view }: SessionView) {
    const { inbox, readKey } = this.#options;
    const { approver } = session;
    if (view.disclosedKey === undefined || !session.hasApproved)
      return refuse(c, 'There is no key to be shown to you.');
    try {
      await inbox.noteShowing(view.nonce, approver);
      const key = await readKey(view.question, approver);
      await inbox.noteShown(view.nonce, { fingerprint: key.fingerprint });
      const visit = this.#describeVisit({ session, view });
      return c.html(createKeyPage(view, key, this.#renewSecret(session), visit));
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      await inbox.noteShown(view.nonce, { error: error.code });
      const why = `The key cannot be shown. ${error.message}`;
      return c.html(createProblemPage(view, why, this.#renewSecret(session), this.#describeVisit({ session, view })));
    }
  }

  async #moveSession(c: Context, session: ApproverSession, from: RequestView, to: RequestView): Promise<void> {
    await this.#takeCookie(c, 'approver', from.id);
    session.nonce = to.nonce;
    await this.#setCookie(c, 'approver', to.id, session.token);
  }

  /** The question that took the place of this one. */
  async #findNext({ replacedBy }: RequestView): Promise<RequestView | undefined> {
    return replacedBy === undefined ? undefined : this.#options.inbox.view(replacedBy);
  }

  #findSession(token: string | undefined): ApproverSession | undefined {
    const session = token === undefined ? undefined : this.#sessions.get(token);
    return session !== undefined && this.#options.clock.monotonic() < session.endsAtMs ? session : undefined;
  }

  #renewSecret(session: ApproverSession): string {
    session.secret = createToken();
    session.shownAtMs = this.#options.clock.monotonic();
    return session.secret;
  }

  #describeVisit({ session, view }: SessionView) {
    const minutesLeft = Math.ceil((session.endsAtMs - this.#options.clock.monotonic()) / 60_000);
    return { name: session.approver.name, action: `${approvalPath}/${view.id}`, minutesLeft };
  }

  async #getRedirectUri(): Promise<string> {
    return `${await this.#options.getOrigin()}${callbackPath}`;
  }

  /** Each question has cookies of its own, so that two can be open at once. */
  async #setCookie(c: Context, kind: CookieKind, id: string, value: string): Promise<void> {
    const options = { path: '/', httpOnly: true, sameSite: 'Lax', maxAge: sessionMinutes * 60 } as const;
    setCookie(c, `${kind}-${id}`, value, { ...options, ...(await this.#getPrefix()) });
  }

  async #readCookie(c: Context, kind: CookieKind, id: string): Promise<string | undefined> {
    return getCookie(c, `${kind}-${id}`, (await this.#getPrefix()).prefix);
  }

  /** Reads a cookie that the browser is to forget. */
  async #takeCookie(c: Context, kind: CookieKind, id: string): Promise<string | undefined> {
    const value = await this.#readCookie(c, kind, id);
    deleteCookie(c, `${kind}-${id}`, await this.#getPrefix());
    return value;
  }

  /** The prefix that binds a cookie to this host makes it `Secure` as well. */
  async #getPrefix(): Promise<{ readonly prefix?: 'host' }> {
    return (await this.#options.getOrigin()).startsWith('https:') ? { prefix: 'host' } : {};
  }
}

/** Serves the page on loopback; resolves with its origin. */
export async function serveSignInPage(
  options: Omit<SignInPageOptions, 'getOrigin'>,
  ending: AbortSignal,
): Promise<string> {
  const port = serveOnLoopback((request) => page.app.fetch(request), ending, 'localhost');
  const getOrigin = async () => `http://localhost:${await port}`;
  const page = new SignInPage({ ...options, getOrigin });
  return getOrigin();
}

/** `signin`: what was begun; `approver`: who has signed in. */
type CookieKind = 'signin' | 'approver';

const createSignInPath = ({ id }: QuestionNames) => `${approvalPath}/${id}/sign-in`;

function explainProblem(c: Context, error: unknown, view: RequestView) {
  if (!(error instanceof SignInRefused) && !(error instanceof ToolError)) throw error;
  return c.html(createSignInProblemPage(error.message, createSignInPath(view)), 403);
}

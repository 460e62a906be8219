import { type Context, Hono, type Next } from 'hono';
import * as z from 'zod';
import type { ApprovalInbox, Decision, RequestView } from '../inbox.ts';
import { isRefusal } from '../question.ts';
import { BrowserQueue, type BrowserQueueOptions, type OpeningState } from './browserQueue.ts';
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
import { createOutcomePage, createQuestionPage } from './pageHtml.ts';

interface PageOptions extends Omit<BrowserQueueOptions, 'isWaiting'> {
  readonly inbox: ApprovalInbox;
}

/** One question under one address, which one browser has. */
interface Visit extends FormSecret {
  nonce: string;
  /**
   * `entrance`: the way in, from the file; `entered`: that, used; `unopened`: not shown yet; `open`: shown with its form;
   * `answered`: with this form.
   */
  state: 'entrance' | 'entered' | 'unopened' | 'open' | 'answered';
}

interface Variables {
  visit: Visit;
  view: RequestView;
}
type VisitContext = Context<{ Variables: Variables }>;

const mostVisits = 200;

const formFields = z.object({
  secret: z.string(),
  decision: z.enum(['approve', 'decline', 'neither']),
  typed: z.string().default(''),
});
const liftFields = z.object({ secret: z.string() });

/** A loopback page on which a person answers what is in the inbox. Its server is started with the first question. */
export class ApprovalPage {
  readonly #options: PageOptions;
  readonly #browserQueue: BrowserQueue;
  /** By the random part of their address. */
  readonly #visits = new Map<string, Visit>();
  readonly #app = new Hono<{ Variables: Variables }>();
  #port: Promise<number> | undefined;

  constructor(options: PageOptions) {
    this.#options = options;
    this.#browserQueue = new BrowserQueue({ ...options, isWaiting: (nonce) => this.#isWaiting(nonce) });
    this.#app.use(createSourceCheck(() => this.#origin()));
    this.#app.use('/:path/:address/*', (c, next) => this.#findVisit(c, next));
    this.#app.get('/open/:address', (c) => this.#enter(c));
    this.#app.get('/q/:address', (c) => this.#showQuestion(c));
    this.#app.post('/q/*', limitAnswer);
    this.#app.post('/q/:address', (c) => this.#takeAnswer(c));
    this.#app.get('/q/:address/outcome', (c) => this.#showOutcome(c));
    this.#app.post('/q/:address/outcome', (c) => this.#takeLift(c));
    this.#app.notFound(answerNotFound);
  }

  /** Opens a question in the person's browser in its turn, or names the file to open. Rejects where neither is possible. */
  async show(nonce: string, atOnce: boolean): Promise<void> {
    if (this.#hasVisit(nonce)) return;
    const address = `${await this.#origin()}/open/${this.#addVisit(nonce, 'entrance')}`;
    await this.#browserQueue.open(nonce, address, atOnce);
  }

  isUnfetched(nonce: string): boolean {
    return this.#browserQueue.isUnfetched(nonce);
  }

  getState(nonce: string): OpeningState {
    return this.#browserQueue.getState(nonce);
  }

  async #findVisit(c: VisitContext, next: Next) {
    const visit = this.#visits.get(c.req.param('address') ?? '');
    const view = visit && (await this.#options.inbox.view(visit.nonce));
    if (visit === undefined || view === undefined) return answerNotFound(c);
    c.set('visit', visit);
    c.set('view', view);
    return next();
  }

  /** The way in leads to an address that no file and no process list has held. */
  async #enter(c: VisitContext) {
    const { visit, view } = c.var;
    if (visit.state !== 'entrance') return this.#voidSeenTwice(c);
    visit.state = 'entered';
    this.#browserQueue.remove(view.nonce);
    return c.redirect(`/q/${this.#addVisit(view.nonce, 'unopened')}`, 303);
  }

  async #showQuestion(c: VisitContext) {
    const { visit, view } = c.var;
    if (visit.state === 'entrance') return answerNotFound(c);
    if (view.state !== 'waiting') return redirectToOutcome(c);
    return visit.state === 'unopened' ? this.#showForm(c) : this.#voidSeenTwice(c);
  }

  async #takeAnswer(c: VisitContext) {
    const { visit, view } = c.var;
    const fields = formFields.safeParse(await c.req.parseBody({ all: true }));
    if (visit.state !== 'open' || view.state !== 'waiting') return redirectToOutcome(c);
    if (!fields.success || !isSecret(fields.data.secret, visit.secret)) return refuse(c, notFromPage);
    if (!this.#isReadable(visit))
      return this.#showForm(c, 'That was too fast to have been read. Please read it and answer again.');
    const { decision, typed } = fields.data;
    if (decision === 'neither') return this.#showForm(c, 'Choose Decline or Approve.');
    visit.state = 'answered';
    visit.secret = '';
    const isDeclined = decision === 'decline' || isRefusal(typed);
    const answer: Decision = isDeclined ? { kind: 'decline' } : { kind: 'approve', typed };
    await this.#options.inbox.answer(view.nonce, answer, 'page');
    return redirectToOutcome(c);
  }

  /** What was declined on this page may be asked again, where the person says so on it. */
  async #takeLift(c: VisitContext) {
    const { visit, view } = c.var;
    const fields = liftFields.safeParse(await c.req.parseBody({ all: true }));
    const isOwn = visit.state === 'answered' && visit.secret !== '';
    if (!isOwn || !fields.success || !isSecret(fields.data.secret, visit.secret)) return refuse(c, notFromPage);
    if (!this.#isReadable(visit)) return c.html(createOutcomePage(view, this.#renewSecret(visit)));
    await this.#options.inbox.lift(view.nonce);
    return c.redirect(c.req.path, 303);
  }

  async #showOutcome(c: VisitContext) {
    const { visit } = c.var;
    const view = (await waitForOutcome(this.#options, visit.nonce)) ?? c.var.view;
    if (visit.state !== 'answered')
      return view.state === 'waiting' ? answerNotFound(c) : c.html(createOutcomePage(view));
    const next = view.replacedBy;
    if (next !== undefined) {
      this.#cancelQueued(next);
      const isOpen = (await this.#isWaiting(next)) && !this.#hasVisit(next);
      visit.nonce = next;
      if (isOpen) {
        this.#browserQueue.noteSameWindow(next);
        return c.redirect(`/q/${this.#addVisit(next, 'unopened')}`, 303);
      }
    }
    if (view.state !== 'waiting') this.#browserQueue.noteAnswer(view.nonce);
    // Whoever comes second to this address lifts nothing.
    const secret = view.canBeLifted && visit.secret === '' ? this.#renewSecret(visit) : undefined;
    return c.html(createOutcomePage(view, secret));
  }

  /** A question that is opened a second time is void: somebody else may have seen it. */
  async #voidSeenTwice(c: VisitContext) {
    const { view } = c.var;
    await this.#options.inbox.withdraw(view.nonce, 'It was opened twice, so somebody else may have seen it');
    const now = await this.#options.inbox.view(view.nonce);
    return now?.state === view.state
      ? c.html(createOutcomePage(now))
      : refuse(c, 'This question was opened a second time, so it is void: the assistant has to ask again.');
  }

  async #isWaiting(nonce: string): Promise<boolean> {
    return (await this.#options.inbox.view(nonce))?.state === 'waiting';
  }

  #addVisit(nonce: string, state: Visit['state']): string {
    const address = createToken();
    this.#visits.set(address, { nonce, state, secret: '', shownAtMs: 0 });
    for (const old of [...this.#visits.keys()].slice(0, -mostVisits)) this.#visits.delete(old);
    return address;
  }

  #showForm(c: VisitContext, problem?: string) {
    const { visit, view } = c.var;
    visit.state = 'open';
    return c.html(createQuestionPage(view, this.#renewSecret(visit), problem));
  }

  #renewSecret(visit: Visit): string {
    visit.secret = createToken();
    visit.shownAtMs = this.#options.clock.monotonic();
    return visit.secret;
  }

  #isReadable(visit: Visit): boolean {
    return isReadable(visit, this.#options.clock.monotonic());
  }

  #hasVisit(nonce: string): boolean {
    return [...this.#visits.values()].some((visit) => visit.nonce === nonce);
  }

  /** Takes a question back that still waits for a window of its own. */
  #cancelQueued(nonce: string): void {
    if (!this.#browserQueue.cancel(nonce)) return;
    for (const [address, visit] of this.#visits) if (visit.nonce === nonce) this.#visits.delete(address);
  }

  async #origin(): Promise<string> {
    this.#port ??= serveOnLoopback(this.#app.fetch, this.#options.ending);
    this.#port.catch(() => {
      this.#port = undefined;
    });
    return `http://127.0.0.1:${await this.#port}`;
  }
}

const redirectToOutcome = (c: Context) => c.redirect(`${c.req.path}/outcome`, 303);

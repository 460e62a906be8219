import type { ApprovalInbox, RequestView } from '../../../src/approval/inbox.ts';
import { makeQuestion } from '../questions.ts';

/** A question as page and terminal see it, waiting unless it says otherwise. */
export const makeView = (nonce: string, view: Partial<RequestView> = {}): RequestView => ({
  nonce,
  id: nonce,
  askedAtMs: 0,
  question: makeQuestion(),
  channel: 'page',
  note: [],
  minutesLeft: 10,
  state: 'waiting',
  sentence: '',
  canBeLifted: false,
  ...view,
});

/** An inbox in memory, whose views a test changes, and what was done to it. */
interface FakeInbox extends ApprovalInbox {
  readonly views: Map<string, RequestView>;
  readonly deeds: unknown[][];
}

/** An inbox of questions that wait; an answer ends or approves one. */
export function createFakeInbox(...waiting: readonly string[]): FakeInbox {
  const views = new Map(waiting.map((nonce) => [nonce, makeView(nonce)]));
  const deeds: unknown[][] = [];
  const change = (nonce: string, to: Partial<RequestView>) => {
    const view = views.get(nonce);
    if (view !== undefined) views.set(nonce, { ...view, ...to });
    return views.get(nonce);
  };
  const list = (is: (view: RequestView) => boolean) => [...views.values()].filter(is);
  return {
    views,
    deeds,
    listWaiting: async () => list(({ state }) => state === 'waiting'),
    listDeclined: async () => list(({ canBeLifted }) => canBeLifted),
    view: async (nonce) => views.get(nonce),
    find: async (id) => list((view) => view.id === id)[0],
    noteObjection: async (...objected) => void deeds.push(['objection', ...objected]),
    noteShowing: async (...showing) => void deeds.push(['showing', ...showing]),
    noteShown: async (...shown) => void deeds.push(['shown', ...shown]),
    async answer(nonce, decision, channel) {
      deeds.push(['answer', nonce, decision, channel]);
      const isApproved = decision.kind === 'approve';
      const view = isApproved
        ? change(nonce, { state: 'approved', minutesLeft: 5 })
        : change(nonce, { state: 'ended', sentence: 'A person declined.', canBeLifted: true });
      return { isApproved, view };
    },
    async lift(...lifted) {
      const [nonce] = lifted;
      deeds.push(['lift', ...lifted]);
      return change(nonce, { sentence: 'A person declined. It may be asked again.', canBeLifted: false });
    },
    async withdraw(nonce, why) {
      deeds.push(['withdraw', nonce, why]);
      const { state = 'ended' } = views.get(nonce) ?? {};
      if (state === 'waiting' || state === 'approved') change(nonce, { state: 'ended', sentence: `${why}.` });
    },
  };
}

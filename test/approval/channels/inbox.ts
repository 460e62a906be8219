import type { ApprovalInbox, RequestView } from '../../../src/approval/inbox.ts';
import { createQuestion } from '../../../src/approval/question.ts';
import { createRequest } from '../../../src/graph/endpoint.ts';
import { endpoints } from '../../../src/graph/endpoints/index.ts';

const sensorId = '77e0e32e-67e2-44ee-82da-cec63016eb3e';

/** Where and for whom the questions of these tests would act. */
export const place = {
  cloud: 'global' as const,
  graphRoot: 'https://graph.microsoft.com',
  graphVersion: 'v1.0' as const,
  tenantLabel: 'Contoso',
  simulated: false,
  identity: {
    tenantId: '8c157435-5df6-4f27-8379-39535f133377',
    kind: 'app' as const,
    id: 'a',
    appId: 'a',
    name: 'mdi',
  },
  principal: 'somebody',
  clientName: 'somebody',
  settings: [],
  secretsFolder: undefined,
};

/** The deletion of DC07. */
export const deletion = {
  act: { word: 'delete', verb: 'Delete', noun: 'sensor' },
  targets: [{ id: sensorId, name: 'DC07', domain: 'contoso.com', details: {} }],
  changes: [],
  consequences: [],
  types: 'name' as const,
  requests: [createRequest(endpoints.deleteSensor, { params: { sensorId } })],
};

/** A question as page and terminal see it, waiting unless it says otherwise. */
export const createView = (nonce: string, view: Partial<RequestView> = {}): RequestView => ({
  nonce,
  question: createQuestion('delete_sensor', 'destroy', deletion, place),
  channel: 'page',
  note: [],
  minutesLeft: 10,
  state: 'waiting',
  sentence: '',
  canBeLifted: false,
  ...view,
});

/** An inbox that remembers what was done to it. */
export interface FakeInbox extends ApprovalInbox {
  readonly views: Map<string, RequestView>;
  readonly deeds: unknown[][];
}

/** An inbox with questions that wait and others that were declined; an answer ends a question. */
export function createFakeInbox({
  waiting = [],
  declined = [],
}: {
  readonly waiting?: readonly string[];
  readonly declined?: readonly string[];
} = {}): FakeInbox {
  const views = new Map<string, RequestView>();
  const deeds: unknown[][] = [];
  for (const nonce of waiting) views.set(nonce, createView(nonce));
  for (const nonce of declined) {
    views.set(nonce, createView(nonce, { state: 'ended', sentence: 'A person declined.', canBeLifted: true }));
  }
  const change = (nonce: string, to: Partial<RequestView>) => {
    const view = views.get(nonce);
    if (view !== undefined) views.set(nonce, { ...view, ...to });
    return views.get(nonce);
  };
  return {
    views,
    deeds,
    listWaiting: async () => [...views.values()].filter(({ state }) => state === 'waiting'),
    listDeclined: async () => [...views.values()].filter(({ canBeLifted }) => canBeLifted),
    view: async (nonce) => views.get(nonce),
    async answer(nonce, decision, channel) {
      deeds.push(['answer', nonce, decision, channel]);
      return decision.kind === 'approve'
        ? change(nonce, { state: 'approved', minutesLeft: 5 })
        : change(nonce, { state: 'ended', sentence: 'A person declined.', canBeLifted: true });
    },
    async lift(nonce) {
      deeds.push(['lift', nonce]);
      return change(nonce, { sentence: 'A person declined. It may be asked again.', canBeLifted: false });
    },
    async withdraw(nonce, why) {
      deeds.push(['withdraw', nonce, why]);
      change(nonce, { state: 'ended', sentence: `${why}.` });
    },
  };
}

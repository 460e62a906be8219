import { type CallContext, createQuestion, type Question } from '../../src/approval/question.ts';
import type { ApprovalRequest } from '../../src/approval/requestStore.ts';
import { createRequest } from '../../src/graph/endpoint.ts';
import { endpoints } from '../../src/graph/endpoints/index.ts';
import type { WriteEffect } from '../../src/operations/effects.ts';
import type { Plan, Target } from '../../src/operations/operation.ts';

/** A target with what is always known of one; ids count up. */
export const makeTarget = (number: number, name: string, more: Partial<Target> = {}): Target => ({
  id: `77e0e32e-67e2-44ee-82da-${String(number).padStart(12, '0')}`,
  name,
  domain: 'contoso.com',
  details: {},
  ...more,
});

/** Where and for whom a question would act. */
export const place: CallContext = {
  cloud: 'global',
  graphRoot: 'https://graph.microsoft.com',
  graphVersion: 'v1.0',
  tenantLabel: 'Contoso',
  simulated: false,
  identity: {
    tenantId: '8c157435-5df6-4f27-8379-39535f133377',
    kind: 'app',
    id: '6f8e8268-647e-4e82-85fa-b218e59f4840',
    appId: '6f8e8268-647e-4e82-85fa-b218e59f4840',
    name: 'mdi',
  },
  principal: 'ann',
  clientName: 'claude-code 2.1.332',
  settings: [],
  disclosesTo: undefined,
};

export const dc07 = makeTarget(7, 'DC07');

/** The deletion of DC07. */
export const deletion: Plan = {
  act: { word: 'delete', verb: 'Delete', noun: 'sensor' },
  targets: [dc07],
  changes: [],
  consequences: [],
  types: 'name',
  requests: [createRequest(endpoints.deleteSensor, { params: { sensorId: dc07.id } })],
};

interface Difference {
  readonly plan?: Partial<Plan>;
  readonly context?: Partial<CallContext>;
  readonly tool?: string;
  readonly effect?: WriteEffect;
}

/** The question of that deletion, or of what differs from it. */
export const makeQuestion = ({
  plan,
  context,
  tool = 'delete_sensor',
  effect = 'destroy',
}: Difference = {}): Question => createQuestion(tool, effect, { ...deletion, ...plan }, { ...place, ...context });

/** That question as a request that waits, in a form of the client unless it says otherwise. */
export const makeRequest = (question = makeQuestion(), more: Partial<ApprovalRequest> = {}): ApprovalRequest => ({
  v: 1,
  nonce: 'the nonce',
  id: 'a1b2',
  key: 'a call',
  question,
  digest: 'the digest',
  channel: 'form',
  note: [],
  remarks: [],
  pendingDeletions: [],
  askedAt: { wall: 0, monotonic: 0 },
  state: { kind: 'pending', since: { wall: 0, monotonic: 0 } },
  ...more,
});

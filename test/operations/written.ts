import type * as z from 'zod';
import { systemClock } from '../../src/clock.ts';
import { ToolError } from '../../src/errors.ts';
import type { Graph } from '../../src/graph/client/client.ts';
import { parseIdentity } from '../../src/graph/client/identity.ts';
import type { Finisher, Plan, Write } from '../../src/operations/operation.ts';
import type { Secret } from '../../src/secrets/secret.ts';
import { sendRequests } from '../../src/server/send.ts';
import { token } from './graph.ts';

export function makePlan<I extends z.ZodObject, O extends z.ZodObject>(
  operation: Write<I, O>,
  input: z.input<I>,
  graph: Graph,
  leaving: string[] = [],
): Promise<Plan> {
  const reader = graph.createReader({ signal: new AbortController().signal, pendingDeletions: new Set(leaving) });
  return operation.plan(operation.input.parse(input), reader);
}

/** `code` of each consequence with the sign of its kind: ! warning, + reassurance, - info. */
export const listConsequenceCodes = ({ consequences }: Plan) =>
  consequences.map(({ kind, code }) => `${{ warning: '!', reassurance: '+', info: '-' }[kind]}${code}`).sort();

const windowMs = 400;

/** Plans, sends and finishes as the server does, without a gate; `meanwhile` happens in each pause. */
export async function carryOut<I extends z.ZodObject, O extends z.ZodObject>(
  operation: Write<I, O>,
  input: z.input<I>,
  graph: Graph,
  saveSecret = async ({ fingerprint }: Secret) => ({ file: 'key.txt', fingerprint }),
  meanwhile = () => {},
) {
  const { signal } = new AbortController();
  const actingAs = parseIdentity(token);
  const plan = await makePlan(operation, input, graph);
  const outcomes = await sendRequests(plan.requests, { clock: systemClock, graph, actingAs, signal, windowMs });
  let pauses = 2;
  const finisher: Finisher = {
    ...graph.createReader({ signal }),
    pause: async () => {
      if (--pauses < 0) throw new ToolError('cancelled', 'This test has waited long enough.');
      meanwhile();
    },
    saveSecret,
    repeat: (request) => graph.send(request, { actingAs, timeoutMs: windowMs }),
  };
  const result = await operation.finish(operation.input.parse(input), plan, outcomes, finisher);
  expectOutput(operation, result);
  return { states: outcomes.map(({ state }) => state), result, pauses: 2 - pauses };
}

function expectOutput(operation: Write, result: unknown): void {
  operation.output.parse(result);
}

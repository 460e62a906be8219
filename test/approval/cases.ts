import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FormAnswer, Person } from '../harness/clients.ts';
import { type Find, find } from '../harness/fleet.ts';
import type { SeenRequest, TestServer } from '../harness/server.ts';
import { type GatedTool, gatedTools, tools } from '../harness/tools.ts';

export { type Find, gatedTools };

/** A gated call on the seeded fleet: what it names, what a person types to approve it, what it sends then. */
export type Case = (typeof tools)[GatedTool];
/** Every gated tool once. Ids follow from the seed, so that no server has to be asked for them. */
export const casesOf = (_: Find): Readonly<Record<GatedTool, Case>> => tools;
export const finder = async (_: TestServer): Promise<Find> => find;

/** A request as the cases name it. */
export const named = ({ method, path }: SeenRequest) =>
  `${method} ${path.replace('/security/identities/', '').replace(/[0-9a-f-]{36}/g, '{id}')}`;

export const accepted = (content: Record<string, string>): FormAnswer => ({ action: 'accept', content });

/** Approves as a person does who types what the case says, or takes the choice that approves. */
export const approving =
  (typed: string | undefined): Person =>
  ({ requestedSchema: { properties } }) =>
    accepted(typed === undefined ? { decision: properties.decision?.oneOf?.[1]?.const ?? '' } : { typed });

/** The records of a server's audit log. */
export const recordsOf = ({ auditLog }: Pick<TestServer, 'auditLog'>): Record<string, unknown>[] =>
  readdirSync(auditLog).flatMap((file) =>
    readFileSync(join(auditLog, file), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  );

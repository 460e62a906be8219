import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FormAnswer } from '../harness/clients.ts';
import type { SeenRequest, TestServer } from '../harness/server.ts';

/** A request as the rows of the tools name it. */
export const nameRequest = ({ method, path }: Pick<SeenRequest, 'method' | 'path'>) =>
  `${method} ${path.replace('/security/identities/', '').replace(/[0-9a-f-]{36}/g, '{id}')}`;

export const acceptWith = (content: Record<string, string>): FormAnswer => ({ action: 'accept', content });

/** Why answers were recorded as ignored. */
export const listIgnored = (server: Pick<TestServer, 'auditLog'>) =>
  readRecords(server).flatMap(({ kind, reason }) => (kind === 'ignored' ? [reason] : []));

/** A door at which requests wait until it is opened, for the `beforeRequest` of a simulated tenant. */
export function createDoor(isFor: (request: SeenRequest) => boolean) {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), beforeRequest: (request: SeenRequest) => (isFor(request) ? opened : undefined) };
}

/** The records of a server's audit log. */
export const readRecords = ({ auditLog }: Pick<TestServer, 'auditLog'>): Record<string, unknown>[] =>
  readdirSync(auditLog).flatMap((file) =>
    readFileSync(join(auditLog, file), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  );

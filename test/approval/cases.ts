import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FormAnswer } from '../harness/clients.ts';
import type { SeenRequest, TestServer } from '../harness/server.ts';

/** A request as the rows of the tools name it. */
export const nameRequest = ({ method, path }: SeenRequest) =>
  `${method} ${path.replace('/security/identities/', '').replace(/[0-9a-f-]{36}/g, '{id}')}`;

export const acceptWith = (content: Record<string, string>): FormAnswer => ({ action: 'accept', content });

/** Why answers were recorded as ignored. */
export const listIgnored = (server: Pick<TestServer, 'auditLog'>) =>
  readRecords(server).flatMap(({ kind, reason }) => (kind === 'ignored' ? [reason] : []));

/** The records of a server's audit log. */
export const readRecords = ({ auditLog }: Pick<TestServer, 'auditLog'>): Record<string, unknown>[] =>
  readdirSync(auditLog).flatMap((file) =>
    readFileSync(join(auditLog, file), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  );

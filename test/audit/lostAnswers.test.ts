import { describe, test } from 'vitest';
import { verifyFolder } from '../../src/audit/verify.ts';
import { bothEras } from '../approval/scene.ts';
import { approve, connect } from '../harness/clients.ts';
import { type Command, startServer } from '../harness/server.ts';
import { tell } from '../harness/tables.ts';
import { type GatedTool, tools } from '../harness/tools.ts';

/** A gated request that takes effect and whose answer is lost, with the reads that would tell, which fail. */
interface Lost {
  readonly tool: GatedTool;
  readonly request: string;
  readonly reads: readonly string[];
  /** The read that decides. */
  readonly decides: string;
}

const all: readonly Lost[] = [
  {
    tool: 'regenerate_deployment_access_key',
    request: 'regenerateDeploymentAccessKey',
    reads: ['getDeploymentAccessKey'],
    decides: 'Call get_deployment_access_key and compare its fingerprint with',
  },
  {
    tool: 'activate_sensor_candidates',
    request: 'activate',
    reads: ['sensorCandidates', 'sensors'],
    decides: 'list_sensors with generation v3 and a name tells later',
  },
  {
    tool: 'migrate_sensors',
    request: 'migrate',
    reads: ['sensorMigration'],
    decides: 'list_sensor_migrations tells how far they are',
  },
];

describe.concurrent.each(bothEras)('with a %s client', { timeout: 60_000 }, (kind) => {
  test.for(all)('$tool is sent once, its outcome is unknown and its act open', async (lost, context) => {
    const { tool, request, reads, decides } = lost;
    const { expect } = context;
    const server = await startServer();
    const client = await connect(kind, server, approve);
    const { args } = tools[tool];
    const failing = reads.map((path): Command => ({ do: 'fault', method: 'GET', path, times: 100, status: 400 }));
    await server.tell({ do: 'fault', method: 'POST', path: request, phase: 'after' });
    await server.tell({ do: 'before', method: 'POST', path: request, run: failing });

    const { text } = await client.call(tool, args);
    expect(text).toMatch(
      /^outcome_unknown: .+ the connection failed \(ECONNRESET\)\. It is unknown whether the request took effect\. /,
    );
    expect(text).not.toContain('Nothing was changed');
    expect(text).toContain(decides);
    expect((await client.call(tool, args)).text).toMatch(/^(already_done|outcome_unknown): /);

    const sent = (await server.requests()).filter(({ method }) => method !== 'GET');
    const [log] = verifyFolder(server.auditLog);
    const open = log?.unfinished.length;
    const effects = sent.filter(({ effect }) => effect).length;
    tell(
      context,
      ['a lost answer', 'client', 'requests', 'effects', 'open acts'],
      [tool, kind, ...[sent.length, effects, open].map(String)],
    );
    expect([sent.length, effects, open]).toEqual([1, 1, 1]);
    expect(log?.records.filter(({ verdict }) => verdict === 'outcome_unknown')).toHaveLength(1);
    await client.close();
    await server.end();
  });
});

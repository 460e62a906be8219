import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { formatFindings, fuzz } from './fuzz.ts';
import { formatKills, kill } from './kills.ts';

// A long run: `npm run fuzz -- --messages 1000000 --kills 200 --seed 7`. One message in twenty goes over real stdio.

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    kills: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const [messages, kills, seed] = [Number(values.messages), Number(values.kills), Number(values.seed)];

async function timed(work: () => Promise<string>): Promise<void> {
  const begin = performance.now();
  const line = await work();
  const [seconds, megabytes] = [(performance.now() - begin) / 1000, process.memoryUsage().rss / 2 ** 20];
  process.stdout.write(`${line} (${Math.round(seconds)} s, ${Math.round(megabytes)} MB)\n`);
}

for (const [transport, share] of [
  ['in process', 0.95],
  ['over stdio', 0.05],
] as const) {
  await timed(async () => formatFindings(transport, seed, await fuzz(transport, Math.ceil(messages * share), seed)));
}
if (kills > 0) {
  await timed(async () => {
    const all = await kill(kills, seed);
    if (all.unannounced + all.untrue + all.broken + all.survived > 0) process.exitCode = 1;
    const line = formatKills(seed, all);
    rmSync(dirname(all.auditLog), { recursive: true });
    return line;
  });
}
// Requests to servers that were killed still wait for their time to end.
process.exit();

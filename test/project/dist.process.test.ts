import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import about from '../../package.json' with { type: 'json' };
import { connect } from '../harness/clients.ts';

/** dist/ and nothing else, far from any node_modules. */
function alone(...args: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'dist-'));
  cpSync('dist', folder, { recursive: true });
  return execFileSync(process.execPath, [join(folder, 'main.js'), ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: process.env.HOME, CI: '1' },
    input: '',
  });
}

test('dist runs with nothing installed', () => {
  expect(alone('--version')).toBe(`${about.version}\n`);
});

test('the log reaches stderr from the bundle too', async () => {
  const args = ['dist/main.js', '--simulate', '--log-level', 'debug'];
  const client = await connect('v2 legacy', { command: process.execPath, args });
  await client.call('list_sensors');
  await vi.waitFor(() => expect(client.stderr()).toMatch(/"level":\d0,.*"msg":/));
  await client.close();
});

test('the demo ends well without a terminal: it is asked, answers wrongly, sees that nothing is gone, answers rightly', () => {
  const shown = alone('demo');
  const [wrong, still, gone] = ['> DC70.contoso.com', 'nothing was deleted', 'not_found'].map((text) =>
    shown.indexOf(text),
  );
  expect([wrong, still, gone]).toEqual([wrong, still, gone].toSorted((a = 0, b = 0) => a - b));
  expect(wrong).toBeGreaterThan(0);
  expect(shown.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(shown).not.toContain('\u001b');
  expect(shown).toMatch(
    /activate_sensor_candidates +activate 2 +done\ndelete_sensor +DC70\.contoso\.com, then DC07\.contoso\.com +done\n$/,
  );
});

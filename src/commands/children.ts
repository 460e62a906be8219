import { ChildProcess, spawnSync } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { findWindowsProgram } from '../files.ts';

/** Programs that run for this process: `az` and its like, whose output is read, and launchers of a browser. */
const running = new Set<ChildProcess>();

/** From now on notes every program that is started here, whichever library does it. */
export function watchChildren(): void {
  subscribe('child_process', (message) => {
    const child = typeof message === 'object' && message !== null && 'process' in message && message.process;
    if (!(child instanceof ChildProcess)) return;
    running.add(child);
    child.once('exit', () => running.delete(child));
  });
}

/** Ends the programs that still run: those whose output is read with all that they started, a launcher without its browser. */
export function endChildren(): void {
  for (const { pid, stdout } of running) {
    if (pid === undefined) continue;
    if (stdout === null) end(pid);
    else endTree(pid);
  }
  running.clear();
}

function endTree(pid: number): void {
  if (process.platform === 'win32') spawnSync(findWindowsProgram('taskkill'), ['/T', '/F', '/PID', String(pid)]);
  else for (const one of [pid, ...listDescendants(pid)]) end(one);
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function listDescendants(pid: number): number[] {
  const children = listChildren(pid).match(/\d+/g)?.map(Number) ?? [];
  return [...children, ...children.flatMap(listDescendants)];
}

function listChildren(pid: number): string {
  if (process.platform !== 'linux')
    return spawnSync('/usr/bin/pgrep', ['-P', String(pid)], { encoding: 'utf8' }).stdout;
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  } catch {
    return '';
  }
}

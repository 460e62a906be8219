import { execFileSync } from 'node:child_process';

/** Tests of a process look at what is shipped, so that is built before the first of them. */
export default function setup(): void {
  execFileSync(process.execPath, ['scripts/build.mjs', 'test'], { stdio: 'inherit' });
}

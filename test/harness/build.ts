import { execFileSync } from 'node:child_process';

/** Tests look at what is shipped, so that is built before the first of them. */
export function setup(): void {
  execFileSync(process.execPath, ['.ci/build.mjs', 'test'], { stdio: 'inherit' });
}

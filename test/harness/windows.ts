import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The environment of a process that takes this machine for one with Windows, whose `icacls` ends with this code, and the
 * programs of Windows that it ran, each with its arguments.
 */
export function pretendWindows({ icacls = 0 } = {}) {
  const SystemRoot = mkdtempSync(join(tmpdir(), 'windows-'));
  const [folder, notes] = [join(SystemRoot, 'System32'), join(SystemRoot, 'ran')];
  mkdirSync(folder);
  const install = (name: string, script: string) => {
    const note = `echo "${name} $*" >> '${notes}'`;
    writeFileSync(join(folder, `${name}.exe`), `#!/bin/sh\n${note}\n${script}\n`, { mode: 0o755 });
  };
  install('whoami', `echo '"contoso\\admin","S-1-5-21-1-2-3-1001"'`);
  install('icacls', `exit ${icacls}`);
  const asWindows = "Object.defineProperty(process, 'platform', { value: 'win32' })";
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(asWindows)}`;
  return {
    env: { SystemRoot, NODE_OPTIONS },
    ran: () => (existsSync(notes) ? readFileSync(notes, 'utf8').trim().split('\n') : []),
  };
}

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { tell } from '../../harness/tables.ts';

const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
const [home, closed] = [join(folder, 'home'), join(folder, 'closed')];
mkdirSync(home);
// Nobody can make a folder in a file, not even root.
writeFileSync(closed, '');
const unknownUser =
  "import os from 'node:os'; import { syncBuiltinESMExports } from 'node:module'; os.userInfo = os.homedir = () => { throw new Error('no such user'); }; syncBuiltinESMExports();";
const asUnknownUser = `--import=data:text/javascript,${encodeURIComponent(unknownUser)}`;

interface BrokenFolders {
  readonly env?: Readonly<Record<string, string>>;
  /** What is done in a folder of its own before the doctor is started there. */
  readonly script?: string;
}

/** What the doctor says of this machine, each finding with its advice in brackets. */
function askDoctor({ env = {}, script = 'true' }: BrokenFolders): Promise<string[]> {
  const cwd = mkdtempSync(join(folder, 'started-'));
  const command = `${script} && exec ${process.execPath} ${resolve('dist/main.js')} --simulate=seed:1 doctor --json`;
  const environment = { PATH: process.env.PATH, HOME: home, TMPDIR: folder, ...env };
  return new Promise((done) =>
    execFile('sh', ['-c', command], { cwd, env: environment }, (_, stdout) => {
      const { findings } = JSON.parse(stdout) as {
        findings: { about: string; is: string; text: string; next?: string }[];
      };
      const own = findings.filter(({ about }) => about === 'This machine');
      done(
        own.map(({ is, text, next }) =>
          `${is}: ${text}${next === undefined ? '' : ` [${next}]`}`.replaceAll(folder, ''),
        ),
      );
    }),
  );
}

const approvals = 'Approvals: in a form where the client has one, else at a terminal (the command approve)';
const setHome = '[Set HOME to a folder of this user that can be written.]';
const nameAuditLog = '[Name another folder with --audit-log.]';
const nameSecretsDir = '[Name another folder with --secrets-dir.]';
const state = '.local/state/mdi-sensors-mcp';
const withoutHome = [
  `note: ${approvals}`,
  `missing: Way to the terminal: HOME names no home folder ${setHome}`,
  `missing: Audit log: HOME names no home folder ${nameAuditLog}`,
  `missing: Secrets folder: HOME names no home folder ${nameSecretsDir}`,
];
const rows: [string, BrokenFolders, string[]][] = [
  [
    'nothing is wrong',
    {},
    [`well: ${approvals}`, `well: Audit log: /home/${state}/audit`, `well: Secrets folder: /home/${state}/secrets`],
  ],
  ['HOME is relative', { env: { HOME: 'home' } }, withoutHome],
  ['the user id has no entry', { env: { NODE_OPTIONS: asUnknownUser } }, withoutHome],
  [
    'HOME cannot be written',
    { env: { HOME: closed } },
    [
      `note: ${approvals}`,
      `missing: Way to the terminal: /closed/.mdi-sensors-mcp: ENOTDIR: not a directory ${setHome}`,
      `missing: Audit log: /closed/${state}/audit: ENOTDIR: not a directory ${nameAuditLog}`,
      `missing: Secrets folder: /closed/${state}/secrets: The file for the access key could not be written (ENOTDIR). ${nameSecretsDir}`,
    ],
  ],
  [
    'TMPDIR is not there, and a browser is',
    { env: { TMPDIR: join(folder, 'nothing'), DISPLAY: ':9' } },
    [
      'note: Approvals: in a form where the client has one, else on a page in the browser, or at a terminal (the command approve)',
      'missing: Way to the page: /nothing: ENOENT: no such file or directory [Set TMPDIR to a folder that can be written, or start the server with --approval terminal.]',
      `well: Audit log: /home/${state}/audit`,
      `well: Secrets folder: /home/${state}/secrets`,
    ],
  ],
  [
    'the working folder was removed',
    { script: 'rmdir "$PWD"' },
    [
      `well: ${approvals}`,
      `well: Audit log: /home/${state}/audit`,
      `well: Secrets folder: /home/${state}/secrets`,
      'note: The folder in which this was started is gone',
    ],
  ],
  [
    'the log is off in capitals, and keys would be in the working folder',
    { env: { MDI_MCP_AUDIT_LOG: 'OFF' }, script: 'export MDI_MCP_SECRETS_DIR="$PWD/keys"' },
    [
      `well: ${approvals}`,
      'note: The audit log is off: nothing records who approved what',
      `missing: Secrets folder: WORKING/keys: The secrets folder is inside the working folder, where agents read files. ${nameSecretsDir}`,
    ],
  ],
];

for (const [what, surroundings, expected] of rows) {
  test.concurrent(`the doctor, where ${what}`, async (context) => {
    const said = (await askDoctor(surroundings)).map((line) => line.replace(/\/started-\w+/, 'WORKING'));
    tell(
      context,
      ["what is wrong with a machine's folders", 'what the doctor says'],
      [what, said.filter((line) => !line.startsWith('well')).join(' ')],
    );
    expect(said).toEqual(expected);
  });
}

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/core-auth';
import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import { findWindowsProgram } from '../../files.ts';
import { parseJson } from '../../json.ts';
import { adviseOnErrorNumber, extractReason, SignInFailure } from './errors.ts';

/** A tool of the command line that gets tokens for whoever is signed in to it. */
export interface CommandLineTool {
  /** The tool's name in a sentence. */
  readonly name: string;
  /** What it is started as; the first one that is there. */
  readonly programs: readonly string[];
  /** What signs a person in. */
  readonly signInCommand: string;
  /** What shows whether the tool works. */
  readonly checkCommand: string;
  createArguments(target: TokenTarget): readonly string[];
  /** Adds a claims challenge of Graph to the arguments, where the tool can answer one. */
  createClaimsArguments?(claims: string): readonly string[];
}

interface TokenTarget {
  /** `https://graph.microsoft.com/.default` */
  readonly scope: string;
  /** `https://graph.microsoft.com` */
  readonly resource: string;
  readonly tenantId: string | undefined;
}

const isWindows = process.platform === 'win32';

export const azureCli: CommandLineTool = {
  name: 'Azure CLI',
  programs: ['az'],
  signInCommand: 'az login',
  checkCommand: 'az account get-access-token',
  createArguments: ({ resource, tenantId }) => [
    ...['account', 'get-access-token', '--output', 'json', '--resource', resource],
    ...(tenantId === undefined ? [] : ['--tenant', tenantId]),
  ],
};

export const azurePowerShell: CommandLineTool = {
  name: 'Azure PowerShell',
  programs: isWindows ? ['pwsh.exe', 'powershell.exe'] : ['pwsh'],
  signInCommand: 'Connect-AzAccount',
  checkCommand: 'Get-AzAccessToken',
  createArguments: ({ resource, tenantId }) => [
    ...['-NoProfile', '-NonInteractive', '-Command'],
    [
      "$ErrorActionPreference = 'Stop'",
      'Import-Module Az.Accounts -MinimumVersion 2.2.0',
      `$answer = Get-AzAccessToken -ResourceUrl '${resource}'${tenantId === undefined ? '' : ` -TenantId '${tenantId}'`}`,
      // A secure string since Az.Accounts 5: https://learn.microsoft.com/powershell/azure/protect-secrets
      "$token = if ($answer.Token -is [securestring]) { [Net.NetworkCredential]::new('', $answer.Token).Password } else { $answer.Token }",
      "@{ token = $token; expiresOn = $answer.ExpiresOn.UtcDateTime.ToString('o') } | ConvertTo-Json -Compress",
    ].join('; '),
  ],
};

export const azureDeveloperCli: CommandLineTool = {
  name: 'Azure Developer CLI',
  programs: ['azd'],
  signInCommand: 'azd auth login',
  checkCommand: 'azd auth token',
  createArguments: ({ scope, tenantId }) => [
    ...['auth', 'token', '--output', 'json', '--no-prompt', '--scope', scope],
    ...(tenantId === undefined ? [] : ['--tenant-id', tenantId]),
  ],
  createClaimsArguments: (claims) => ['--claims', Buffer.from(claims).toString('base64')],
};

/** Whoever is signed in to a tool. It is ended, with what it has started, when the caller gives up or this process ends. */
export function createToolCredential(tool: CommandLineTool, tenantId: string | undefined): TokenCredential {
  const { name, programs, signInCommand } = tool;
  const again = `Run \`${signInCommand}\` as the user who runs this server.`;
  return {
    async getToken(scopes, { claims, abortSignal }: GetTokenOptions = {}): Promise<AccessToken> {
      const [scope = ''] = [scopes].flat();
      // On Windows a shell reads them.
      if (!/^[\w.-]*$/.test(tenantId ?? ''))
        throw new ToolError('sign_in_failed', 'AZURE_TENANT_ID is no id or domain of a tenant.', 'Correct it.');
      const claimsArguments = claims === undefined ? [] : tool.createClaimsArguments?.(claims);
      if (claimsArguments === undefined)
        throw new ToolError(
          'sign_in_failed',
          `Microsoft Graph asks for a new sign-in, and ${name} needs a person for it.`,
          again,
        );
      const target = { scope, resource: scope.replace(/\/\.default$/, ''), tenantId };
      const programArguments = [...tool.createArguments(target), ...claimsArguments];
      for (const program of programs) {
        const ended = await runTool(program, programArguments, abortSignal);
        const token = findToken(ended.stdout);
        if (token !== undefined) return token;
        if (!ended.isMissing) throw describeFailure(ended, program, again);
      }
      throw new SignInFailure(
        `${programs.join(' and ')} cannot be started from the PATH of this server`,
        false,
        `Install ${name} and run \`${signInCommand}\`, or choose another way to sign in with --auth.`,
      );
    },
  };
}

/** What the tools say where nobody is signed in to them. */
const signInHint = /az login|azd (?:auth )?login|Connect-AzAccount/;

function describeFailure({ stdout, stderr }: EndedTool, program: string, again: string): SignInFailure {
  if (/AADSTS\d/.test(stderr))
    return new SignInFailure(extractReason(new Error(stderr)), true, adviseOnErrorNumber(stderr) ?? again);
  if (signInHint.test(stderr)) return new SignInFailure('nobody is signed in to it', false, again);
  const errorLine = /^ERROR: .+$/m.exec(stderr)?.[0] ?? stderr;
  if (errorLine.trim() !== '')
    return new SignInFailure(`${program} says ${extractReason(new Error(errorLine))}`, false);
  return new SignInFailure(
    `there is ${stdout.trim() === '' ? 'nothing' : 'no token'} in what ${program} printed`,
    false,
  );
}

const text = z.string().min(1);
const tokenAnswer = z.union([
  z.object({ accessToken: text, expires_on: z.coerce.number().int().positive() }),
  z.object({ accessToken: text, expiresOn: text }),
  z.object({ token: text, expiresOn: text }),
]);

/** The token in what a tool printed, also among notices. */
function findToken(stdout: string): AccessToken | undefined {
  for (const [json] of stdout.matchAll(/\{[^{}]*\}/g)) {
    const { data } = tokenAnswer.safeParse(parseJson(json));
    if (data === undefined) continue;
    const expiresOnTimestamp = 'expires_on' in data ? data.expires_on * 1000 : Date.parse(data.expiresOn);
    if (!Number.isNaN(expiresOnTimestamp))
      return { token: 'token' in data ? data.token : data.accessToken, expiresOnTimestamp };
  }
  return undefined;
}

interface EndedTool {
  readonly isMissing: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

const longestOutput = 1024 * 1024;
/** What a tool leaves running may hold its output open. */
const outputWaitMs = 500;
const runningTools = new Set<ChildProcess>();

async function runTool(
  program: string,
  programArguments: readonly string[],
  signal: GetTokenOptions['abortSignal'],
): Promise<EndedTool> {
  // In a group of its own it can be ended with its children. On Windows `az` is a script, which needs a shell.
  const child = spawn(program, programArguments, {
    cwd: isWindows ? (process.env.SystemRoot ?? 'C:\\Windows') : '/',
    detached: !isWindows,
    shell: isWindows && !program.endsWith('.exe'),
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
  if (runningTools.size === 0) process.once('exit', endRunningTools);
  runningTools.add(child);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      if (output[name].length < longestOutput) output[name] += chunk;
    });
  }
  const end = () => endTool(child);
  signal?.addEventListener('abort', end);
  const isStarted = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false));
    child.once('close', () => resolve(true));
    child.once('exit', () => setTimeout(() => resolve(true), outputWaitMs));
  });
  signal?.removeEventListener('abort', end);
  end();
  return { isMissing: !isStarted || (isWindows && /is not recognized/.test(output.stderr)), ...output };
}

function endRunningTools(): void {
  for (const child of runningTools) endTool(child);
}

/** Ends a tool and what it has started. */
function endTool(child: ChildProcess): void {
  runningTools.delete(child);
  if (runningTools.size === 0) process.off('exit', endRunningTools);
  for (const stream of [child.stdout, child.stderr]) stream?.destroy();
  if (child.pid === undefined) return;
  if (isWindows) {
    if (child.exitCode === null)
      spawnSync(findWindowsProgram('taskkill'), ['/pid', String(child.pid), '/T', '/F'], { windowsHide: true });
    return;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}

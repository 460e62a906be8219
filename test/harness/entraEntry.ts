import { runDoctor } from '../../src/commands/doctor/doctor.ts';
import { endWithHost } from '../../src/commands/lifetime.ts';
import { openRuntime, serve } from '../../src/commands/serve.ts';
import { checkConfig, cleanEnvironment } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { createEntraTenant } from '../../src/tenants/entra/tenant.ts';

/** The server, or its doctor, with a real tenant whose Entra and Graph are on loopback: MDI_TEST says where. */
const {
  graphRoot,
  authorityHost,
  doctor: isDoctor = false,
  json = false,
  patience: signInWaitMs = 25_000,
  methodTimeoutMs = 20_000,
  clockErrorMs = 0,
} = JSON.parse(process.env.MDI_TEST ?? '{}') as {
  graphRoot: string;
  authorityHost: string;
  doctor?: boolean;
  json?: boolean;
  patience?: number;
  methodTimeoutMs?: number;
  /** How far the clock of this machine is ahead. */
  clockErrorMs?: number;
};
if (clockErrorMs !== 0) {
  const { now } = Date;
  Date.now = () => now() + clockErrorMs;
}
const { config, problems } = checkConfig({}, process.env);
problems.push(...cleanEnvironment(process.env));
const openTenant = async () =>
  createEntraTenant(config, {
    environment: process.env,
    graphRoot,
    authority: { authorityHost, disableInstanceDiscovery: true },
    signInWaitMs,
    methodTimeoutMs,
    tellOperator(line) {
      if (!isDoctor || json) process.stderr.write(`mdi-sensors-mcp: ${line}\n`);
    },
  });

if (isDoctor) {
  const code = await runDoctor(config, openTenant, { json, problems });
  process.stdout.write('', () => process.exit(code));
} else {
  const log = createLog(config.logLevel);
  endWithHost(serve(openRuntime(config, openTenant, '0.0.0-test', log, { patienceMs: signInWaitMs })));
}

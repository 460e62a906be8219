import type { SensorMigration } from '../graph/endpoints/sensorMigration.ts';
import type { Sensor } from '../graph/endpoints/sensors.ts';
import { isBelow, isTypeKnown, parseGeneration } from './machines.ts';

/** From this v2.x version on a sensor can be migrated: https://learn.microsoft.com/defender-for-identity/deploy/migrate-to-sensor-v3 */
const leastVersion = '2.254.19112.470';

const isOffController = (sensor: Pick<Sensor, 'sensorType'>) =>
  isTypeKnown(sensor) && sensor.sensorType !== 'domainControllerIntegrated';

const offController = 'v3.x runs on domain controllers only';

/** What the sensor itself shows: short in its row, and once what it means. */
const sensorReasons = {
  'not a domain controller': `${offController}, so the server stays on v2.x`,
  'version too old': `the migration needs version ${leastVersion} or later`,
} as const;

function explainBySensor(migration: SensorMigration): keyof typeof sensorReasons | undefined {
  if (isOffController(migration)) return 'not a domain controller';
  return isBelow(leastVersion, migration.version) ? 'version too old' : undefined;
}

const unreadyStates: readonly (string | undefined)[] = ['notReadyForMigration', 'migrationFailed'];

/** Why a sensor is not ready or its migration failed, as far as that can be seen from here. */
export const explainState = (migration: SensorMigration) =>
  unreadyStates.includes(migration.migrationState) ? explainBySensor(migration) : undefined;

const endpointKey = 'HKLM:\\SOFTWARE\\Microsoft\\Windows Advanced Threat Protection';

/** The prerequisites of the same page that only the server can tell, each with a command that shows it and changes nothing. */
const serverReasons = [
  {
    reason: 'Windows Server older than 2019, or Windows Server 2025',
    check: '(Get-CimInstance Win32_OperatingSystem).Caption',
  },
  {
    reason: 'no cumulative update of July 2026 or later (older pages: March 2026)',
    check: 'Get-HotFix | Sort-Object InstalledOn | Select-Object -Last 3',
  },
  {
    reason: 'not onboarded to Defender for Endpoint (OnboardingState is not 1)',
    check: `Get-ItemProperty '${endpointKey}\\Status'`,
  },
  { reason: 'Defender for Endpoint (MsSense) does not run', check: 'Get-Service Sense' },
  { reason: 'no device id in Defender for Endpoint', check: `Get-ItemProperty '${endpointKey}'` },
  { reason: 'the updater of the v2.x sensor does not run', check: 'Get-Service AATPSensorUpdater' },
  {
    reason: 'AD FS, AD CS or Entra Connect on the same server (pages differ)',
    check: 'Get-Service adfssrv, CertSvc, ADSync -ErrorAction SilentlyContinue',
  },
] as const;

/** What the reasons in the rows mean, and the possible ones that only a server can tell; nothing where there are none. */
export function explainReasons(migrations: readonly SensorMigration[]) {
  const reasons = new Set(migrations.map(explainState));
  const whyMeans = Object.entries(sensorReasons).filter(([reason]) => [...reasons].some((one) => one === reason));
  const isOpen = (one: SensorMigration) => unreadyStates.includes(one.migrationState) && !isOffController(one);
  return {
    ...(whyMeans.length > 0 && { whyMeans: Object.fromEntries(whyMeans) }),
    ...(migrations.some(isOpen) && { possibleReasons: serverReasons, reasonsNote }),
  };
}

const reasonsNote =
  "By Microsoft's list of prerequisites; which of them holds on a server is not known here. A person runs the checks in PowerShell on it. A failed migration can be tried again.";

/** Servers that v3.x does not run on, by type, and domain controllers with v2.x of which Microsoft states no state. */
export function summarizeStaying(
  sensors: readonly (Sensor | SensorMigration)[],
  migrations: readonly SensorMigration[],
) {
  const ids = new Set(migrations.map(({ id }) => id.toLowerCase()));
  const others = sensors.filter(({ id, version }) => !ids.has(id.toLowerCase()) && parseGeneration(version) === 'v2');
  const staying = [...migrations, ...others].filter(isOffController);
  const notListed = others.filter((sensor) => !isOffController(sensor)).length;
  const byType: Record<string, number> = {};
  for (const { sensorType = '' } of staying) byType[sensorType] = (byType[sensorType] ?? 0) + 1;
  return {
    ...(staying.length > 0 && { staysOnV2: { ...byType, why: offController } }),
    ...(notListed > 0 && { v2SensorsWithoutState: notListed }),
  };
}

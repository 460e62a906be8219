import * as z from 'zod';
import { domain, type Runbook } from './runbook.ts';
import { describeWaves } from './waves.ts';

export const migrateV2ToV3: Runbook = {
  name: 'migrate-v2-to-v3',
  title: 'Migrate v2.x sensors to v3.x',
  description:
    'Replaces Microsoft Defender for Identity v2.x sensors on domain controllers by v3.x, in waves that a person approves one by one. Use it when sensors are ready for migration. There is no way back, and it uses the beta of Microsoft Graph.',
  input: z.strictObject({ domain }),
  steps: [
    {
      heading: 'Look at the coverage of each domain',
      text: 'Note `dcCommunicating` of each domain: it sets how large a wave may be.',
      calls: ['summarize_fleet'],
    },
    {
      heading: 'List the sensors that are ready',
      text: 'Ready is what Microsoft says; nothing here checks it again.',
      calls: ['list_sensor_migrations { "state": ["readyForMigration"], "limit": 200 }'],
    },
    {
      heading: 'Read why others are not',
      text: 'The result has the reasons that Microsoft lists, each with a check that a person runs on the server. A failed migration can be tried again once its cause is repaired. AD FS, AD CS, Entra Connect and standalone sensors stay on v2.x.',
      calls: ['list_sensor_migrations { "state": ["notReadyForMigration", "migrationFailed"], "limit": 200 }'],
    },
    {
      heading: 'Plan the waves',
      text: `${describeWaves('the sensors of step 2')} A sensor does not report while it moves. Say what v3.x does not have, and let the person decide: no way back to v2.x, no VPN integration (RADIUS), no syslog, and response actions run as LocalSystem only, not with a gMSA action account.`,
    },
    {
      heading: 'Migrate the next wave',
      text: 'Name the domains of this wave, and say if it is the last: then no sensor of those domains reports for a while.',
      calls: ['migrate_sensors { "ids": ["<id of each server of the next wave>"] }'],
      asks: "They see every sensor and type the number and the tenant's name, such as `migrate 4 Contoso`.",
    },
    {
      heading: 'Wait until the wave has moved',
      text: 'Each server can take up to 20 minutes. Go on only when no server of the wave is in either list, but for one in the second that did not report before. If one failed, stop. Repeat steps 5 and 6 until no wave is left.',
      calls: [
        'list_sensor_migrations { "state": ["migrating", "migrationFailed"], "limit": 200 }',
        'list_sensors { "generation": "v3", "notCommunicating": true, "limit": 200 }',
      ],
    },
    {
      heading: 'See what is left',
      text: 'A sensor that has moved is upToDate.',
      calls: ['list_sensor_migrations { "state": ["readyForMigration"], "limit": 200 }'],
    },
  ],
  end: 'The last list has no sensor any more but those that the person wanted to keep on v2.x. Tell which moved, which failed, and what keeps each of the others on v2.x.',
};

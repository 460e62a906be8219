import * as z from 'zod';
import { domain, type Runbook } from './runbook.ts';
import { describeWaves } from './waves.ts';

export const rollOutV3: Runbook = {
  name: 'roll-out-v3',
  title: 'Roll out v3.x in waves',
  description:
    'Activates the Microsoft Defender for Identity v3.x sensor on servers that have none, in waves that a person approves one by one. Use it to close coverage gaps. Servers with a v2.x sensor are moved by the runbook migrate-v2-to-v3.',
  input: z.strictObject({ domain }),
  steps: [
    {
      heading: 'Look at the coverage of each domain',
      text: 'Note `dcCommunicating` of each domain: it sets how large a wave may be.',
      calls: ['summarize_fleet'],
    },
    {
      heading: 'Read the settings of the tenant',
      text: 'If activation is `automated`, new servers get v3.x by themselves and there are no waves: ask the person whether `update_activation_configuration` is to set it to `manual` first. If automatic auditing is off, somebody sets the Windows audit policy of each server.',
      calls: ['get_activation_configuration', 'get_auto_auditing_configuration'],
    },
    {
      heading: 'List the candidates',
      text: 'Leave out a server that was last seen more than 30 days ago: it may not exist any more. Leave out a name with spelled-out characters such as `\\u{202e}` until the person has looked at that server.',
      calls: ['list_sensor_candidates { "limit": 200 }'],
    },
    {
      heading: 'Leave out what has a sensor',
      text: 'Take only the servers in the group `candidate`. One in another group has a sensor already, or its name fits several machines.',
      calls: ['compare_inventory { "names": ["<name of each row of step 3>"], "limit": 200 }'],
    },
    {
      heading: 'Plan the waves',
      text: `${describeWaves('the servers that are left')} Ask the person to confirm for each server: Windows Server 2019 or later with a recent cumulative update, Defender for Endpoint runs, enough free processor and memory. \`Test-MdiReadiness.ps1\` looks at a server; no tool here does. Say what v3.x does not have: no VPN integration (RADIUS), no syslog, and no action account but LocalSystem.`,
    },
    {
      heading: 'Activate the next wave',
      text: 'Name the domains of this wave, and say if it is the last.',
      calls: ['activate_sensor_candidates { "ids": ["<id of each server of the next wave>"] }'],
      asks: 'They see every server and type the number, such as `activate 4`.',
    },
    {
      heading: 'Wait until the wave reports',
      text: 'It takes minutes; the first server of a tenant may take an hour. Go on only when each server of the wave is `running`. If one is not, stop and read its issues with `get_sensor`. Repeat steps 6 and 7 until no wave is left.',
      calls: [
        'list_sensors { "generation": "v3", "createdAfter": "<today>", "fields": ["fqdn", "deployment", "service", "health"], "limit": 200 }',
      ],
    },
    {
      heading: 'See what is left',
      text: 'An activated server is no candidate any more.',
      calls: ['list_sensor_candidates { "limit": 200 }'],
    },
  ],
  end: 'Only servers that were left out are still candidates. Tell for each why, and which domains have how many domain controllers that report now. On the next day run the runbook health-review: auditing issues of new sensors show by then.',
};

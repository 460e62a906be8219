import * as z from 'zod';
import { domain, type Runbook } from './runbook.ts';

export const cleanUpStaleSensors: Runbook = {
  name: 'clean-up-stale-sensors',
  title: 'Clean up stale sensors',
  description:
    'Deletes the entries of Microsoft Defender for Identity sensors whose servers are gone, under one approval, and keeps what is only silent. Use it after domain controllers were removed, or when the sensor list has dead entries.',
  input: z.strictObject({ domain }),
  steps: [
    {
      heading: 'List the unreachable sensors',
      text: 'Their machines were removed from Active Directory without an uninstall. Microsoft calls such an entry safe to delete.',
      calls: ['list_sensors { "deploymentStatus": ["unreachable"], "limit": 200 }'],
    },
    {
      heading: 'List the disconnected sensors',
      text: 'A domain controller that was demoted without an uninstall stays disconnected for ever, but so does one that is switched off or cut off from the network.',
      calls: ['list_sensors { "deploymentStatus": ["disconnected"], "limit": 200 }'],
    },
    {
      heading: 'See since when these are silent',
      text: 'Where many sensors of a domain fell silent on the same day, look for an outage, not for stale entries.',
      calls: ['get_sensor { "id": "<id of each row of step 2>" }'],
    },
    {
      heading: 'See who relies on the servers that are gone',
      text: 'AD FS, AD CS, Entra Connect and standalone sensors hold a list of domain controllers. Where it names a server that is gone, tell the person: `update_sensor` gives the sensor another list.',
      calls: [
        'list_sensors { "type": ["adfsIntegrated", "adcsIntegrated", "adConnectIntegrated", "domainControllerStandalone"], "fields": ["fqdn", "domainControllers"], "limit": 200 }',
      ],
    },
    {
      heading: 'Delete the stale ones',
      text: 'A row is stale where step 1 has it, or where step 2 has it and step 3 shows `silentAtLeastDays` of 30 or more. Show the person these rows first, each with its server and since when it is silent, and ask whether each server is gone for good. Leave out what they want to keep. If a server is still there, somebody uninstalls the v2.x sensor on it first. At most 50 go into one call; what it refuses, it names with the reason: leave that out.',
      calls: ['delete_stale_sensors { "ids": ["<id of each stale row>"] }'],
      asks: "They see every sensor with its warnings and type the number and the tenant's name, such as `delete 5 Contoso`.",
    },
    {
      heading: 'Look again',
      text: "Graph's lists can lag behind a deletion by some minutes. What the call itself reports as deleted was checked one by one.",
      calls: ['list_sensors { "deploymentStatus": ["unreachable"], "limit": 200 }'],
    },
  ],
  end: 'The last list has no sensor any more but those that the person wanted to keep. Tell which were deleted, which were kept and why, and which lists of domain controllers still name a server that is gone.',
};

import * as z from 'zod';
import type { Runbook } from './runbook.ts';

export const rotateAccessKey: Runbook = {
  name: 'rotate-access-key',
  title: 'Rotate the deployment access key',
  description:
    'Replaces the access key with which Microsoft Defender for Identity v2.x sensors are installed. Use it on a schedule, when somebody who knew the key leaves, or when it may have leaked.',
  input: z.strictObject({}),
  steps: [
    {
      heading: 'Count the v2.x sensors that report',
      text: 'Note the `total`. Sensors that are registered sign in with certificates, so a new key does not touch them; v3.x sensors use no key.',
      calls: ['list_sensors { "generation": "v2", "notCommunicating": false, "limit": 1 }'],
    },
    {
      heading: 'See which were installed lately',
      text: 'If the old key may have leaked, the person has to know each of these servers. If an installation is under way, it ends before the key changes. Ask what holds the old key: images, task sequences, Intune packages, scripts, vaults.',
      calls: ['list_sensors { "generation": "v2", "createdAfter": "<the day thirty days ago>", "limit": 200 }'],
    },
    {
      heading: 'Replace the key',
      text: 'The new key goes into a file on the machine of this server or is shown on the approval page, and you get two fingerprints and the name of the file where there is one. Do not look for the file. The steps in the result say how the person takes it from there and deletes it afterwards. After `outcome_unknown` do what the result says before you call again: a second rotation also breaks what already carries the new key.',
      calls: ['regenerate_deployment_access_key'],
      asks: "They type `rotate` and the tenant's name, such as `rotate Contoso`.",
    },
    {
      heading: 'See that the sensors go on',
      text: 'The person now puts the new key wherever the old one was.',
      calls: ['list_sensors { "generation": "v2", "notCommunicating": false, "limit": 1 }'],
    },
  ],
  end: 'The `total` is the same as in step 1: the registered sensors go on. Tell the name of the file, both fingerprints, what still holds the old key, and the sensors of step 2 if the old key may have leaked.',
};

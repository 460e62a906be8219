import * as z from 'zod';
import { domain, type Runbook, since } from './runbook.ts';

export const healthReview: Runbook = {
  name: 'health-review',
  title: 'Review the health of the sensors',
  description:
    'Reviews a Microsoft Defender for Identity sensor fleet: what is broken, since when, and what to repair first. Use it for a weekly check, or when somebody asks how the sensors are or what changed. It changes nothing.',
  input: z.strictObject({ domain, since }),
  steps: [
    {
      heading: 'Look at the whole fleet',
      text: 'Note for each domain how many domain controllers report (`dcCommunicating`), which issues are open, and how many v2.x sensors are behind the current package. Sensors in the ring with the 72-hour delay are one version behind by design.',
      calls: ['summarize_fleet'],
    },
    {
      heading: 'Read what is wrong with the tenant itself',
      text: 'These come first: an expired password of a directory service account, for example, weakens every sensor that uses it.',
      calls: ['list_health_issues { "type": "global", "limit": 200 }'],
    },
    {
      heading: 'Find the sensors that do not report',
      text: 'A sensor that does not report protects nothing. `get_sensor` tells of each since when it is silent: "Sensor stopped communicating" is raised again about every seven days, so the date of the newest issue is not the beginning. Where a sensor is running and "Sensor outdated" is open, say that Microsoft\'s text, which calls it unable to communicate, contradicts its status.',
      calls: [
        'list_sensors { "notCommunicating": true, "fields": ["domain", "type", "deployment", "service", "openIssues"], "limit": 200 }',
      ],
    },
    {
      heading: 'Read what changed',
      text: 'An issue that closes and opens in turns is not repaired. A suppressed one comes back seven days after its last change.',
      calls: [
        'list_health_issues { "changedSince": "<the day that the person names, else seven days ago>", "limit": 200 }',
      ],
    },
    {
      heading: 'List the open issues of high severity',
      text: 'Medium and low ones follow by the number of sensors that they touch; the first step has them by title.',
      calls: ['list_health_issues { "severity": ["high"], "limit": 200 }'],
    },
    {
      heading: 'Read each of them in full',
      text: 'Commands that an issue names are for a person to review and run on the server. Recommend none that a result calls unknown.',
      calls: ['get_health_issue { "id": "<id of each row of step 5>" }'],
    },
  ],
  end: 'Every open issue of high severity has been read in full, and nothing was changed. Tell the person in this order: domains in which no domain controller reports, what is wrong with the tenant itself, silent sensors with the day since when, then the rest by severity and number of sensors, each with its next step. Do not offer to close or suppress an issue whose cause is not repaired: that only hides it.',
};

import * as z from 'zod';
import { domain, type Runbook } from './runbook.ts';

export const coverageGaps: Runbook = {
  name: 'coverage-gaps',
  title: 'Find coverage gaps',
  description:
    'Finds servers that Microsoft Defender for Identity should watch and does not, with a verdict for each domain. Use it when somebody asks whether every domain controller has a sensor, or before an audit. It changes nothing.',
  input: z.strictObject({ domain }),
  steps: [
    {
      heading: 'Look at the coverage of each domain',
      text: 'The sensors alone do not tell which domain controllers exist. `microsoftSecureScore` tells how many there are and how many have a sensor, where the server may read it.',
      calls: ['summarize_fleet'],
    },
    {
      heading: 'List the servers that could have a sensor',
      text: 'Defender for Endpoint knows these servers, and they have no v3.x sensor. One that was last seen more than 30 days ago may not exist any more. Of two with the same name, the one that was seen last is the live server.',
      calls: ['list_sensor_candidates { "limit": 200 }'],
    },
    {
      heading: 'List AD FS, AD CS and Entra Connect',
      text: 'These servers need a sensor of their own, and it covers no domain. Ask the person which such servers exist that are not here.',
      calls: ['list_sensors { "type": ["adfsIntegrated", "adcsIntegrated", "adConnectIntegrated"], "limit": 200 }'],
    },
    {
      heading: 'Find domain controllers whose sensor is silent',
      text: 'A standalone sensor watches domain controllers by port mirroring, without the events of Windows (ETW), so it covers less than a sensor on the server.',
      calls: [
        'list_sensors { "type": ["domainControllerIntegrated", "domainControllerStandalone"], "notCommunicating": true, "limit": 200 }',
      ],
    },
    {
      heading: 'Compare with Active Directory',
      text: 'Ask the person for every domain controller, read-only ones too, as Active Directory has them: the output of `nltest /dclist:contoso.com` or `Get-ADDomainController -Filter *`, pasted as it is. At most 1,000 names go into one call; where a group has more rows than are listed, compare one domain at a time. With `complete`, sensors that no name fits are listed too; that alone is no reason to delete one.',
      calls: ['compare_inventory { "names": ["<each server that the person names>"], "complete": true, "limit": 50 }'],
    },
  ],
  end: 'Every named server stands in one group of the last result. Give a verdict for each domain. **Fail**: no domain controller reports. **Investigate**: one of the list is not working, ambiguous, only a candidate, unknown, or watched by a standalone sensor alone. **Pass**: each one of the list reports with a sensor of its own. Unknown means that neither Defender for Identity nor Defender for Endpoint knows the name: the server is onboarded to Defender for Endpoint first, or gets a v2.x sensor. For candidates go on with the runbook roll-out-v3.',
};

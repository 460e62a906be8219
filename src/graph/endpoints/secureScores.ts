import { date, entity, list, page, text } from '../answer.ts';
import { globalAndUsGov } from '../clouds.ts';
import { endpoint } from '../endpoint.ts';

/**
 * The newest Microsoft Secure Score of the tenant (https://learn.microsoft.com/graph/api/security-list-securescores), the one
 * row outside of Defender for Identity. It is optional, so nobody is asked to sign in for it.
 */
export const getSecureScore = endpoint({
  route: 'GET /security/secureScores',
  query: '?$top=1',
  availability: globalAndUsGov,
  permission: 'SecurityEvents.Read.All',
  signInFor: 'SecurityIdentitiesSensors.Read.All',
  answer: page(
    entity({
      createdDateTime: date,
      controlScores: list(entity({ controlName: text, implementationStatus: text })),
    }),
  ),
});

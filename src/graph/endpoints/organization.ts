import { entity, page, text } from '../answer.ts';
import { globalAndUsGov } from '../clouds.ts';
import { endpoint } from '../endpoint.ts';

/** Permissions of which one lets a token read the organization's name. */
export const organizationPermissions = ['Organization.Read.All', 'Directory.Read.All', 'User.Read'];

/** The tenant itself. It is read with the token for sensors, and only where that lists one of `organizationPermissions`. */
export const getOrganization = endpoint({
  route: 'GET /organization',
  availability: globalAndUsGov,
  permission: 'SecurityIdentitiesSensors.Read.All',
  answer: page(entity({ id: text, displayName: text })),
});

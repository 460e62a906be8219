import * as z from 'zod';
import { bothVersions, endpoint, entity, optional, page } from './endpoint.ts';

/** Permissions of which one lets a token read the organization's name. */
export const readsOrganization = ['Organization.Read.All', 'Directory.Read.All', 'User.Read'];

/** The tenant itself. It is read with the token for sensors, and only where that lists one of `readsOrganization`. */
export const getOrganization = endpoint({
  route: 'GET /organization',
  versions: bothVersions,
  clouds: ['global', 'usgov', 'usgovdod', 'china'],
  permission: 'SecurityIdentitiesSensors.Read.All',
  resend: 'always',
  answer: page(entity({ id: optional(z.string()), displayName: optional(z.string()) })),
});

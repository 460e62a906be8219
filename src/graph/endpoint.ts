import * as z from 'zod';
import { ToolError } from '../errors.ts';
import type { Part } from './answer.ts';
import type { Availability, GraphVersion } from './clouds.ts';

const methods = ['GET', 'POST', 'PATCH', 'DELETE'] as const;
export type Method = (typeof methods)[number];
export type Route = `${Method} /security/identities/${string}` | 'GET /organization' | 'GET /security/secureScores';
const permissionAreas = ['Sensors', 'Health', 'AutoConfig', 'Migration'] as const;
export type Permission =
  | `SecurityIdentities${(typeof permissionAreas)[number]}.${'Read' | 'ReadWrite'}.All`
  | 'SecurityEvents.Read.All';
export const allPermissions: readonly Permission[] = [
  'SecurityEvents.Read.All',
  ...permissionAreas.flatMap((area): Permission[] => [
    `SecurityIdentities${area}.Read.All`,
    `SecurityIdentities${area}.ReadWrite.All`,
  ]),
];
export const isWritePermission = (permission: Permission) => permission.includes('.ReadWrite.');

type PathParamName<R extends string> = R extends `${string}{${infer Name}}${infer Rest}`
  ? Name | PathParamName<Rest>
  : never;
/** The path parameters that a route names, each a GUID. */
export type PathParams<R extends string> = { readonly [Name in PathParamName<R>]: string };

/** A row of Microsoft's documentation: one operation of Graph as it is published. */
export interface Endpoint<
  R extends Route = Route,
  B extends z.ZodType = z.ZodType,
  A = unknown,
  D extends boolean = boolean,
> {
  readonly route: R;
  /** Routes on which Microsoft's sources disagree, tried in order when the one before does not exist. */
  readonly alternatives?: readonly Route[];
  readonly availability: Availability;
  /** The least privileged permission, the same name delegated and application. */
  readonly permission: Permission;
  /** Whose token it is read with, where nobody is asked to sign in for a permission of its own. */
  readonly signInFor?: Permission;
  /** What follows the path, such as `?$top=1`. */
  readonly query?: string;
  /** The PowerShell cmdlets that a source confirms. */
  readonly cmdlets?: { readonly [V in GraphVersion]?: string };
  /** Whether the request may be sent again when it is unknown if the first one took effect; a POST only where its row says so. */
  readonly resend: 'always' | 'never';
  /** True where the page documents `$count`. */
  readonly counts?: true;
  /** True where it documents `$skip`, beside `$count`. */
  readonly skips?: true;
  /** True where the answer is a secret: a `Reader` does not offer such an endpoint. */
  readonly discloses: D;
  readonly body: B;
  readonly answer: Part<A>;
}

/** What a row leaves out: a body where none is sent, what is not disclosed, whether it is sent again where its method tells. */
type EndpointRow<R extends Route, B extends z.ZodType, A, D extends boolean> = Partial<Endpoint<R, B, A, D>> &
  Pick<Endpoint<R, B, A, D>, 'route' | 'availability' | 'permission' | 'answer'>;

/** Writes down one row. */
export function endpoint<
  const R extends Route,
  A,
  B extends z.ZodType = z.ZodUndefined,
  const D extends boolean = false,
>(row: EndpointRow<R, B, A, D>): Endpoint<R, B, A, D>;
export function endpoint(row: EndpointRow<Route, z.ZodType, unknown, boolean>): Endpoint {
  const resend = parseMethod(row.route) === 'POST' ? 'never' : 'always';
  return { body: z.undefined(), discloses: false, resend, ...row };
}

/** The cmdlet of both versions; that of the beta has it in its name. */
export const nameCmdlets = (cmdlet: string) => ({ 'v1.0': cmdlet, beta: cmdlet.replace('-Mg', '-MgBeta') });

/** A GUID, the only thing that a path of these endpoints may carry: anything else could name another resource. */
export const guidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** One request of a plan: the endpoint with its path parameters and its body. */
export interface GraphRequest {
  readonly endpoint: Endpoint;
  readonly params: Readonly<Record<string, string>>;
  readonly body: unknown;
}

type GraphRequestOptions<R extends Route, B extends z.ZodType> = ([PathParamName<R>] extends [never]
  ? { readonly params?: undefined }
  : { readonly params: PathParams<R> }) &
  (B extends z.ZodUndefined ? { readonly body?: undefined } : { readonly body: z.input<B> });

/** Builds a request and checks it: ids are GUIDs, the body is what the endpoint takes. */
export function createRequest<R extends Route, B extends z.ZodType>(
  to: Endpoint<R, B>,
  { params, body }: GraphRequestOptions<R, B>,
): GraphRequest {
  return { endpoint: to, params: parseIds(params), body: to.body.parse(body) };
}

/** Ids of a path, each a GUID and nothing else. @throws ToolError `invalid_input` for anything else. */
export function parseIds(params: object = {}): Record<string, string> {
  const ids: Record<string, string> = {};
  for (const [name, value] of Object.entries(params)) {
    if (typeof value !== 'string' || !guidPattern.test(value)) {
      throw new ToolError('invalid_input', `${name} is not a GUID.`, 'Take the id from a list of this server.');
    }
    ids[name] = value.toLowerCase();
  }
  return ids;
}

/** The path of one of the endpoint's routes with the request's ids, such as `/security/identities/sensors/1b4e…`. */
export function formatPath(route: Route, params: Readonly<Record<string, string>>): string {
  const ids = parseIds(params);
  return route.slice(route.indexOf(' ') + 1).replace(/\{(\w+)\}/g, (_, name: string) => {
    const id = ids[name];
    if (id === undefined) throw new Error(`${route}: ${name} is missing`);
    return id;
  });
}

export const parseMethod = (route: Route): Method => methods.find((method) => route.startsWith(method)) ?? 'DELETE';

/** The body of a setting, with the type that Microsoft's examples of it name. */
export const typed = <S extends z.ZodRawShape>(type: string, shape: S) =>
  z.strictObject(shape).transform((body) => ({ '@odata.type': `#microsoft.graph.security.${type}`, ...body }));

import type { TextResult } from '../approval/requestStore.ts';
import type { Config } from '../config.ts';
import { ToolError, type ToolErrorCode } from '../errors.ts';
import type { Identity } from '../graph/client/identity.ts';
import type { TenantNames } from '../graph/client/identityClient.ts';
import { findVersion } from '../graph/clouds.ts';
import type { Tenant } from '../graph/tenant.ts';
import { listNeededEndpoints, type Operation } from '../operations/operation.ts';
import { escapeInvisible } from '../text.ts';

/** The tenant as questions and results name it. */
export interface TenantDescription {
  readonly label: string;
  /** What Graph calls it, where the operator calls it something else. */
  readonly nameInGraph?: string;
  /** `SIMULATED Contoso (8c157435-…)` */
  readonly text: string;
}

export function describeTenant({ simulated }: Tenant, { tenantId }: Identity, names: TenantNames): TenantDescription {
  const { nameInGraph = tenantId } = names;
  const label = escapeInvisible(names.label ?? nameInGraph, 256);
  const id = label === tenantId ? '' : ` (${tenantId})`;
  const isCalledSo = [tenantId, label].includes(escapeInvisible(nameInGraph, 256));
  return { label, ...(!isCalledSo && { nameInGraph }), text: `${simulated ? 'SIMULATED ' : ''}${label}${id}` };
}

/** What of an operation goes to another version of Graph than the operator chose, where something does. */
export function describeOtherVersion(operation: Operation, { cloud }: Tenant, { graphVersion }: Config) {
  const endpoints = [...listNeededEndpoints(operation), ...(operation.usesIfAllowed ?? [])];
  const elsewhere = endpoints.flatMap((endpoint) => {
    const version = findVersion(cloud, endpoint, graphVersion);
    const [path = ''] = /(?<=\/identities\/).+$/.exec(endpoint.route) ?? [];
    return version === undefined || version === graphVersion ? [] : [{ version, path }];
  });
  const [first] = elsewhere;
  if (first === undefined) return {};
  return { graphVersion: `${first.version} for ${elsewhere.map(({ path }) => path).join(', ')}` };
}

/** A success, as structured content and the same as text: hosts hand the model one or the other. */
export function formatSuccess(output: Record<string, unknown>, tenant: TenantDescription): TextResult {
  const structuredContent = { tenant: tenant.text, ...output };
  return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
}

/** What the text of a failure tells beside the failure itself. */
interface FailureContext {
  readonly simulated: boolean;
  /** True where no request that changes something has left. */
  readonly unchanged?: boolean;
  /** What `finish` saw of a call that partly took effect. */
  readonly seen?: Record<string, unknown>;
}

/** Anything but a success: a code of the closed list, what failed and why, whether anything changed, what next, as structured content and as text. */
export function formatFailure(error: unknown, { simulated, unchanged = false, seen }: FailureContext): TextResult {
  const { code, message, next } =
    error instanceof ToolError
      ? error
      : { code: 'internal_error', message: 'This server has a defect; its log on stderr says more.', next: undefined };
  const effect = unchanged && 'Nothing was changed.';
  const place = simulated && '(SIMULATED tenant)';
  const parts = [`${code}: ${message}`, effect, next, place, seen && JSON.stringify(seen)];
  const outcome = [message, effect, place].filter(Boolean).join(' ');
  return {
    content: [{ type: 'text', text: parts.filter(Boolean).join(' ') }],
    structuredContent: { code, outcome, next, ...(seen && { seen }) },
    ...(!expected.includes(code) && { isError: true }),
  };
}

/** How a call may well end: a host that draws errors in red should not do so here. */
const expected: readonly string[] = ['approval_pending', 'already_done'] satisfies ToolErrorCode[];

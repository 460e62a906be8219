import { ToolError } from '../errors.ts';
import type { Endpoint } from '../graph/endpoint.ts';

/** A part of an answer that this sign-in or cloud may not give: its value, or the refusal that says why not. */
export function readIfAllowed<T>(read: Promise<T>): Promise<T | ToolError> {
  return read.catch((error: unknown) => {
    const isNotAllowed = error instanceof ToolError && ['permission_missing', 'not_in_this_cloud'].includes(error.code);
    if (isNotAllowed) return error;
    throw error;
  });
}

/** Names a part that is not there and why; nothing for a part that is. */
export function describeMissing(part: string, value: unknown, { permission }: Endpoint): string[] {
  if (!(value instanceof ToolError)) return [];
  return [`${part}: ${value.code === 'permission_missing' ? `needs ${permission} or a role` : 'not in this cloud'}`];
}

import { ToolError, type ToolErrorCode } from '../errors.ts';
import type { Endpoint } from '../graph/endpoint.ts';

/** What a step gave, or why it could not be had; with codes, only for those reasons. */
export function catchToolError<T>(step: Promise<T>, ...codes: ToolErrorCode[]): Promise<T | ToolError> {
  return step.catch((error: unknown) => {
    if (error instanceof ToolError && (codes.length === 0 || codes.includes(error.code))) return error;
    throw error;
  });
}

/** A part of an answer that this sign-in or cloud may not give: its value, or the refusal that says why not. */
export const readIfAllowed = <T>(read: Promise<T>) => catchToolError(read, 'permission_missing', 'not_in_this_cloud');

/** A part without which an answer is as good: its value, or whatever kept it back. */
export async function readIfPossible<T>(read: Promise<T>): Promise<T | ToolError> {
  const value = await catchToolError(read);
  if (value instanceof ToolError && value.code === 'cancelled') throw value;
  return value;
}

/** Names a part that is not there and why; nothing for a part that is. */
export function describeMissing(part: string, value: unknown, { permission }: Endpoint): string[] {
  if (!(value instanceof ToolError)) return [];
  if (value.code === 'permission_missing')
    return [`${part}: refused; by Microsoft's tables it needs ${permission}, and a person a role`];
  return [`${part}: ${value.code === 'not_in_this_cloud' ? 'not in this cloud' : 'could not be read'}`];
}

import * as z from 'zod';
import { guidPattern } from '../graph/endpoint.ts';

/** An id as an argument: a GUID and nothing else, in lower case. */
export const id = z
  .string()
  .max(100, 'is too long to be a GUID')
  .refine((value) => guidPattern.test(value), 'is not a GUID; take the id from a list of this server')
  .transform((value) => value.toLowerCase())
  .meta({ format: 'uuid' });

/** Several ids: each once, sorted, so that the same set is the same call. */
export const ids = (maxIds: number) =>
  z
    .array(id)
    .min(1)
    .max(maxIds)
    .transform((values) => [...new Set(values)].sort());

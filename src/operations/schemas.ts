import * as z from 'zod';
import { guidPattern } from '../graph/endpoint.ts';

export const text = z.string().optional();

/** A text without blanks or quotes around it. Formats are not published: they tell the server how to read an argument. */
export const word = z.string().meta({ format: 'word' });

/** A day, such as 2026-01-31. */
export const date = z
  .string()
  .refine((value) => z.iso.date().safeParse(value).success, 'is not a date such as 2026-01-31')
  .meta({ format: 'date' });

/** A host or domain name. */
export const hostname = z.string().max(255).meta({ format: 'hostname' });

/** A line of a pasted list: whatever `readMachineName` reads. */
export const pastedName = z
  .string()
  .max(1000)
  .refine((value) => value.length <= 255 || value.includes('='), 'is longer than 255 characters')
  .meta({ format: 'hostname' });

/** An id as an argument: a GUID and nothing else, in lower case. */
export const id = z
  .string()
  .refine((value) => guidPattern.test(value), 'is not a GUID; take the id from a list of this server')
  .transform((value) => value.toLowerCase())
  .meta({ format: 'uuid' });

/** Several ids: each once, sorted, so that the same set is the same call. */
export const ids = z
  .array(id)
  .min(1)
  .max(50)
  .transform((values) => [...new Set(values)].sort());

/** What a write of several objects tells of each. */
export const targetStates = z.array(z.looseObject({ id: z.string(), name: z.string(), state: z.string().optional() }));

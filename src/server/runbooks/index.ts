import { cleanUpStaleSensors } from './cleanUpStaleSensors.ts';
import { coverageGaps } from './coverageGaps.ts';
import { healthReview } from './healthReview.ts';
import { migrateV2ToV3 } from './migrateV2ToV3.ts';
import { rollOutV3 } from './rollOutV3.ts';
import { rotateAccessKey } from './rotateAccessKey.ts';
import type { Runbook } from './runbook.ts';

/** Every runbook, in the order in which clients list them. */
export const runbooks: readonly Runbook[] = [
  healthReview,
  coverageGaps,
  cleanUpStaleSensors,
  rotateAccessKey,
  rollOutV3,
  migrateV2ToV3,
];

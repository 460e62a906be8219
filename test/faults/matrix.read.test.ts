import { testStage } from './matrix.ts';

testStage('read', { cells: 572, wrong: 0, duplicates: 0 });

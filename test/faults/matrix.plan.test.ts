import { testStage } from './matrix.ts';

testStage('plan', { cells: 468, wrong: 0, duplicates: 0 });

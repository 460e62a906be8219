import { testStage } from './matrix.ts';

testStage('after', { cells: 416, wrong: 0, duplicates: 0 });

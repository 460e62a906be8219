import { testStage } from './matrix.ts';

testStage('send', { cells: 520, wrong: 0, duplicates: 0 });

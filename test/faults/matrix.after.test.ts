import { testStage } from './matrix.ts';

testStage('after');

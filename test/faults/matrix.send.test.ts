import { testStage } from './matrix.ts';

testStage('send');

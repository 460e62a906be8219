import { testStage } from './matrix.ts';

testStage('read');

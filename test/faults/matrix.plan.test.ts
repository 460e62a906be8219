import { testStage } from './matrix.ts';

testStage('plan');

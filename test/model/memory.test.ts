import { modelTest } from './property.ts';

modelTest('memory', 1, 1);

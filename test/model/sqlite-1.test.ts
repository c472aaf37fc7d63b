import { modelTest } from './property.ts';

modelTest('sqlite', 1, 3);

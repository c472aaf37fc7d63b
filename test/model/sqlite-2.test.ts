import { modelTest } from './property.ts';

modelTest('sqlite', 2, 3);

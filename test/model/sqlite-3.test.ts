import { modelTest } from './property.ts';

modelTest('sqlite', 3, 3);

export { type FakeClock, fakeClock } from './fake-clock.ts';
export { type StorageCase, storageCases } from './storage-cases.ts';
export { waitFor } from './wait-for.ts';

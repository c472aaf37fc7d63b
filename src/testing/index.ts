export { type FakeClock, fakeClock } from './fake-clock.ts';
export { type OpenStorage, type StorageCase, type StorageUnderTest, storageCases } from './storage-cases.ts';
export { waitFor } from './wait-for.ts';

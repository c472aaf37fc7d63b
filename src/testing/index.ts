export { assertNotSubmitted, assertSubmitted, type PartOf } from './assert-submitted.ts';
export { failNext } from './fail-next.ts';
export { type FakeClock, fakeClock } from './fake-clock.ts';
export { runUntilIdle } from './run-until-idle.ts';
export { type OpenStorage, type StorageCase, type StorageUnderTest, storageCases } from './storage-cases.ts';
export { waitFor } from './wait-for.ts';

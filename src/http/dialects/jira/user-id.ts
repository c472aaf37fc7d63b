import { createHash } from 'node:crypto';

/** 48 bits: any JSON parser reads them as they are. */
const BYTES = 6;

/**
 * A number for a submitter, which is the same in every process and at all times: the digits themselves where the id is a
 * number, else one made of its SHA-256.
 */
export function stableUserId(submittedBy: string): number {
  const number = Number(submittedBy);
  if (/^(0|[1-9]\d*)$/.test(submittedBy) && Number.isSafeInteger(number)) return number;
  return createHash('sha256').update(submittedBy).digest().readUIntBE(0, BYTES);
}

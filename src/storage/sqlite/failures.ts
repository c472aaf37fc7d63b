import {
  StorageCorruptError,
  StorageError,
  StorageFullError,
  StorageLockedError,
  StorageReadonlyError,
  TasklaneError,
} from '../../errors.ts';

/** Primary result codes of SQLite; the extended ones carry them in their low byte. */
const CODES = { busy: 5, locked: 6, readonly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notDatabase: 26 };

/** The primary result code of an error of `node:sqlite`; null for any other error. */
function codeOf(error: unknown): number | null {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : null;
}

/** Whether another connection is in the way, so that trying again will help. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code === CODES.busy || code === CODES.locked;
}

/** Whether the file itself is at fault, so that no other write of the moment would fare better. */
export function isHopeless(error: unknown): boolean {
  const code = codeOf(error);
  return code === CODES.readonly || code === CODES.ioError || code === CODES.corrupt || code === CODES.notDatabase;
}

/** Whether the file could not be opened at all. */
export function cannotOpen(error: unknown): boolean {
  return codeOf(error) === CODES.cannotOpen;
}

/**
 * An error of SQLite, or of our own code, as the contract has it.
 * @param file names the storage in the message
 * @param committing the commit itself failed
 */
export function toStorageError(error: unknown, file: string, committing = false): TasklaneError {
  if (error instanceof TasklaneError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const options = { cause: error };
  switch (codeOf(error)) {
    case CODES.busy:
    case CODES.locked:
      return new StorageLockedError(`Another connection holds the lock of ${file}.`, options);
    case CODES.readonly:
      return new StorageReadonlyError(`${file} may only be read: ${reason}.`, options);
    case CODES.corrupt:
    case CODES.notDatabase:
      return new StorageCorruptError(`${file} is damaged, or not a database: ${reason}.`, options);
    case CODES.full:
      return new StorageFullError(`The disk of ${file} is full: ${reason}.`, options);
    case CODES.ioError:
      // The commit mark may have reached the log before the disk failed.
      return new StorageError(`${file} could not be read or written: ${reason}.`, {
        ...options,
        ambiguous: committing,
      });
    default:
      return new StorageError(`${file}: ${reason}.`, options);
  }
}

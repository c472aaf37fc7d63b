import { DatabaseSync } from 'node:sqlite';

// A process that takes the write lock of a file and keeps it until it dies.

const database = new DatabaseSync(process.argv[2] ?? '', { timeout: 5_000 });
database.exec('begin immediate');
process.send?.('locked');
process.on('disconnect', () => process.exit());

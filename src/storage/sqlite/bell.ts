import { type FSWatcher, watch } from 'node:fs';

/** While we write a lot ourselves the file would ring for each commit of our own, at a sixth of its cost: we look instead. */
const LOOK_MS = 10;
/** So many commits of our own within {@link SPAN_MS} are a lot. */
const MANY = 5;
const SPAN_MS = 50;
/** Looks without a commit of our own, until the file rings again. */
const QUIET = 10;

/** Rings when another connection may have written to the log file. It goes by the machine's time, as the file does. */
export class Bell {
  readonly #file: string;
  readonly #ring: () => void;
  #watcher: FSWatcher | null = null;
  #looking: NodeJS.Timeout | null = null;
  #rung = false;
  #commits = 0;
  #since = 0;
  #quiet = 0;

  /** @param file the log's path. @param ring may be called for our own commits, too */
  constructor(file: string, ring: () => void) {
    this.#file = file;
    this.#ring = ring;
    this.#listen();
  }

  /** We wrote ourselves. */
  committed(): void {
    this.#commits++;
    if (this.#looking !== null || this.#watcher === null) return;
    const now = performance.now();
    if (now - this.#since > SPAN_MS) {
      this.#since = now;
      this.#commits = 1;
    } else if (this.#commits >= MANY) this.#look();
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = null;
    if (this.#looking !== null) clearInterval(this.#looking);
    this.#looking = null;
  }

  #listen(): void {
    try {
      this.#watcher = watch(this.#file, { persistent: false }, () => {
        if (this.#rung) return;
        this.#rung = true;
        setImmediate(() => {
          this.#rung = false;
          if (this.#watcher !== null) this.#ring();
        });
      });
      this.#watcher.on('error', () => this.close());
    } catch {
      this.#watcher = null; // no such file, or no watches left
    }
  }

  #look(): void {
    this.close();
    this.#commits = 0;
    this.#quiet = 0;
    this.#looking = setInterval(() => {
      this.#quiet = this.#commits === 0 ? this.#quiet + 1 : 0;
      this.#commits = 0;
      if (this.#quiet >= QUIET) {
        this.close();
        this.#listen();
      }
      this.#ring();
    }, LOOK_MS);
    this.#looking.unref();
  }
}

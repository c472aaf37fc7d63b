import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Readers of one event stream, over sockets of their own, as cheap as Node has them. */
export class Readers {
  readonly #sockets: Socket[] = [];
  readonly #ends: Promise<boolean>[] = [];
  #bytes = 0;

  /** What all have got together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Opens so many, 50 at a time, and waits until each has its first event. */
  async open(port: number, path: string, count: number): Promise<void> {
    for (let from = 0; from < count; from += 50) {
      await Promise.all(Array.from({ length: Math.min(50, count - from) }, () => this.#openOne(port, path)));
    }
  }

  /** Has the first of them read no more, or again. */
  stop(count: number, stopped: boolean): void {
    for (const socket of this.#sockets.slice(0, count)) stopped ? socket.pause() : socket.resume();
  }

  /** Waits until the server ends all streams. @returns how many of them had the final event */
  async finals(): Promise<number> {
    const all = await Promise.all(this.#ends);
    for (const socket of this.#sockets) socket.destroy();
    return all.filter(Boolean).length;
  }

  async #openOne(port: number, path: string): Promise<void> {
    const socket = connect(port, '127.0.0.1');
    this.#sockets.push(socket);
    const { promise: first, resolve: begun } = Promise.withResolvers<void>();
    let tail = '';
    this.#ends.push(
      new Promise((resolve) => {
        socket.on('data', (chunk) => {
          this.#bytes += chunk.length;
          // the final event is one chunk of the answer, or ends in the next: enough of them is kept for both
          const text = tail + chunk.toString('latin1');
          if (text.includes('event: ')) begun();
          tail = text.slice(-4_096);
          if (!text.endsWith('\r\n0\r\n\r\n')) return;
          resolve(tail.includes('event: status') && tail.includes('"status":"succeeded"'));
        });
        socket.on('close', () => resolve(false));
        socket.on('error', () => resolve(false));
      }),
    );
    await once(socket, 'connect');
    socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n\r\n`);
    await first;
  }
}

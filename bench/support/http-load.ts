import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';

/** An answer as it left a server. */
export interface Answer {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** A request of HTTP/1.1, as it is written to a socket. */
export function requestText(method: string, path: string, body = ''): string {
  const lines = [`${method} ${path} HTTP/1.1`, 'host: 127.0.0.1', 'accept: application/json'];
  if (body !== '') lines.push('content-type: application/json', `content-length: ${Buffer.byteLength(body)}`);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** Asks once, the slow and proper way. */
export async function ask(port: number, method: string, path: string, body = ''): Promise<Answer> {
  const headers = body === '' ? {} : { 'content-type': 'application/json' };
  const asked = request({ host: '127.0.0.1', port, method, path, headers }).end(body);
  const [answer] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += chunk;
  return { status: answer.statusCode ?? 0, headers: answer.rawHeaders, body: text };
}

/**
 * Keeps so many connections busy with one request, as cheaply as Node can, so that the server is what is measured.
 * @returns answers a second
 * @throws for an answer of another status
 */
export async function load(
  port: number,
  text: string,
  status: number,
  connections: number,
  ms: number,
): Promise<number> {
  const wire = Buffer.from(text);
  const begin = `HTTP/1.1 ${status} `;
  let answers = 0;
  let over = false;
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const begun = performance.now();
  const ends = sockets.map((socket) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let got = '';
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server hung up')));
    socket.on('data', (chunk) => {
      got = got === '' ? chunk.toString('latin1') : got + chunk.toString('latin1');
      const head = got.indexOf('\r\n\r\n');
      if (head < 0) return;
      if (!got.startsWith(begin)) {
        reject(new Error(got));
        return;
      }
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(got)?.[1]);
      if (got.length < head + 4 + length) return;
      got = '';
      answers++;
      if (over) resolve();
      else socket.write(wire);
    });
    socket.write(wire);
    return promise;
  });
  setTimeout(() => {
    over = true;
  }, ms);
  try {
    await Promise.all(ends);
    return answers / ((performance.now() - begun) / 1e3);
  } finally {
    for (const socket of sockets) socket.removeAllListeners('close').destroy();
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay();
  await once(socket, 'connect');
  return socket;
}

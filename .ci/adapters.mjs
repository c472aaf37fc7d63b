// Mounts the packed package on each framework, on the oldest supported Node, and submits a task by it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import 'reflect-metadata';
import { getRequestListener } from '@hono/node-server';
import { NestFactory } from '@nestjs/core';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { defineTask, TaskManager } from 'tasklane';
import { tasklane as forExpress } from 'tasklane/express';
import { tasklane as forFastify } from 'tasklane/fastify';
import { tasklane as forHono } from 'tasklane/hono';
import { createHandler } from 'tasklane/http';
import { tasklane as forKoa } from 'tasklane/koa';
import { TasklaneModule } from 'tasklane/nest';
import { tasklane as forNext } from 'tasklane/next';

const manager = new TaskManager({ handlers: [defineTask({ name: 'add', run: ({ a, b }) => a + b })] });
await manager.start();
const handler = createHandler(manager);

async function listen(listener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: server.address().port, close: () => server.close() };
}

const mounts = {
  express: () => listen(express().use('/api', forExpress(handler))),
  koa: () => listen(new Koa().use(forKoa(handler, { prefix: '/api' })).callback()),
  hono: () => listen(getRequestListener(new Hono().mount('/api', forHono(handler, { basePath: '/api' })).fetch)),
  async fastify() {
    const app = fastify();
    app.register(forFastify, { prefix: '/api', handler });
    await app.listen({ port: 0, host: '127.0.0.1' });
    return { port: app.server.address().port, close: () => app.close() };
  },
  async nest() {
    class App {}
    const module = { module: App, imports: [TasklaneModule.forRoot({ path: 'api', handler })] };
    const app = await NestFactory.create(module, { logger: false });
    await app.listen(0, '127.0.0.1');
    return { port: app.getHttpServer().address().port, close: () => app.close() };
  },
};

const init = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{"handler":"add","input":{"a":1,"b":2}}',
};
for (const [name, mount] of Object.entries(mounts)) {
  const { port, close } = await mount();
  const response = await fetch(`http://127.0.0.1:${port}/api/tasks`, { ...init, keepalive: false });
  assert.equal(response.status, 202, name);
  const { id } = await response.json();
  assert.equal(response.headers.get('location'), `/api/tasks/${id}`, name);
  assert.equal(await manager.task(id).result(), 3, name);
  await close();
}
const { POST } = forNext(handler, { basePath: '/api' });
assert.equal((await POST(new Request('http://x/api/tasks', init))).status, 202);
await manager.close();
console.log(`every adapter works on Node ${process.version}`);
process.exit();

// What one framework has and others have not.
import { Module, VersioningType } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import fastify from 'fastify';
import { TaskManager } from 'tasklane';
import { tasklane } from 'tasklane/fastify';
import { createHandler } from 'tasklane/http';
import { TasklaneModule } from 'tasklane/nest';
import { tasklane as onNext } from 'tasklane/next';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bodyOf } from '../support.ts';
import { nestOn } from './nest.ts';
import { addressOf } from './support.ts';

let manager: TaskManager;
beforeEach(async () => {
  manager = new TaskManager();
  await manager.start();
});
afterEach(() => manager.close());

describe('NestJS', () => {
  test.each(['express', 'fastify'] as const)('below a global prefix, on %s', async (platform) => {
    const app = await nestOn(platform, createHandler(manager), { prefix: '/api', globalPrefix: 'v1' });
    const origin = addressOf(app.server);
    expect((await fetch(`${origin}/v1/api/health`)).status).toBe(200);
    expect((await fetch(`${origin}/api/health`)).status).toBe(404);
    expect(await (await fetch(`${origin}/v1/other`)).text()).toBe('other');
    await app.close();
  });

  test('a handler made from a provider; two mounts; versions of the app do not apply', async () => {
    class Tasks {
      readonly manager = manager;
    }
    class TasksModule {}
    Module({ providers: [Tasks], exports: [Tasks] })(TasksModule);
    class AppModule {}
    Module({
      imports: [
        TasklaneModule.forRootAsync({
          path: 'one',
          imports: [TasksModule],
          inject: [Tasks],
          useFactory: (tasks: Tasks) => createHandler(tasks.manager),
        }),
        TasklaneModule.forRoot({ path: 'two', handler: createHandler(manager) }),
      ],
    })(AppModule);
    const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false });
    app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
    await app.listen(0, '127.0.0.1');
    const origin = addressOf(app.getHttpServer());
    for (const path of ['one', 'two']) expect((await fetch(`${origin}/${path}/health`)).status).toBe(200);
    await app.close();
  });
});

test('Fastify > hooks and parsers of the app go on as they were', async () => {
  const app = fastify();
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('access-control-allow-origin', 'https://app.example');
  });
  await app.register(tasklane, { prefix: '/api', handler: createHandler(manager) });
  app.post('/own', async ({ body }) => body);
  await app.listen({ port: 0, host: '127.0.0.1' });
  const origin = addressOf(app.server);
  const response = await fetch(`${origin}/api/tasks`);
  expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example');
  const headers = { 'content-type': 'application/json' };
  const own = await fetch(`${origin}/own`, { method: 'POST', headers, body: '{"id":"a"}' });
  expect(await bodyOf(own)).toEqual({ id: 'a' });
  await app.close();
});

test('Next.js > a path outside of `basePath` is no route', async () => {
  const { GET } = onNext(createHandler(manager), { basePath: '/api/' });
  expect((await GET(new Request('http://app.example/api/health'))).status).toBe(200);
  expect((await GET(new Request('http://app.example/apiary/health'))).status).toBe(404);
});

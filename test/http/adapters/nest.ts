import 'reflect-metadata';
import type { Server } from 'node:http';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { TasklaneModule } from 'tasklane/nest';
import type { FetchHandler } from 'tasklane/node';
import type { Mounted, MountOptions } from './mounts.ts';

class OtherController {
  other(): string {
    return 'other';
  }
}
// decorators as calls: they are no part of JavaScript yet
Get(['other', 'api/other'])(OtherController.prototype, 'other', ownDescriptor(OtherController.prototype, 'other'));
Controller()(OtherController);

function ownDescriptor(of: object, key: string): TypedPropertyDescriptor<unknown> {
  return Object.getOwnPropertyDescriptor(of, key) ?? {};
}

/** Above the limit of the handler. */
function json10(app: NestExpressApplication): void {
  // biome-ignore lint/correctness/useHookAtTopLevel: this is Nest, not React
  app.useBodyParser('json', { limit: '10mb' });
}

/** A NestJS app on a platform. @param globalPrefix of the whole app; `other` lies below it too */
export async function nestOn(
  platform: 'express' | 'fastify',
  handler: FetchHandler,
  { prefix, trustProxy, globalPrefix }: MountOptions & { readonly globalPrefix?: string },
): Promise<Mounted> {
  class AppModule {}
  Module({
    imports: [TasklaneModule.forRoot({ handler, path: prefix, trustProxy })],
    controllers: [OtherController],
  })(AppModule);
  const app =
    platform === 'express'
      ? await NestFactory.create<NestExpressApplication>(AppModule, new ExpressAdapter(), { logger: false })
      : await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), { logger: false });
  if (globalPrefix !== undefined) app.setGlobalPrefix(globalPrefix);
  if (platform === 'express') json10(app as NestExpressApplication);
  await app.listen(0, '127.0.0.1');
  return { server: app.getHttpServer() as Server, close: () => app.close() };
}

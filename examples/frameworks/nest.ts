import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TasklaneModule } from 'tasklane/nest';
import { announce, handler, manager, port } from './tasks.ts';

class AppModule {}
// `@Module({ ... })` in front of the class; as a call, this file runs without a build
Module({ imports: [TasklaneModule.forRoot({ path: 'api', handler })] })(AppModule);

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });

await app.listen(port, '127.0.0.1');
announce(app.getHttpServer());

process.once('SIGTERM', async () => {
  await app.close(); // ends event streams too
  await manager.close();
});

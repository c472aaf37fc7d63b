/**
 * `tasklane/nest`: the HTTP surface as a module of NestJS 12, on Express and on Fastify.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type {
  DynamicModule,
  FactoryProvider,
  MiddlewareConsumer,
  ModuleMetadata,
  NestModule,
  OnModuleDestroy,
} from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';
import { below, type FetchHandler, normalPrefix } from './fetch-handler.ts';
import { isFor, type NodeListenerOptions, toNodeListener } from './node-listener.ts';
import { loadPeer } from './peer.ts';

// Not by `import`: that fails without a word on what to install.
const common = loadPeer<typeof import('@nestjs/common')>('@nestjs/common', 'tasklane/nest');
const core = loadPeer<typeof import('@nestjs/core')>('@nestjs/core', 'tasklane/nest');

/** What both ways to make the module take. `path`: below the global prefix of the app, such as `api`; default: its root. */
export type NestTasklaneOptions = NodeListenerOptions & { readonly path?: string | undefined };

/** A module whose handler is made from providers of the app. */
export type NestTasklaneAsyncOptions = NestTasklaneOptions &
  Pick<ModuleMetadata, 'imports'> &
  Pick<FactoryProvider<FetchHandler>, 'useFactory' | 'inject'>;

/** Both platforms leave the whole URL on `originalUrl`, and something shorter on `url` or not. */
type NestRequest = IncomingMessage & { readonly originalUrl?: string };

/** What a module is made of, once the app is there. */
interface Mounted {
  readonly handler: FetchHandler;
  readonly config: ApplicationConfig;
}

/**
 * The module. Its routes are a middleware: guards, pipes and interceptors do not run, so rights belong into the handler's own
 * `authenticate`. What it has no route for goes on to the app's controllers. Closing the app ends event streams.
 * @example imports: [TasklaneModule.forRoot({ path: 'api', handler: createHandler(manager) })]
 */
export class TasklaneModule implements NestModule, OnModuleDestroy {
  /** With a handler that is there already. */
  static forRoot({ handler, ...options }: NestTasklaneOptions & { readonly handler: FetchHandler }): DynamicModule {
    return TasklaneModule.forRootAsync({ ...options, useFactory: () => handler });
  }

  /** With a handler that is made from providers: `{ inject: [TaskManager], useFactory: (manager) => createHandler(manager) }`. */
  static forRootAsync({ imports, inject = [], useFactory, ...options }: NestTasklaneAsyncOptions): DynamicModule {
    // A class of its own for each call: Nest keeps one instance of a class, and there may be several mounts.
    let mounted: Mounted | null = null;
    class Mount extends TasklaneModule {
      constructor() {
        super(() => mounted, options);
      }
    }
    const provider: FactoryProvider<Mounted> = {
      provide: Symbol('tasklane'),
      inject: [core.ApplicationConfig, ...inject],
      async useFactory(config: ApplicationConfig, ...dependencies: unknown[]) {
        mounted = { config, handler: await useFactory(...dependencies) };
        return mounted;
      },
    };
    return { module: Mount, providers: [provider], ...(imports === undefined ? {} : { imports }) };
  }

  readonly #mounted: () => Mounted | null;
  readonly #options: NestTasklaneOptions;

  /** Use `forRoot` or `forRootAsync`. */
  constructor(mounted: () => Mounted | null, options: NestTasklaneOptions) {
    this.#mounted = mounted;
    this.#options = options;
  }

  /** Called by Nest, after it has made all providers. */
  configure(consumer: MiddlewareConsumer): void {
    const mounted = this.#mounted();
    if (mounted === null) return;
    const { handler, config } = mounted;
    const listen = toNodeListener(handler, this.#options);
    const path = normalPrefix(this.#options.path);
    const prefix = normalPrefix(config.getGlobalPrefix()) + path;
    const serve = (req: NestRequest, res: ServerResponse, next: () => void): void => {
      const { url } = req;
      const rest = below(req.originalUrl ?? url ?? '/', prefix);
      if (rest !== null) req.url = rest;
      if (rest !== null && isFor(handler, req)) {
        void listen(req, res, prefix);
      } else {
        req.url = url;
        next();
      }
    };
    // URI versions do not apply: our routes are below the prefix and nothing else
    const route = { method: common.RequestMethod.ALL, version: common.VERSION_NEUTRAL } as const;
    consumer.apply(serve).forRoutes({ ...route, path: path || '/' }, { ...route, path: `${path}/{*rest}` });
  }

  /** Called by Nest when the app closes. */
  async onModuleDestroy(): Promise<void> {
    await this.#mounted()?.handler.close?.();
  }
}

// `npm run example NAME` runs one of the examples below.
const EXAMPLES: Readonly<Record<string, () => Promise<unknown>>> = {
  events: () => import('./events.ts'),
  node: () => import('./frameworks/node.ts'),
  express: () => import('./frameworks/express.ts'),
  fastify: () => import('./frameworks/fastify.ts'),
  koa: () => import('./frameworks/koa.ts'),
  hono: () => import('./frameworks/hono.ts'),
  nest: () => import('./frameworks/nest.ts'),
  next: () => import('./next/run.ts'),
  schedule: () => import('./schedule.ts'),
  flow: () => import('./flow.ts'),
  page: () => import('./page/main.ts'),
  waylay: () => import('./dialects/waylay.ts'),
  'task-v2': () => import('./dialects/task-v2.ts'),
  jira: () => import('./dialects/jira.ts'),
  'background-task': () => import('./dialects/background-task.ts'),
  svix: () => import('./dialects/svix.ts'),
};

const [name = ''] = process.argv.slice(2);
const run = EXAMPLES[name];
if (run === undefined) {
  console.error(`There is no example "${name}". There are: ${Object.keys(EXAMPLES).join(', ')}.`);
  process.exitCode = 1;
} else {
  await run();
}

export async function register() {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return;
  const { tasks } = await import('./tasks.js');
  await tasks.manager.start();
}

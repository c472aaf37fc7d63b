// The page of examples/page in a real browser, with the API on another origin.
import { createServer, type Server } from 'node:http';
import { type Browser, chromium, type Page } from 'playwright-core';
import { TaskManager } from 'tasklane';
import { createHandler, type TaskHandler } from 'tasklane/http';
import { toNodeListener } from 'tasklane/node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { countTo } from '../client/count.ts';
import { Example } from '../http/adapters/example.ts';
import { addressOf } from '../http/adapters/support.ts';
import { Gate } from '../http/support.ts';

let browser: Browser;
let site: Example;
beforeAll(async () => {
  site = await Example.start('page');
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
    ],
  });
}, 60_000);
afterAll(async () => {
  await browser.close();
  await site.stop();
});

let manager: TaskManager;
let handler: TaskHandler;
let server: Server;
let page: Page;
let gate: Gate;
let complaints: string[];

/** Opens the page with an API that lets pages of this origin in. */
async function open(origin: string): Promise<void> {
  handler = createHandler(manager, { cors: { origin } });
  server = createServer(toNodeListener(handler));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  page = await browser.newPage({ viewport: { width: 900, height: 600 } });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`${site.url}/?api=${addressOf(server)}`);
}

beforeEach(async () => {
  complaints = [];
  gate = new Gate();
  manager = new TaskManager({ handlers: [countTo(gate)] }) as unknown as TaskManager;
  await manager.start();
});
afterEach(async () => {
  gate.open();
  await page.close();
  await handler.close();
  server.close();
  server.closeAllConnections();
  await manager.close({ timeout: 0 });
  expect(complaints).toEqual([]);
});

test('submits, shows progress as it happens, and the end', async () => {
  await open(site.url);
  await page.fill('input[name=to]', '4');
  await page.click('form button');
  const row = page.locator('li').first();
  await expect.poll(() => row.locator('progress').getAttribute('value')).toBe('0.5'); // it is held there
  expect(await row.locator('output').textContent()).toBe('running');
  if (process.env.SCREENSHOT !== undefined) await page.screenshot({ path: process.env.SCREENSHOT });
  gate.open();
  await expect.poll(() => row.locator('output').textContent()).toBe('succeeded');
  expect(await row.locator('progress').getAttribute('value')).toBe('1');
  expect(await page.locator('[role=alert]').textContent()).toBe('');
});

test('cancels', async () => {
  await open(site.url);
  await page.click('form button');
  const row = page.locator('li').first();
  await expect.poll(() => row.locator('output').textContent()).toBe('running');
  await row.locator('button').click();
  await expect.poll(() => row.locator('output').textContent()).toBe('cancelled');
  expect((await manager.list()).items).toMatchObject([{ status: 'cancelled', cancelReason: 'by hand' }]);
});

test('shows tasks that others submitted, before and after it was opened', async () => {
  await manager.submit('count', { to: 2 });
  await open(site.url);
  await expect.poll(() => page.locator('li').count()).toBe(1);
  await manager.submit('count', { to: 2 });
  await expect.poll(() => page.locator('li').count()).toBe(2);
});

test('what is refused is shown', async () => {
  await open(site.url);
  await page.locator('input[name=to]').evaluate((input) => input.removeAttribute('max'));
  await page.fill('input[name=to]', '2000');
  await page.click('form button');
  await expect.poll(() => page.locator('[role=alert]').textContent()).toContain('to: Too big');
});

test('an API that does not name the origin of the page is closed to it', async () => {
  await open('https://elsewhere.example');
  await expect.poll(() => page.locator('[role=alert]').textContent(), { timeout: 15_000 }).toContain('fetch');
});

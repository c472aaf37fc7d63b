// How an app tests its own code that uses tasks: on memory, without a server. `npm run example:test`
import { defineTask, TaskManager } from 'tasklane';
import { afterEach, beforeEach, expect, test } from 'vitest';

// ---- the app's own code -------------------------------------------------------------------------------------------

interface Mailer {
  send(to: string, text: string): Promise<void>;
}

const welcomeTask = (mailer: Mailer) =>
  defineTask({
    name: 'welcome',
    retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: 0 } },
    run: ({ to }: { to: string }) => mailer.send(to, 'Welcome!'),
  });

class Accounts {
  readonly #tasks: TaskManager;

  constructor(tasks: TaskManager) {
    this.#tasks = tasks;
  }

  /** Signing up twice sends one mail. */
  async signUp(email: string): Promise<string> {
    const task = await this.#tasks.submit('welcome', { to: email }, { idempotencyKey: `welcome ${email}` });
    return task.id;
  }
}

// ---- its tests ----------------------------------------------------------------------------------------------------

let sent: string[];
let failures: number;
let manager: TaskManager;
let accounts: Accounts;

beforeEach(async () => {
  sent = [];
  failures = 0;
  const mailer: Mailer = {
    async send(to) {
      if (failures-- > 0) throw new Error('the mail server is away');
      sent.push(to);
    },
  };
  manager = new TaskManager();
  manager.register(welcomeTask(mailer));
  await manager.start();
  accounts = new Accounts(manager);
});

afterEach(() => manager.close());

test('signUp > sends a welcome mail', async () => {
  const id = await accounts.signUp('ada@example.com');
  await manager.task(id).result();
  expect(sent).toEqual(['ada@example.com']);
});

test('signUp > twice sends one mail', async () => {
  const [first, second] = [await accounts.signUp('ada@example.com'), await accounts.signUp('ada@example.com')];
  await manager.onIdle();
  expect(second).toBe(first);
  expect(sent).toEqual(['ada@example.com']);
});

test('signUp > a mail server that is away for a moment is tried again', async () => {
  failures = 1;
  const id = await accounts.signUp('ada@example.com');
  await manager.task(id).result();
  expect(sent).toEqual(['ada@example.com']);
  expect((await manager.get(id))?.attempt).toBe(2);
});

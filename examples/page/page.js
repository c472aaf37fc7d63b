// Submits, shows live progress and cancels. No build step: `tasklane/client` is found by the import map of the page.
import { TaskClient } from 'tasklane/client';

// the API may be on another origin: ?api=https://api.example
const client = new TaskClient({ baseUrl: new URLSearchParams(location.search).get('api') ?? '/api' });

const form = document.querySelector('form');
const list = document.querySelector('ul');
const alert = document.querySelector('[role=alert]');
const rows = new Map();

function rowOf(task) {
  const known = rows.get(task.id);
  if (known) return known;
  const row = { version: 0, element: document.createElement('li') };
  for (const name of ['progress', 'output', 'button', 'code']) {
    row[name] = row.element.appendChild(document.createElement(name));
  }
  row.code.textContent = task.id;
  row.button.textContent = 'Cancel';
  row.button.onclick = () => client.cancel(task.id, 'by hand').then(show, complain);
  rows.set(task.id, row);
  list.prepend(row.element);
  return row;
}

function show(task) {
  const row = rowOf(task);
  if (task.version < row.version) return; // an answer that was overtaken by an event
  row.version = task.version;
  row.element.dataset.status = task.status;
  row.output.textContent = task.status;
  row.progress.value = task.status === 'succeeded' ? 1 : (task.progress?.fraction ?? 0);
  row.button.disabled = task.finishedAt !== null || task.status === 'cancelling';
}

function complain(error) {
  alert.textContent = error.message;
}

form.onsubmit = (event) => {
  event.preventDefault();
  alert.textContent = '';
  client.submit('count', { to: Number(form.elements.to.value) }).then(show, complain);
};

async function follow() {
  for await (const { task } of client.events({ handler: 'count' })) show(task);
}

async function showEarlier() {
  for await (const task of client.list({ filter: { handler: 'count' }, sort: 'id' })) show(task);
}

follow().catch(complain);
showEarlier().catch(complain);

import { tasklane } from 'tasklane/next';
import { tasks } from '../../../tasks.js';

export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';
export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = tasklane(tasks.handler, { basePath: '/api' });

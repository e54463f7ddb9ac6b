// Workers that run by themselves.
import { Worker } from 'bullmq';
import { handler, release } from './handler.js';
import { connection, tell } from './shared.js';

const workers = new Map();

export const commands = {
  /** Starts a worker; `worker` is its name here. */
  async work({ worker, queue, concurrency = 1, options = {} }) {
    const made = new Worker(queue, handler(worker), { connection, concurrency, ...options });
    made.on('error', (error) => tell({ happening: 'workerError', worker, error: error.message }));
    await made.waitUntilReady();
    workers.set(worker, made);
  },
  async stopWork({ worker }) {
    await workers.get(worker).close();
    workers.delete(worker);
  },
  release: ({ job }) => release(job),
};

// A worker moved by hand, one step a command: takes one job, ends it.
import { UnrecoverableError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { connection } from './shared.js';

const TOKEN = 'by-hand:0';
const workers = new Map();
const taken = new Map();

function workerOf(queue, options) {
  const known = workers.get(queue);
  if (known && !options) return known;
  const made = new Worker(queue, null, { connection, autorun: false, ...options });
  made.on('error', () => {});
  workers.set(queue, made);
  return made;
}

function held(queue, job) {
  const found = taken.get(`${queue}:${job}`);
  if (!found) throw new Error(`job ${job} of ${queue} was not taken here`);
  return found;
}

export const commands = {
  async take({ queue, options }) {
    const job = await workerOf(queue, options).getNextJob(TOKEN, { block: false });
    if (!job) return null;
    taken.set(`${queue}:${job.id}`, job);
    const { id, name, data, attemptsMade, priority } = job;
    return { id, name, data, attemptsMade, priority };
  },
  /** Takes and fails what is next and to be failed without being run, as any worker does, in this order. */
  async settle({ queues }) {
    const redis = new Redis(connection);
    for (const queue of queues) {
      const [ready] = await redis.zrange(`bull:${queue}:prioritized`, 0, 0);
      const next = (await redis.lindex(`bull:${queue}:wait`, -1)) ?? ready;
      const failure = next && (await redis.hget(`bull:${queue}:${next}`, 'defa'));
      if (!failure) continue;
      const job = await workerOf(queue).getNextJob(TOKEN, { block: false });
      await job.moveToFailed(new UnrecoverableError(failure), TOKEN, false);
    }
    redis.disconnect();
  },
  /** The look for stalled jobs that a worker has now and then, now. */
  async checkStalled({ queue }) {
    const redis = new Redis(connection);
    await redis.del(`bull:${queue}:stalled-check`);
    redis.disconnect();
    await workerOf(queue).moveStalledJobsToWait();
  },
  async complete({ queue, job, result }) {
    await held(queue, job).moveToCompleted(result, TOKEN, false);
  },
  async fail({ queue, job, message, unrecoverable }) {
    const error = unrecoverable ? new UnrecoverableError(message) : new Error(message);
    error.stack = `Error: ${message}`;
    await held(queue, job).moveToFailed(error, TOKEN, false);
  },
  async postpone({ queue, job, delay }) {
    await held(queue, job).moveToDelayed(Date.now() + delay, TOKEN);
  },
  async handBack({ queue, job }) {
    await held(queue, job).moveToWait(TOKEN);
  },
  async report({ queue, job, progress }) {
    await held(queue, job).updateProgress(progress);
  },
  async log({ queue, job, line }) {
    await held(queue, job).log(line);
  },
};

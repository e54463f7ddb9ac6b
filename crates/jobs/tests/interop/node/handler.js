// What a job does when it runs. Its data says so, and the three drivers (Node, Python, Rust) read it alike:
//   progress  reported, any value
//   log       written as a log line
//   fail      { times, message, unrecoverable }: the first `times` attempts fail
//   hold      the handler waits for the command `release`
//   children  the result is the children's results, sorted by their text
//   answer    the result
import { UnrecoverableError } from 'bullmq';
import { tell } from './shared.js';

const held = new Map();

/** Lets a handler that holds go on. */
export function release(job) {
  if (!held.has(job)) throw new Error(`nothing holds job ${job}`);
  held.get(job)();
  held.delete(job);
}

async function childrenOf(job) {
  const values = Object.values(await job.getChildrenValues());
  return values.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

export function handler(worker) {
  return async (job) => {
    const { progress, log, fail, hold, children, answer } = job.data ?? {};
    const attempt = job.attemptsMade + 1;
    tell({ happening: 'ran', worker, queue: job.queueName, job: job.id, name: job.name, attempt });
    if (progress !== undefined) await job.updateProgress(progress);
    if (log !== undefined) await job.log(log);
    if (hold) await new Promise((resume) => held.set(job.id, resume));
    if (fail && attempt <= fail.times) {
      throw fail.unrecoverable ? new UnrecoverableError(fail.message) : new Error(fail.message);
    }
    return children ? childrenOf(job) : answer;
  };
}

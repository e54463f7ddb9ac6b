// What the commands share: the connection, one Queue object a name, the way out.
import { Queue } from 'bullmq';

export const connection = {
  host: '127.0.0.1',
  port: Number(process.env.REDIS_PORT),
  maxRetriesPerRequest: null,
};

const queues = new Map();

/** The queue of that name; made at its first use, which also writes its `meta`. */
export function queueOf(name) {
  if (!queues.has(name)) queues.set(name, new Queue(name, { connection }));
  return queues.get(name);
}

/** The job, or an error that names it. */
export async function jobOf(queue, job) {
  const found = await queueOf(queue).getJob(job);
  if (!found) throw new Error(`${queue} has no job ${job}`);
  return found;
}

export function tell(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

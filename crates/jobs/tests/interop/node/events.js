// The queue's event stream as QueueEvents tells it.
import { QueueEvents } from 'bullmq';
import { connection, jobOf, tell } from './shared.js';

const NAMES = [
  'active', 'added', 'cleaned', 'completed', 'deduplicated', 'delayed', 'drained', 'duplicated', 'failed',
  'paused', 'progress', 'removed', 'resumed', 'retries-exhausted', 'stalled', 'waiting', 'waiting-children',
];
const listeners = new Map();

async function listen(queue) {
  const events = new QueueEvents(queue, { connection, lastEventId: '0-0' });
  await events.waitUntilReady();
  listeners.set(queue, events);
  return events;
}

export const commands = {
  /** Tells every event of the queue from its first on. */
  async events({ queue }) {
    const events = await listen(queue);
    for (const name of NAMES) {
      events.on(name, (values) => {
        const fields = typeof values === 'object' ? values : {};
        tell({ happening: 'event', queue, event: name, ...fields });
      });
    }
  },
  /** Waits as a caller does who added the job. */
  async waitUntilFinished({ queue, job, timeout }) {
    const events = listeners.get(queue) ?? (await listen(queue));
    return (await jobOf(queue, job)).waitUntilFinished(events, timeout);
  },
};

// Adding jobs.
import { FlowProducer } from 'bullmq';
import { connection, queueOf } from './shared.js';

let flows;

/** The ids of a tree of jobs, in the tree's shape. */
function ids(node) {
  return { id: node.job.id, queue: node.job.queueName, children: (node.children ?? []).map(ids) };
}

export const commands = {
  /** Makes the queue and waits until its `meta` is written. */
  async open({ queue }) {
    const made = queueOf(queue);
    await made.waitUntilReady();
    while (!(await made.getVersion())) await new Promise((again) => setTimeout(again, 1));
  },
  async add({ queue, name, data, options }) {
    return (await queueOf(queue).add(name, data, options)).id;
  },
  async addBulk({ queue, jobs }) {
    const bulk = jobs.map(({ name, data, options }) => ({ name, data, opts: options }));
    return (await queueOf(queue).addBulk(bulk)).map((job) => job.id);
  },
  /** `tree` is a FlowProducer's tree as it is. */
  async flow({ tree }) {
    flows ??= new FlowProducer({ connection });
    return ids(await flows.add(tree));
  },
  async tree({ queue, job }) {
    flows ??= new FlowProducer({ connection });
    return ids(await flows.getFlow({ queueName: queue, id: job }));
  },
};

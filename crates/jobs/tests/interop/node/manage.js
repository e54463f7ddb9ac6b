// Looking at queues and jobs, and changing what becomes of them.
import { jobOf, queueOf } from './shared.js';

export const commands = {
  counts: ({ queue }) => queueOf(queue).getJobCounts(),
  async list({ queue, state }) {
    return (await queueOf(queue).getJobs([state], 0, -1, true)).map((job) => job.id);
  },
  /** Everything of a job that another program may read. */
  async job({ queue, job }) {
    // The state first: what is read later is then at least as new.
    const state = await queueOf(queue).getJobState(job);
    const found = await queueOf(queue).getJob(job);
    if (!found) return null;
    const { logs } = await queueOf(queue).getJobLogs(job);
    return { ...found.toJSON(), priority: found.priority, state, logs };
  },
  childrenValues: async ({ queue, job }) => (await jobOf(queue, job)).getChildrenValues(),
  pause: ({ queue }) => queueOf(queue).pause(),
  resume: ({ queue }) => queueOf(queue).resume(),
  isPaused: ({ queue }) => queueOf(queue).isPaused(),
  workers: ({ queue }) => queueOf(queue).getWorkers(),
  setGlobalConcurrency: ({ queue, concurrency }) => queueOf(queue).setGlobalConcurrency(concurrency),
  removeGlobalConcurrency: ({ queue }) => queueOf(queue).removeGlobalConcurrency(),
  setGlobalRateLimit: ({ queue, max, duration }) => queueOf(queue).setGlobalRateLimit(max, duration),
  removeGlobalRateLimit: ({ queue }) => queueOf(queue).removeGlobalRateLimit(),
  drain: ({ queue, delayed }) => queueOf(queue).drain(delayed),
  clean: ({ queue, grace, limit, state }) => queueOf(queue).clean(grace, limit, state),
  obliterate: ({ queue, force }) => queueOf(queue).obliterate({ force }),
  retryJobs: ({ queue, state }) => queueOf(queue).retryJobs({ state }),
  promoteJobs: ({ queue }) => queueOf(queue).promoteJobs(),
  async remove({ queue, job }) {
    if ((await queueOf(queue).remove(job, { removeChildren: false })) === 0) throw new Error(`job ${job} is locked`);
  },
  retry: async ({ queue, job, state }) => (await jobOf(queue, job)).retry(state),
  promote: async ({ queue, job }) => (await jobOf(queue, job)).promote(),
  changePriority: async ({ queue, job, priority }) =>
    (await jobOf(queue, job)).changePriority({ priority }),
  changeDelay: async ({ queue, job, delay }) => (await jobOf(queue, job)).changeDelay(delay),
  updateData: async ({ queue, job, data }) => (await jobOf(queue, job)).updateData(data),
};

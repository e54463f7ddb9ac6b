// Job schedulers.
import { queueOf } from './shared.js';

export const commands = {
  async upsertScheduler({ queue, scheduler, repeat, template }) {
    const job = await queueOf(queue).upsertJobScheduler(scheduler, repeat, template);
    return job?.id;
  },
  schedulers: ({ queue }) => queueOf(queue).getJobSchedulers(0, -1, true),
  removeScheduler: ({ queue, scheduler }) => queueOf(queue).removeJobScheduler(scheduler),
};

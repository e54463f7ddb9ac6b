// One measurement, one JSON line: node peer.js add|add-bulk|process|work|pick-up JOBS SECONDS CONCURRENCY
// The Redis to use is in REDIS_PORT. It stops at JOBS or after SECONDS, whichever comes first.
import { Queue, Worker } from 'bullmq';

const [mode, jobs, seconds, concurrency] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const BULK = 1000;
const name = 'bench';
const connection = { host: '127.0.0.1', port: Number(process.env.REDIS_PORT), maxRetriesPerRequest: null };
// The newest 1,000 for a day, as Paceline keeps them by default: nobody can keep every job for ever.
const defaultJobOptions = { removeOnComplete: { count: 1000, age: 86_400 } };
const queue = new Queue(name, { connection, defaultJobOptions });
// 200 bytes as JSON.
const data = { payload: 'x'.repeat(200 - '{"payload":""}'.length) };

function since(start) {
  return (performance.now() - start) / 1000;
}

async function fill(count, until = Infinity) {
  const start = performance.now();
  let added = 0;
  while (added < count && since(start) < until) {
    const bulk = Array.from({ length: Math.min(BULK, count - added) }, () => ({ name: 'job', data }));
    added += (await queue.addBulk(bulk)).length;
  }
  return { jobs: added, seconds: since(start) };
}

const modes = {
  /** One by one, CONCURRENCY adds in flight. */
  async add() {
    const start = performance.now();
    let begun = 0;
    const producer = async () => {
      for (; begun < jobs && since(start) < seconds; ) {
        begun += 1;
        await queue.add('job', data);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, producer));
    return { jobs: begun, seconds: since(start) };
  },
  'add-bulk': () => fill(jobs, seconds),
  /** From the start of a worker that finds the jobs waiting to the last one completed. */
  async process() {
    await fill(jobs);
    return modes.work();
  },
  /** The same of jobs that somebody else added. */
  async work() {
    const start = performance.now();
    let done = 0;
    const worker = new Worker(name, async () => {}, { connection, concurrency });
    await new Promise((end) => {
      const late = setTimeout(end, seconds * 1000);
      worker.on('completed', () => {
        done += 1;
        if (done === jobs) end(clearTimeout(late));
      });
    });
    return { jobs: done, seconds: since(start) };
  },
  /** From the call of add to the start of the handler, the worker idle before each. */
  async 'pick-up'() {
    const waits = [];
    let begun;
    let handled;
    const worker = new Worker(name, async () => handled(performance.now()), { connection, concurrency });
    await worker.waitUntilReady();
    for (let sample = 0; sample < jobs; sample += 1) {
      await new Promise((idle) => setTimeout(idle, 10 + Math.random() * 20));
      const started = new Promise((start) => (handled = start));
      begun = performance.now();
      await queue.add('job', data);
      waits.push((await started) - begun);
    }
    return { waits_ms: waits };
  },
};

process.stdout.write(`${JSON.stringify(await modes[mode]())}\n`, () => process.exit(0));

// A producer and a worker of npm bullmq that a test asks line by line: PORT PASSWORD DATABASE. Reads one JSON command a line,
// answers one JSON line each, in order.
import { createInterface } from 'node:readline';
import { Queue, Worker } from 'bullmq';

const [port, password, db] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(port), password: password || undefined, db: Number(db), maxRetriesPerRequest: null };
const queues = new Map();
const queue = name => queues.get(name) ?? queues.set(name, new Queue(name, { connection })).get(name);

const commands = {
  add: async ({ queue: name, jobs }) => (await queue(name).addBulk(jobs)).map(job => job.id),
  paused: ({ queue: name }) => queue(name).isPaused(),
  counts: ({ queue: name }) => queue(name).getJobCounts(),
  // Works until so many jobs have ended, well or not.
  work: ({ queue: name, ended, fail }) => new Promise(done => {
    const worker = new Worker(name, async job => {
      if (fail) throw new Error(fail);
      return job.name;
    }, { connection, concurrency: 50 });
    let count = 0;
    const one = () => { if (++count === ended) worker.close().then(() => done(count)); };
    worker.on('completed', one).on('failed', one).on('error', () => {});
  }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try { console.log(JSON.stringify({ value: await commands[command.do](command) ?? null })); }
  catch (error) { console.log(JSON.stringify({ error: String(error?.stack ?? error) })); }
}
process.exit(0);

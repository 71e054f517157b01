// An npm worker in a process of its own, to be killed at any moment: PORT QUEUE CONCURRENCY LOCK_MS STALLED_MS. Prints {ready}.
// Every run is noted in the server before anything else happens; examples/storm.rs does the same.
import IORedis from 'ioredis';
import { UnrecoverableError, Worker } from 'bullmq';

const [port, queue, concurrency, lockDuration, stalledInterval] = process.argv.slice(2).map((text, at) => (at === 1 ? text : Number(text)));
const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null };
const notes = new IORedis(connection);

async function handle(job) {
  await notes.rpush(`${queue}-runs`, `npm ${job.id} ${job.attemptsMade}`);
  const { sleep_ms, fail_times, never, report } = job.data;
  if (sleep_ms) await new Promise(done => setTimeout(done, sleep_ms));
  if (never) throw new UnrecoverableError('never');
  if ((fail_times ?? 0) > job.attemptsMade) throw new Error(`told to fail ${job.attemptsMade}`);
  return report ? { children: Object.keys(await job.getChildrenValues()).length } : {};
}

const worker = new Worker(queue, handle, { connection, concurrency, lockDuration, stalledInterval, maxStalledCount: 1000 });
worker.on('error', () => {});
await worker.waitUntilReady();
console.log(JSON.stringify({ ready: true }));

// A worker of the team's own kind: npm bullmq on a PORT with /health, which ends on SIGTERM when its jobs are done.
// Counts in the hash `ran` how often each job ran to its end.
import http from 'node:http';
import { Queue, Worker } from 'bullmq';

const connection = { host: '127.0.0.1', port: Number(process.env.VALKEY_PORT), maxRetriesPerRequest: null };
const client = await new Queue('counting', { connection }).on('error', () => {}).client;
let active = 0;
const worker = new Worker(
  process.env.QUEUE,
  async (job) => {
    active += 1;
    try {
      await new Promise((done) => setTimeout(done, job.data.ms));
      await client.hincrby('ran', job.id, 1);
    } finally {
      active -= 1;
    }
  },
  { connection, concurrency: Number(process.env.CONCURRENCY ?? 20) },
);
worker.on('error', () => {});
await worker.waitUntilReady();

http
  .createServer((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ status: 'ok', active_jobs: active }));
  })
  .listen(Number(process.env.PORT), '127.0.0.1');

process.on('SIGTERM', async () => {
  await worker.close();
  process.exit(0);
});

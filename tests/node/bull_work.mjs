// Works on a queue with npm bullmq: PORT QUEUE. Prints {ready}, then each job that it ran.
import { Worker } from 'bullmq';

const [port, queueName] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
const worker = new Worker(queueName, async job => {
  console.log(JSON.stringify({ ran: job.name, id: job.id, data: job.data, opts: job.opts }));
  return { by: 'npm' };
}, { connection });
await worker.waitUntilReady();
console.log(JSON.stringify({ ready: true }));

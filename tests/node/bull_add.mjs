// Adds one job with npm bullmq and waits for its end: PORT QUEUE NAME DATA OPTIONS. Prints {id, returnvalue, attemptsMade}.
import { Queue, QueueEvents } from 'bullmq';

const [port, queueName, name, data, options] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(port) };
const queue = new Queue(queueName, { connection });
const events = new QueueEvents(queueName, { connection });
await events.waitUntilReady();
const job = await queue.add(name, JSON.parse(data), JSON.parse(options));
let returnvalue = null, failed = null;
try { returnvalue = await job.waitUntilFinished(events, 30_000); } catch (error) { failed = error.message; }
const after = await queue.getJob(job.id);
console.log(JSON.stringify({ id: job.id, returnvalue, failed, attemptsMade: after?.attemptsMade ?? null, stack: after?.stacktrace?.length ?? 0 }));
await events.close(); await queue.close(); process.exit(0);

// Adds jobs with npm bullmq and lets all of them fail once: PORT QUEUE COUNT. Prints {failed}, then each {paused} it is told of
// until it is killed.
import { Queue, QueueEvents, Worker } from 'bullmq';

const [port, name, count] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
const queue = new Queue(name, { connection });
const data = { ticketId: 't-1', password: 'hunter2', to: 'anna@example.org' };
await queue.addBulk(Array.from({ length: Number(count) }, () => ({ name: 'welcome', data })));
const worker = new Worker(name, async () => { throw new Error('no route to anna@example.org'); }, { connection, concurrency: 50 });
let failed = 0;
await new Promise(done => worker.on('failed', () => { if (++failed === Number(count)) done(); }));
await worker.close();
const events = new QueueEvents(name, { connection });
for (const event of ['paused', 'resumed']) events.on(event, async () => console.log(JSON.stringify({ event, paused: await queue.isPaused() })));
await events.waitUntilReady();
await new Promise(done => setTimeout(done, 50)); // the listener starts once its first blocking read is on its way
console.log(JSON.stringify({ failed }));

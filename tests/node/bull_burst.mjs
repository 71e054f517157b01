// Fills a queue with npm bullmq, or tells how it stands.
//   add PORT QUEUE COUNT MS            COUNT jobs of MS each, at once
//   drip PORT QUEUE COUNT MS EVERY_MS  the same, one every EVERY_MS
//   look PORT QUEUE                    counts, how many jobs ran, how many of them twice, how many were found stalled
import { Queue } from 'bullmq';

const [mode, port, name, count, ms, every] = process.argv.slice(2);
const queue = new Queue(name, { connection: { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null } });
queue.on('error', () => {});
const jobs = (many) => queue.addBulk(Array.from({ length: many }, () => ({ name: 'wait', data: { ms: Number(ms) } })));

if (mode === 'add') {
  for (let left = Number(count); left > 0; left -= 2000) await jobs(Math.min(left, 2000));
} else if (mode === 'drip') {
  for (let left = Number(count); left > 0; left -= 1) {
    await jobs(1);
    await new Promise((done) => setTimeout(done, Number(every)));
  }
} else {
  // The counts first: what they call completed has been counted by then.
  const counts = await queue.getJobCounts('wait', 'active', 'completed', 'failed', 'delayed', 'prioritized');
  const client = await queue.client;
  const ran = Object.values(await client.hgetall('ran')).map(Number);
  // The stream is trimmed; what it still holds is enough to see that nothing stalls.
  const events = await client.xrange(`bull:${name}:events`, '-', '+');
  const stalled = events.filter(([, fields]) => fields[fields.indexOf('event') + 1] === 'stalled').length;
  console.log(JSON.stringify({ counts, ran: ran.length, twice: ran.filter((it) => it > 1).length, stalled }));
}
console.log(JSON.stringify({ done: mode }));
process.exit(0);

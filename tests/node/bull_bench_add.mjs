// Adds jobs for the benchmark: PORT QUEUE JOBS [BURST EVERY_MS]. At once, or in bursts with the time in their data.
import { Queue } from 'bullmq';

const [port, name, jobs, burst, every] = process.argv.slice(2).map((text, at) => (at === 1 ? text : Number(text)));
const queue = new Queue(name, { connection: { host: '127.0.0.1', port } });
const pad = 'x'.repeat(32);
const step = burst || 1000;
for (let first = 0; first < jobs; first += step) {
  const t = burst ? performance.timeOrigin + performance.now() : undefined;
  await queue.addBulk(Array.from({ length: Math.min(step, jobs - first) }, (_, n) => ({ name: 'nothing', data: { n: first + n, t, pad } })));
  if (burst) await new Promise(done => setTimeout(done, every));
}
await queue.close();
process.exit(0);

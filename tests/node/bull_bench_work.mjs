// An npm worker of jobs that do nothing: PORT QUEUE JOBS CONCURRENCY. Prints the same figures as libs/bullmq/examples/burst.rs.
import { Worker } from 'bullmq';

const [port, queue, jobs, concurrency] = process.argv.slice(2).map((text, at) => (at === 1 ? text : Number(text)));
const waits = [];
const cpu = process.cpuUsage(), began = performance.now();
const worker = new Worker(queue, async job => {
  waits.push(job.data.t ? performance.timeOrigin + performance.now() - job.data.t : -1);
  return null;
}, { connection: { host: '127.0.0.1', port, maxRetriesPerRequest: null }, concurrency });
worker.on('error', error => console.error(error.message));
await worker.waitUntilReady();
console.log(JSON.stringify({ ready: true }));

let done = 0;
worker.on('completed', () => {
  if (++done < jobs) return;
  const wall = (performance.now() - began) / 1000, used = process.cpuUsage(cpu);
  waits.sort((one, other) => one - other);
  const at = part => Math.round(waits[Math.floor((waits.length - 1) * part)] * 100) / 100;
  console.log(JSON.stringify({
    runtime: typeof Bun === 'undefined' ? `node ${process.versions.node}` : `bun ${Bun.version}`,
    jobs: waits.length,
    wall_s: Math.round(wall * 100) / 100,
    jobs_per_s: Math.round(waits.length / wall),
    cpu_ms_per_job: Math.round((used.user + used.system) / 1000 / waits.length * 10_000) / 10_000,
    rss_mib: Math.round(process.memoryUsage().rss / 2 ** 20 * 100) / 100,
    lat_ms: { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) },
  }));
  setTimeout(() => process.exit(0), 50);
});

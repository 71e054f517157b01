// A real npm bullmq that the Rust tests drive: PORT. Reads one JSON command a line, answers one JSON line each, in order of completion.
import { createInterface } from 'node:readline';
import { DelayedError, FlowProducer, Queue, QueueEvents, UnrecoverableError, WaitingChildrenError, Worker } from 'bullmq';

const connection = { host: '127.0.0.1', port: Number(process.argv[2]), maxRetriesPerRequest: null };
const queues = new Map(), workers = new Map(), listeners = new Map();
const runs = [], seen = [], errors = [];
const quiet = error => errors.push(String(error));
const sleep = ms => new Promise(done => setTimeout(done, ms));

function queue(name) {
  if (!queues.has(name)) queues.set(name, new Queue(name, { connection }).on('error', quiet));
  return queues.get(name);
}

// Data tells the handler what to do; the Rust handler of the tests does the same.
async function handle(job, token) {
  runs.push({ queue: job.queueName, id: job.id, name: job.name, attemptsMade: job.attemptsMade, at: Date.now(), data: job.data, tm: job.opts.telemetry?.metadata ?? null });
  const { sleep_ms, fail_times, progress, lines, never, put_off_ms, hold_ms, late_child, report } = job.data ?? {};
  for (const line of lines ?? []) await job.log(line);
  if (never) throw new UnrecoverableError('never');
  if (job.attemptsStarted === 1) {
    if (put_off_ms) {
      await job.moveToDelayed(Date.now() + put_off_ms, token);
      throw new DelayedError();
    }
    if (hold_ms) {
      await queue(job.queueName).rateLimit(hold_ms);
      throw Worker.RateLimitError();
    }
    if (late_child) {
      await queue(late_child).add('late', {}, { delay: 200, parent: { id: job.id, queue: job.queueQualifiedName } });
      if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
    }
  }
  if (progress !== undefined) await job.updateProgress(progress);
  if (sleep_ms) await sleep(sleep_ms);
  if ((fail_times ?? 0) > job.attemptsMade) throw new Error(`told to fail ${job.attemptsMade}`);
  if (report) {
    const values = Object.values(await job.getChildrenValues());
    const failures = Object.values(await job.getIgnoredChildrenFailures());
    return { by: 'npm', children: values.map(value => value.data?.n ?? null).sort(), failures };
  }
  return { by: 'npm', data: job.data ?? null };
}

// Three times as long each time: a strategy that only the tests' workers know.
const backoffStrategy = (attempts, type) => (type === 'thrice' ? 50 * 3 ** (attempts - 1) : -1);

const commands = {
  add: async ({ queue: name, jobs }) => (await queue(name).addBulk(jobs)).map(job => job.id),
  flow: async ({ flow }) => (await new FlowProducer({ connection }).on('error', quiet).add(flow)).job.id,
  schedule: async ({ queue: name, id, repeat, template }) => (await queue(name).upsertJobScheduler(id, repeat, template))?.id,
  repeat: async ({ queue: name, name: job, data, opts }) => (await queue(name).add(job, data, opts)).id,
  schedulers: async ({ queue: name }) => queue(name).getJobSchedulers(),
  work: async ({ queue: name, options }) => {
    const worker = new Worker(name, handle, { connection, settings: { backoffStrategy }, ...options }).on('error', quiet);
    workers.set(name, worker);
    await worker.waitUntilReady();
  },
  listen: async ({ queue: name }) => {
    const events = new QueueEvents(name, { connection }).on('error', quiet);
    listeners.set(name, events);
    for (const event of ['added', 'waiting', 'active', 'completed', 'failed', 'delayed', 'progress', 'stalled', 'retries-exhausted', 'drained', 'duplicated', 'deduplicated', 'waiting-children', 'paused', 'resumed']) {
      events.on(event, fields => seen.push({ queue: name, event, ...(typeof fields === 'object' ? fields : {}) }));
    }
    await events.waitUntilReady();
    await sleep(50); // the listener starts at the end of the stream once its first blocking read is on its way
  },
  job: async ({ queue: name, id }) => {
    const state = await queue(name).getJobState(id); // before the hash, which is then at least as new
    const job = await queue(name).getJob(id);
    return job && { ...job.asJSON(), data: job.data, opts: job.opts, state, returnvalue: job.returnvalue, failedReason: job.failedReason, stacktrace: job.stacktrace };
  },
  logs: async ({ queue: name, id }) => queue(name).getJobLogs(id),
  metrics: async ({ queue: name, type }) => queue(name).getMetrics(type),
  dependencies: async ({ queue: name, id }) => (await queue(name).getJob(id)).getDependenciesCount(),
  tree: async ({ queue: name, id }) => {
    const flat = node => ({ id: node.job.id, queue: node.job.queueName, children: (node.children ?? []).map(flat) });
    return flat(await new FlowProducer({ connection }).on('error', quiet).getFlow({ queueName: name, id }));
  },
  counts: async ({ queue: name }) => queue(name).getJobCounts(),
  pause: async ({ queue: name, paused }) => (paused ? queue(name).pause() : queue(name).resume()),
  concurrency: async ({ queue: name, jobs }) => queue(name).setGlobalConcurrency(jobs),
  runs: async () => runs,
  seen: async () => seen,
  errors: async () => errors,
  close: async ({ queue: name, force }) => workers.get(name)?.close(force ?? false),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { call, ...command } = JSON.parse(line);
  commands[command.do](command).then(
    value => console.log(JSON.stringify({ call, value: value ?? null })),
    error => console.log(JSON.stringify({ call, error: String(error?.stack ?? error) })),
  );
}
process.exit(0);

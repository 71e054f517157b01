#!/usr/bin/env bash
# Our BullMQ worker beside npm's, on Node and on Bun, in one run: a backlog drained and bursts, each with a server of its own.
#
#   benches/queue.sh                       50,000 jobs drained 3 times, 20 bursts of 100 a second apart, concurrency 20
#   JOBS=20000 RUNS=1 BURSTS=5 benches/queue.sh
#   BUN=/path/to/bun benches/queue.sh      Bun is left out when there is none
#
# CPU is each program's own count for itself. The producer is npm's for all. Prints one JSON line a run, then the medians.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

JOBS="${JOBS:-50000}" RUNS="${RUNS:-3}" BURSTS="${BURSTS:-20}" EVERY_MS="${EVERY_MS:-1000}" CONCURRENCY="${CONCURRENCY:-20}"
BUN="${BUN:-$(command -v bun || true)}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/insightdesk/target}"
SERVER_PROGRAM="${INSIGHTDESK_TEST_VALKEY_BIN:-$(command -v valkey-server || command -v redis-server)}"

[ -d tests/node/node_modules/bullmq ] || (cd tests/node && npm ci)
cargo build --release -q -p ops-bullmq --example burst
ours="$CARGO_TARGET_DIR/release/examples/burst"

folder="$(mktemp -d)"
server=''
stop_server() { if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; server=''; fi; }
trap 'stop_server; rm -rf "$folder"' EXIT
port="$(node -e "const s = require('net').createServer().listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close(); })")"

start_server() {
  "$SERVER_PROGRAM" --port "$port" --bind 127.0.0.1 --save '' --appendonly no --daemonize no --loglevel warning --dir "$folder" >/dev/null &
  server=$!
  node -e "const net = require('net'); (function again() { net.connect($port, '127.0.0.1').on('connect', () => process.exit(0)).on('error', () => setTimeout(again, 20)); })()"
}

work() { # KIND JOBS
  case "$1" in
    ours) "$ours" "redis://127.0.0.1:$port" bench "$2" "$CONCURRENCY" ;;
    node) node tests/node/bull_bench_work.mjs "$port" bench "$2" "$CONCURRENCY" ;;
    bun) "$BUN" tests/node/bull_bench_work.mjs "$port" bench "$2" "$CONCURRENCY" ;;
  esac
}

ticks() { awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$server/stat"; }

run() { # drain|burst KIND
  local jobs="$JOBS" before
  start_server
  if [ "$1" = drain ]; then
    node tests/node/bull_bench_add.mjs "$port" bench "$jobs"
    before="$(ticks)"
    work "$2" "$jobs" >"$folder/out"
  else
    jobs=$((BURSTS * 100))
    before="$(ticks)"
    work "$2" "$jobs" >"$folder/out" &
    local worker=$!
    until grep -q ready "$folder/out" 2>/dev/null; do sleep 0.05; done
    node tests/node/bull_bench_add.mjs "$port" bench "$jobs" 100 "$EVERY_MS"
    wait "$worker"
  fi
  node -e "
    const figures = JSON.parse(require('fs').readFileSync('$folder/out', 'utf8').trim().split('\n').pop());
    const server_cpu_ms_per_job = +(($(ticks) - $before) * 10 / figures.jobs).toFixed(4);
    console.log(JSON.stringify({ kind: '$1', worker: '$2', ...figures, server_cpu_ms_per_job }));
  " | tee -a "$folder/all"
  stop_server
}

workers=(ours node)
if [ -n "$BUN" ]; then workers+=(bun); else echo 'no bun: left out' >&2; fi
for _ in $(seq "$RUNS"); do
  for worker in "${workers[@]}"; do run drain "$worker"; done
done
for worker in "${workers[@]}"; do run burst "$worker"; done

node -e "
  const all = require('fs').readFileSync('$folder/all', 'utf8').trim().split('\n').map(line => JSON.parse(line));
  const median = list => list.sort((one, other) => one - other)[Math.floor((list.length - 1) / 2)];
  console.log('\n| worker | drain: jobs/s | CPU ms/job | server CPU ms/job | RSS MiB | bursts: p50 / p95 / p99 / max ms | CPU ms/job | RSS MiB |\n| --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const worker of new Set(all.map(run => run.worker))) {
    const drains = all.filter(run => run.worker === worker && run.kind === 'drain');
    const burst = all.find(run => run.worker === worker && run.kind === 'burst');
    const of = name => median(drains.map(run => run[name]));
    const { p50, p95, p99, max } = burst.lat_ms;
    console.log('| ' + [drains[0].runtime, of('jobs_per_s'), of('cpu_ms_per_job'), of('server_cpu_ms_per_job'), of('rss_mib'), [p50, p95, p99, max].join(' / '), burst.cpu_ms_per_job, burst.rss_mib].join(' | ') + ' |');
  }
"

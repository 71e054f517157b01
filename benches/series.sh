#!/usr/bin/env bash
# Prometheus, VictoriaMetrics and ours in one run: 100,000 series scraped every 5 s, what that costs, and ten queries as rules ask them.
#
#   benches/series.sh                          10 targets of 10,000 series for 180 s each, every query 20 times
#   PEERS=prometheus,ours SECONDS_RUN=60 RUNS=10 benches/series.sh
#   OUT=series.json benches/series.sh          the figures as JSON too, with their ratios
#   INSIGHTDESK=/path/to/insightdesk benches/series.sh
#
# Needs prometheus and victoria-metrics (both are Debian packages). CPU is user and system time of all processes of a peer, as the
# kernel counts it; ours are server and agent. Sizes are lengths of files. The peers run one after the other.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/insightdesk/target}"
peers="${PEERS:-prometheus,victoria-metrics,ours}"
for program in prometheus victoria-metrics; do
  case ",$peers," in *",$program,"*) command -v "$program" >/dev/null || { echo "no $program: leave it out with PEERS" >&2; exit 1; } ;; esac
done
cargo build --release -q -p ops-benches --example series
case ",$peers," in *,ours,*) [ -n "${INSIGHTDESK:-}" ] || cargo build --release -q -p insightdesk -p ops-shim ;; esac
exec "$CARGO_TARGET_DIR/release/examples/series" "${INSIGHTDESK:-$CARGO_TARGET_DIR/release/insightdesk}"

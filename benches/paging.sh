#!/usr/bin/env bash
# From `kill -9` of a replica to the arrival of its page, ours beside Prometheus + Alertmanager, in one run.
#
#   benches/paging.sh           100 kills each, about four minutes
#   benches/paging.sh 20
#   INSIGHTDESK_BIN_DIR=/path/to/target/release benches/paging.sh
#
# Needs prometheus and prometheus-alertmanager (both are Debian packages).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/insightdesk/target}"
for program in prometheus prometheus-alertmanager; do
  command -v "$program" >/dev/null || { echo "no $program: it is a Debian package" >&2; exit 1; }
done
cargo build --release -q -p ops-benches --example page_latency
[ -n "${INSIGHTDESK_BIN_DIR:-}" ] || cargo build --release -q -p insightdesk -p ops-shim
export INSIGHTDESK_BIN_DIR="${INSIGHTDESK_BIN_DIR:-$CARGO_TARGET_DIR/release}"
exec "$CARGO_TARGET_DIR/release/examples/page_latency" "$@"

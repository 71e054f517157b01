#!/usr/bin/env bash
# Reads of secrets that are recorded before they are answered, ours beside OpenBao's with its file audit device, in one run; then how long
# a log of 1,000,000 entries takes to verify.
#
#   benches/secrets.sh          10 s each, about a minute and a half
#   benches/secrets.sh 3
#
# Needs OpenBao: `./x peers`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/insightdesk/target}"
cargo build --release -q -p insightdesk -p ops-shim -p ops-benches -p ops-audit --bins --example secret_reads --example verify_million
export INSIGHTDESK_BIN_DIR="${INSIGHTDESK_BIN_DIR:-$CARGO_TARGET_DIR/release}"
"$CARGO_TARGET_DIR/release/examples/secret_reads" "$@"
exec "$CARGO_TARGET_DIR/release/examples/verify_million"

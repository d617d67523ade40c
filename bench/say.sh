# shellcheck shell=bash
# What the bench says: progress on standard error, failures with the log's end and what to do.

say() { printf '%s\n' "$*" >&2; }

# fail MESSAGE [LOG [WHAT-TO-DO]]
fail() {
  say "bench: $1"
  if [ -s "${2:-}" ]; then
    say "--- the end of $2:"
    tail -n 15 "$2" >&2
    say "---"
  fi
  say "To do: ${3:-run bench/status to see what is down; bench/down and bench/up make a new cluster.}"
  exit 1
}

# wait_until SECONDS WHAT [LOG] -- COMMAND…: polls a condition, never a time.
wait_until() {
  local limit=$1 what=$2 log="" end
  shift 2
  if [ "$1" != -- ]; then
    log=$1
    shift
  fi
  shift
  end=$((SECONDS + limit))
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || fail "waited $limit s in vain for $what" "$log"
    sleep 0.1
  done
}

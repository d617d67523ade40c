# shellcheck shell=bash
# A part is built once for each state of its inputs, into $BENCH_CACHE/NAME-HASH, and appears there whole or not at all.

# part_inputs NAME: everything that decides what the part looks like: files and pinned versions.
part_inputs() {
  cat "$BENCH_DIR/install/$1"
  case $1 in kubernetes | csi | writer | act) cat "$BENCH_DIR/install/compile.sh" ;; esac
  case $1 in
  # Of the two, the workspace chooses one version of each module.
  kubernetes) cat "$BENCH_DIR"/{go.work,go.work.sum,csi/go.mod,csi/go.sum,kube/go.mod,kube/go.sum,kube/main.go} && echo "$KUBERNETES_VERSION" ;;
  csi) cat "$BENCH_DIR"/{go.work,go.work.sum,kube/go.mod,kube/go.sum} && sources csi ;;
  writer) sources writer ;;
  act) echo "$ACT_VERSION" ;;
  root-filesystem) echo "$DEBIAN_SUITE" ;;
  postgresql) echo "$POSTGRESQL_12_PACKAGE $POSTGRESQL_14_PACKAGE" ;;
  images) part_inputs root-filesystem && part_inputs postgresql && part_inputs writer &&
    find "$BENCH_DIR/images" -type f -print0 | sort -z | xargs -0 cat ;;
  esac
}

sources() { find "$BENCH_DIR/$1" -type f \( -name '*.go' ! -name '*_test.go' -o -name 'go.*' \) -print0 | sort -z | xargs -0 cat; }

cached_path() { printf '%s/%s-%s' "$BENCH_CACHE" "$1" "$(part_inputs "$1" | sha256sum | cut -c1-12)"; }

# cached NAME SECONDS WHAT COMMAND…: runs COMMAND DIR unless the part is there, and says what it is at, how long that mostly takes, and every 20 s
# how long it has taken. Older states of the part are dropped.
cached() {
  local name=$1 expected=$2 what=$3 path begun=$SECONDS building
  shift 3
  path=$(cached_path "$name")
  [ ! -d "$path" ] || return 0
  say "$what (about $expected s the first time) …"
  rm -rf "$path.part"
  mkdir -p "$path.part"
  "$@" "$path.part" >"$BENCH_CACHE/$name.log" 2>&1 &
  building=$!
  while ! ended_within 20 "$building"; do say "  $what: $((SECONDS - begun)) s of about $expected s"; done
  if ! wait "$building"; then
    fail "$name could not be installed" "$BENCH_CACHE/$name.log" "read the log above, then run bench/up again; it goes on where it stopped."
  fi
  find "$BENCH_CACHE" -maxdepth 1 -regextype posix-extended -regex ".*/$name-[0-9a-f]{12}" ! -path "$path" -exec rm -rf {} +
  mv "$path.part" "$path"
  say "  $what: done in $((SECONDS - begun)) s"
}

# ended_within SECONDS PID: whether the process ends so soon.
ended_within() {
  local end=$((SECONDS + $1))
  while kill -0 "$2" 2>/dev/null; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}

# await_parts PID NAME…: waits for the process that makes the parts; whether they are there. It does not go by the process's status: while
# Kubernetes is compiled, process numbers start again from 1, and bash forgets a child whose number another child got.
await_parts() {
  local name
  wait "$1" 2>/dev/null || true
  shift
  for name in "$@"; do [ -d "$(cached_path "$name")" ] || return 1; done
}

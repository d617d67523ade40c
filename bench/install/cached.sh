# shellcheck shell=bash
# A part is built once for each state of its inputs, into $BENCH_CACHE/NAME-HASH, and appears there whole or not at all.

# part_inputs NAME: everything that decides what the part looks like: files and pinned versions.
part_inputs() {
  cat "$BENCH_DIR/install/$1"
  case $1 in
  kubernetes) cat "$BENCH_DIR"/kube/{go.mod,go.sum,main.go} && echo "$KUBERNETES_VERSION" ;;
  csi) sources csi ;;
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

# cached NAME PROGRESS-LINE COMMAND…: runs COMMAND DIR unless the part is there. Older states of the part are dropped.
cached() {
  local name=$1 line=$2 path begun=$SECONDS
  shift 2
  path=$(cached_path "$name")
  [ ! -d "$path" ] || return 0
  say "$line"
  rm -rf "$path.part"
  mkdir -p "$path.part"
  if ! "$@" "$path.part" >"$BENCH_CACHE/$name.log" 2>&1; then
    fail "$name could not be installed" "$BENCH_CACHE/$name.log" "read the log above, then run bench/up again; it goes on where it stopped."
  fi
  find "$BENCH_CACHE" -maxdepth 1 -regextype posix-extended -regex ".*/$name-[0-9a-f]{12}" ! -path "$path" -exec rm -rf {} +
  mv "$path.part" "$path"
  say "  done in $((SECONDS - begun)) s"
}

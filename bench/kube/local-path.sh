# shellcheck shell=bash
# Storage as K3s has it by default: a volume is a directory of the node.

# start_local_path: from now on there is StorageClass local-path. It needs daemon.sh and certificates.sh.
start_local_path() {
  local name=local-path root=$BENCH_STATE/local-path
  (
    flock 7
    [ -e "$BENCH_STATE/pki/$name.crt" ] || identity "$name" "/O=system:masters/O=bench:storage/CN=$name"
    # On a disk of their own: how full the machine's disk is should decide no test.
    if ! mountpoint -q "$root"; then
      mkdir -p "$root"
      rm -f "$root.img"
      truncate -s 16G "$root.img"
      mkfs.ext4 -q -F -m 0 "$root.img"
      mount -o loop,discard "$root.img" "$root"
    fi
    kubectl apply -f "$BENCH_DIR/kube/local-path.yaml" >/dev/null
    # Not with the callers' locks, which would stay locked.
    daemon_start "$name" "$BENCH_DIR/kube/local-path.py" "$BENCH_STATE/pki" "$root" "$BENCH_SEEDS" 6>&- 7>&-
  ) 7>"$BENCH_STATE/local-path.lock"
}

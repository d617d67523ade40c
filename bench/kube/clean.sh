# shellcheck shell=bash
# Takes away all that a cluster leaves, whatever state it is in: running, half dead, or killed as a whole.

# shim_pids SOCKET: shims live on when containerd is killed. Ours name our socket, in an argument of its own.
shim_pids() {
  local directory argument previous
  for directory in /proc/[0-9]*; do
    previous=
    while IFS= read -r -d '' argument; do
      if [ "$previous" = -address ] && [ "$argument" = "$1" ]; then
        echo "${directory#/proc/}"
      fi
      previous=$argument
    done 2>/dev/null <"$directory/cmdline" || true
  done
}

our_mounts() { # STATE RUN: the deepest first
  awk -v state="$1/" -v run="$2/" \
    'index($2, state) == 1 || index($2, run) == 1 { print length($2), $2 }' /proc/mounts | sort -rn | cut -d ' ' -f 2-
}

# forget_tasks RUN: each shim's socket is outside of the run directory, and so is what CNI remembers of its pod.
forget_tasks() {
  local directory
  for directory in "$1"/containerd/io.containerd.runtime.v2.task/*/*; do
    [ -d "$directory" ] || continue
    [ ! -e "$directory/address" ] || rm -f "$(sed 's,^unix://,,' "$directory/address")"
    rm -f /var/lib/cni/results/*-"$(basename "$directory")"-*
  done
}

remove_cluster() {
  local i name pid mount device
  # Those who would start anew what is taken away go first, storage after them.
  for name in network-policies local-path "${SECOND_NODE_COMPONENTS[@]}"; do daemon_stop "$name" KILL; done
  for ((i = ${#COMPONENTS[@]} - 1; i >= 0; i--)); do
    name=${COMPONENTS[i]}
    daemon_stop "$name" KILL
  done
  for pid in $(shim_pids "$CONTAINERD_SOCKET") $(shim_pids "$SECOND_NODE_SOCKET"); do
    kill -s KILL "$pid" 2>/dev/null || true
  done
  remove_cgroup "$BENCH_CGROUP"

  # A copy which was killed leaves its volume frozen, and a frozen volume cannot be unmounted.
  awk -v state="$BENCH_STATE/" '$3 == "ext4" && index($2, state) == 1 { print $2 }' /proc/mounts | while read -r mount; do
    fsfreeze --unfreeze "$mount" 2>/dev/null || true
  done
  our_mounts "$BENCH_STATE" "$BENCH_RUN" | while read -r mount; do
    umount "$mount" 2>/dev/null || umount --lazy "$mount" 2>/dev/null || true
  done
  losetup --list --noheadings --output NAME,BACK-FILE 2>/dev/null | awk -v state="$BENCH_STATE/" 'index($2, state) == 1 { print $1 }' |
    while read -r device; do losetup --detach "$device" 2>/dev/null || true; done

  forget_tasks "$BENCH_RUN"
  forget_tasks "$SECOND_NODE_RUN"
  find /var/log/containers -maxdepth 1 -lname "$BENCH_STATE/*" -delete 2>/dev/null || true
  [ ! -e "$BENCH_STATE/made-var-lib-kubelet" ] || rm -rf --one-file-system /var/lib/kubelet
  remove_network
  [ -z "$(our_mounts "$BENCH_STATE" "$BENCH_RUN")" ] || fail "these mounts cannot be taken away: $(our_mounts "$BENCH_STATE" "$BENCH_RUN" | tr '\n' ' ')" "" "see who uses them (fuser -vm MOUNT) and run bench/down again."
  rm -rf --one-file-system "$BENCH_RUN" "$BENCH_STATE"
  # What others use is not empty.
  rmdir /run/containerd/s /run/containerd /var/lib/cni/results /var/lib/cni /var/log/containers 2>/dev/null || true
}

# shellcheck shell=bash
# All containers are below one cgroup of the bench: that is how they are told from everybody else's, even when nothing
# of the cluster is alive to ask.

cgroup_roots() { # one directory for each hierarchy into which the kubelet looks
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    echo /sys/fs/cgroup
  else
    awk '$3 == "cgroup" { print $2 }' /proc/mounts
  fi
}

# make_cgroup CGROUP
make_cgroup() {
  local root directory controllers
  for root in $(cgroup_roots); do
    directory=$root/$1
    mkdir -p "$directory"
    if [ -e "$root/cpuset.cpus" ] && [ ! -e "$root/cgroup.controllers" ]; then # v1 copies nothing by itself
      cat "$root/cpuset.cpus" >"$directory/cpuset.cpus"
      cat "$root/cpuset.mems" >"$directory/cpuset.mems"
    fi
    if [ -e "$root/cgroup.controllers" ]; then
      controllers=$(sed 's/[^ ]*/+&/g' "$root/cgroup.controllers")
      echo "$controllers" >"$root/cgroup.subtree_control" 2>/dev/null || true
      echo "$controllers" >"$directory/cgroup.subtree_control" 2>/dev/null || true
    fi
  done
}

# remove_cgroup CGROUP: ends every process in the cgroup and those below it and removes them.
remove_cgroup() {
  local root directory pid round
  # With v1, there may be a v2 hierarchy beside it, and the runtime uses that too.
  awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts | while read -r root; do
    directory=$root/$1
    [ -d "$directory" ] || continue
    for ((round = 0; round < 100; round++)); do
      find "$directory" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u | while read -r pid; do
        kill -s KILL "$pid" 2>/dev/null || true
      done
      find "$directory" -depth -type d -exec rmdir {} + 2>/dev/null || true
      [ -d "$directory" ] || break
      sleep 0.05
    done
  done
}

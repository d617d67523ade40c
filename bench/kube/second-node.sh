# shellcheck shell=bash
# A second real kubelet and containerd on this machine, and how it loses its power.

second_node_configuration() {
  mkdir -p "$SECOND_NODE_STATE/volume-plugins"
  containerd_configuration "$SECOND_NODE_STATE" "$SECOND_NODE_RUN" "$SECOND_NODE_SOCKET" >"$SECOND_NODE_STATE/containerd.toml"
  {
    kubelet_configuration "$SECOND_NODE_STATE" node2 "$SECOND_NODE_SOCKET" "$SECOND_NODE_CGROUP"
    # From its first moment on: no pod that does not ask for it ever runs there.
    printf '%s\n' 'port: 10260' 'healthzPort: 10261' 'registerWithTaints: [{key: bench/second-node, effect: NoSchedule}]'
  } >"$SECOND_NODE_STATE/kubelet.yaml"
}

# The node as it is after its boot: with what is on its disk, without what was in its memory.
second_node_boot() {
  local name
  mkdir -p "$SECOND_NODE_RUN"
  make_cgroup "$SECOND_NODE_CGROUP"
  for name in node2-containerd node2-kubelet node2-registrar; do component_start "$name"; done
}

# As when its power goes: nobody is told, nothing is ended in order, and what a volume's file system had not written is lost.
second_node_power_off() {
  local name pid mount
  for name in node2-kubelet node2-containerd node2-registrar; do daemon_stop "$name" KILL; done
  for pid in $(shim_pids "$SECOND_NODE_SOCKET"); do kill -s KILL "$pid" 2>/dev/null || true; done
  remove_cgroup "$SECOND_NODE_CGROUP"
  awk -v state="$SECOND_NODE_STATE/" '$3 == "ext4" && $1 ~ /^\/dev\/loop/ && index($2, state) == 1 { print $2 }' /proc/mounts | while read -r mount; do
    lose_unwritten "$mount"
  done
  our_mounts "$SECOND_NODE_STATE" "$SECOND_NODE_RUN" | while read -r mount; do
    umount "$mount" 2>/dev/null || umount --lazy "$mount"
  done
  forget_tasks "$SECOND_NODE_RUN"
  rm -rf --one-file-system "$SECOND_NODE_RUN"
}

# EXT4_IOC_SHUTDOWN with NOLOGFLUSH (linux/fs/ext4/ext4.h): the file system stops, and its dirty pages and journal are dropped.
lose_unwritten() {
  python3 -c 'import fcntl, os, struct, sys; fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack("I", 2))' "$1"
}

# shellcheck shell=bash
# What the cluster needs of the machine's network, and how it goes away again.

make_network() {
  # On loopback, because not every kernel has the dummy driver; pods reach it all the same, through their route.
  ip address replace "$BENCH_ADDRESS/32" dev lo || fail "the address $BENCH_ADDRESS could not be added" "" "see what 'ip address' says."
  if [ "$(</proc/sys/net/ipv4/ip_forward)" = 0 ]; then
    touch "$BENCH_STATE/forwarding-was-off"
    echo 1 >/proc/sys/net/ipv4/ip_forward
  fi
  # A machine with Docker drops what it forwards for others.
  if command -v iptables >/dev/null && iptables -S FORWARD 2>/dev/null | grep -q '^-P FORWARD DROP'; then
    forward_rules -C 2>/dev/null || forward_rules -I
  fi
}

forward_rules() { # -C, -I or -D
  local side
  for side in -s -d; do
    iptables "$1" FORWARD "$side" "$BENCH_POD_CIDR" -m comment --comment circleci-server-postgresql-bench -j ACCEPT || return
  done
}

# enforce_network_policies NAMESPACE: from now on, by a process of its own, as a network plugin would. It needs daemon.sh and certificates.sh.
enforce_network_policies() {
  local name=network-policies
  [ -e "$BENCH_STATE/pki/$name.crt" ] || identity "$name" "/O=system:masters/O=bench:network/CN=$name"
  kubectl label namespace "$1" bench/network-policies=enforced >/dev/null
  # Not with the caller's lock, which would stay locked.
  daemon_start "$name" "$BENCH_DIR/kube/network-policies.py" "$BENCH_STATE/pki" 6>&-
  wait_until 20 "NetworkPolicies to be enforced" "$(log_file "$name")" -- nft list table ip bench-network-policies
}

# The second node's kubelet listens on loopback too, and the API server calls it by its name.
add_second_node() {
  ip address replace "$SECOND_NODE_ADDRESS/32" dev lo || fail "the address $SECOND_NODE_ADDRESS could not be added" "" "see what 'ip address' says."
  grep -q " $SECOND_NODE # $BENCH_CGROUP\$" /etc/hosts || echo "127.0.0.1 $SECOND_NODE # $BENCH_CGROUP" >>/etc/hosts
}

remove_second_node() {
  local hosts
  ip address delete "$SECOND_NODE_ADDRESS/32" dev lo 2>/dev/null || true
  if grep -q " # $BENCH_CGROUP\$" /etc/hosts; then
    # Not in place: in a container the file is a mount, which cannot be replaced.
    hosts=$(grep -v " # $BENCH_CGROUP\$" /etc/hosts || true)
    printf '%s\n' "$hosts" >/etc/hosts
  fi
}

remove_network() {
  remove_second_node
  ip address delete "$BENCH_ADDRESS/32" dev lo 2>/dev/null || true
  if command -v nft >/dev/null; then
    nft delete table ip kube-proxy 2>/dev/null || true
    nft delete table ip6 kube-proxy 2>/dev/null || true
    nft delete table ip bench-network-policies 2>/dev/null || true
  fi
  if command -v iptables >/dev/null; then
    forward_rules -D 2>/dev/null || true
  fi
  if [ -e "$BENCH_STATE/forwarding-was-off" ]; then
    echo 0 >/proc/sys/net/ipv4/ip_forward
  fi
  rm -f /var/lib/cni/results/circleci-server-postgresql-bench-* /var/lib/cni/cache/results/circleci-server-postgresql-bench-* 2>/dev/null || true
}

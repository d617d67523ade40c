# shellcheck shell=bash
# The components' configuration files.

# containerd_configuration STATE RUN SOCKET: each node has its own; the network's plugins keep their addresses in one place.
containerd_configuration() {
  cat <<EOF
version = 2
root = "$1/containerd"
state = "$2/containerd"
[grpc]
address = "$3"
[plugins."io.containerd.internal.v1.opt"]
path = "$1/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "bench.local/pause:1"
# Network namespaces are mounted below the run directory, where they are found again.
netns_mounts_under_state_dir = true
# A machine may lack CAP_SYS_RESOURCE, and then nobody's score can be lowered.
restrict_oom_score_adj = true
disable_hugetlb_controller = true
tolerate_missing_hugetlb_controller = true
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
Root = "$2/runc"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "$BENCH_STATE/cni"
EOF
}

# kubelet_configuration STATE IDENTITY CONTAINERD-SOCKET CGROUP
kubelet_configuration() {
  cat <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
cgroupRoot: /$4
failSwapOn: false
failCgroupV1: false
containerRuntimeEndpoint: unix://$3
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $BENCH_STATE/pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $BENCH_STATE/pki/$2.crt
tlsPrivateKeyFile: $BENCH_STATE/pki/$2.key
address: 127.0.0.1
# The machine's disk is shared: only the bench's own volumes have limits.
evictionHard: {memory.available: 50Mi, nodefs.available: 0%, nodefs.inodesFree: 0%, imagefs.available: 0%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
enforceNodeAllocatable: []
resolvConf: /dev/null
syncFrequency: 5s
nodeStatusUpdateFrequency: 2s
maxPods: 250
podLogsDir: $1/pod-logs
volumePluginDir: $1/volume-plugins
makeIPTablesUtilChains: false # kube-proxy uses nftables
EOF
}

make_configuration() {
  mkdir -p "$BENCH_STATE"/{cni,audit,volume-plugins}
  containerd_configuration "$BENCH_STATE" "$BENCH_RUN" "$CONTAINERD_SOCKET" >"$BENCH_STATE/containerd.toml"
  kubelet_configuration "$BENCH_STATE" node "$CONTAINERD_SOCKET" "$BENCH_CGROUP" >"$BENCH_STATE/kubelet.yaml"

  # Every pod has a link of its own to the machine, which routes: no bridge, and a Service's answers take the way back
  # on which its addresses are translated.
  cat >"$BENCH_STATE/cni/10-bench.conflist" <<EOF
{
  "cniVersion": "0.4.0",
  "name": "circleci-server-postgresql-bench",
  "plugins": [{
    "type": "ptp",
    "ipMasq": false,
    "mtu": 1500,
    "ipam": {
      "type": "host-local",
      "dataDir": "$BENCH_STATE/cni-addresses",
      "ranges": [[{"subnet": "$BENCH_POD_CIDR"}]],
      "routes": [{"dst": "0.0.0.0/0"}]
    }
  }]
}
EOF

  cat >"$BENCH_STATE/kube-proxy.yaml" <<EOF
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clusterCIDR: $BENCH_POD_CIDR
bindAddress: 127.0.0.1
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
clientConnection: {kubeconfig: $BENCH_STATE/kube-proxy.kubeconfig}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
nftables: {minSyncPeriod: 100ms}
EOF
}

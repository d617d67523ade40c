# shellcheck shell=bash
# Every process of the cluster, in the order in which they start, and its command line.

COMPONENTS=(containerd etcd apiserver controller-manager scheduler kubelet kube-proxy
  csi-driver csi-registrar csi-provisioner csi-attacher csi-snapshotter snapshot-controller)

# Those of the second node, and of the disks that both nodes reach; they are there only while bench/node2 has it up.
SECOND_NODE_COMPONENTS=(node2-kubelet node2-containerd node2-registrar
  zonal-registrar zonal-provisioner zonal-attacher zonal-snapshotter zonal-driver)

component_start() {
  local kube csi socket=$KUBELET_DIR/plugins/disk.csi.bench/csi.sock pki=$BENCH_STATE/pki
  local zonal=$BENCH_RUN/zonal.sock zonal2=$BENCH_RUN/zonal-node2.sock
  # Their own default is 5m: a test of what fails would wait too long for the next try.
  local retry=${BENCH_SIDECAR_RETRY_MAX:-5s}
  local configuration=$BENCH_STATE/kubelet.yaml
  kube=$(cached_path kubernetes)/kube
  csi=$(cached_path csi)
  case $1 in
  containerd)
    daemon_start containerd containerd --config "$BENCH_STATE/containerd.toml"
    ;;
  etcd) # no fsync: a bench's etcd need not outlive the machine
    daemon_start etcd "$kube" etcd --data-dir "$BENCH_STATE/etcd" --unsafe-no-fsync --log-level warn \
      --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
      --listen-peer-urls http://127.0.0.1:2380
    ;;
  apiserver) # all addresses, because pods come in through $BENCH_ADDRESS and the tests through loopback
    daemon_start apiserver "$kube" apiserver --etcd-servers=http://127.0.0.1:2379 \
      --bind-address=0.0.0.0 --advertise-address="$BENCH_ADDRESS" --secure-port=6443 \
      --service-cluster-ip-range="$BENCH_SERVICE_CIDR" --allow-privileged \
      --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" --client-ca-file="$pki/ca.crt" \
      --service-account-issuer=https://kubernetes.default.svc \
      --service-account-key-file="$pki/service-account.pub" --service-account-signing-key-file="$pki/service-account.key" \
      --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
      --kubelet-client-certificate="$pki/apiserver.crt" --kubelet-client-key="$pki/apiserver.key" \
      --kubelet-certificate-authority="$pki/ca.crt" --kubelet-preferred-address-types=Hostname \
      --audit-policy-file="$BENCH_DIR/kube/audit-policy.yaml" --audit-log-path="$BENCH_AUDIT_LOG" \
      --audit-log-mode=blocking --audit-log-maxsize=4000
    ;;
  controller-manager)
    daemon_start controller-manager "$kube" controller-manager --kubeconfig="$BENCH_STATE/controller-manager.kubeconfig" \
      --service-account-private-key-file="$pki/service-account.key" --root-ca-file="$pki/ca.crt" \
      --leader-elect=false --use-service-account-credentials --bind-address=127.0.0.1 --allocate-node-cidrs=false
    ;;
  scheduler)
    daemon_start scheduler "$kube" scheduler --kubeconfig="$BENCH_STATE/scheduler.kubeconfig" --leader-elect=false --bind-address=127.0.0.1
    ;;
  kubelet)
    if [ -n "${BENCH_KUBELET_BY_DEFAULT:-}" ]; then
      configuration=$BENCH_STATE/kubelet-by-default.yaml
      grep -v '^nodeStatusUpdateFrequency:' "$BENCH_STATE/kubelet.yaml" >"$configuration"
    fi
    daemon_start kubelet "$kube" kubelet --config="$configuration" --kubeconfig="$BENCH_STATE/node.kubeconfig" \
      --hostname-override="$BENCH_NODE" --node-ip="$BENCH_ADDRESS" --root-dir="$KUBELET_DIR"
    ;;
  kube-proxy)
    daemon_start kube-proxy "$kube" proxy --config="$BENCH_STATE/kube-proxy.yaml" --hostname-override="$BENCH_NODE"
    ;;
  csi-driver)
    mkdir -p "$(dirname "$socket")" "$KUBELET_DIR/plugins_registry"
    daemon_start csi-driver "$csi/csi" driver --endpoint "unix://$socket" --node-id "$BENCH_NODE" --state-dir "$BENCH_STATE/csi"
    ;;
  csi-registrar)
    daemon_start csi-registrar "$csi/csi" registrar --csi-address "$socket" --plugin-registration-path "$KUBELET_DIR/plugins_registry"
    ;;
  csi-provisioner)
    daemon_start csi-provisioner "$csi/csi-provisioner" --csi-address "$socket" --kubeconfig "$BENCH_STATE/csi-provisioner.kubeconfig" \
      --timeout 5m --default-fstype ext4 --extra-create-metadata --retry-interval-max "$retry" -v 3
    ;;
  csi-attacher)
    daemon_start csi-attacher "$csi/csi-attacher" --csi-address "$socket" --kubeconfig "$BENCH_STATE/csi-attacher.kubeconfig" \
      --timeout 1m --retry-interval-max "$retry" -v 3
    ;;
  csi-snapshotter)
    daemon_start csi-snapshotter "$csi/csi-snapshotter" --csi-address "$socket" --kubeconfig "$BENCH_STATE/csi-snapshotter.kubeconfig" \
      --timeout 5m --extra-create-metadata --retry-interval-max "$retry" -v 3
    ;;
  snapshot-controller)
    daemon_start snapshot-controller "$csi/snapshot-controller" --kubeconfig "$BENCH_STATE/snapshot-controller.kubeconfig" \
      --retry-interval-max "$retry" -v 3
    ;;
  node2-containerd)
    daemon_start node2-containerd containerd --config "$SECOND_NODE_STATE/containerd.toml"
    ;;
  node2-kubelet)
    daemon_start node2-kubelet "$kube" kubelet --config="$SECOND_NODE_STATE/kubelet.yaml" --kubeconfig="$BENCH_STATE/node2.kubeconfig" \
      --hostname-override="$SECOND_NODE" --node-ip="$SECOND_NODE_ADDRESS" --root-dir="$SECOND_NODE_STATE/kubelet"
    ;;
  zonal-driver) # one process for both nodes and the controllers: it has the one list of what is attached where
    daemon_start zonal-driver "$csi/csi" driver --driver-name zonal.csi.bench --endpoint "unix://$zonal" --node-id "$BENCH_NODE" \
      --second-node "$SECOND_NODE=unix://$zonal2" --state-dir "$BENCH_STATE/zonal"
    ;;
  zonal-registrar)
    daemon_start zonal-registrar "$csi/csi" registrar --csi-address "$zonal" --plugin-registration-path "$KUBELET_DIR/plugins_registry"
    ;;
  node2-registrar)
    mkdir -p "$SECOND_NODE_STATE/kubelet/plugins_registry"
    daemon_start node2-registrar "$csi/csi" registrar --csi-address "$zonal2" --plugin-registration-path "$SECOND_NODE_STATE/kubelet/plugins_registry"
    ;;
  zonal-provisioner)
    daemon_start zonal-provisioner "$csi/csi-provisioner" --csi-address "$zonal" --kubeconfig "$BENCH_STATE/csi-provisioner.kubeconfig" \
      --timeout 5m --default-fstype ext4 --extra-create-metadata --retry-interval-max "$retry" -v 3
    ;;
  zonal-attacher)
    daemon_start zonal-attacher "$csi/csi-attacher" --csi-address "$zonal" --kubeconfig "$BENCH_STATE/csi-attacher.kubeconfig" \
      --timeout 1m --retry-interval-max "$retry" -v 3
    ;;
  zonal-snapshotter)
    daemon_start zonal-snapshotter "$csi/csi-snapshotter" --csi-address "$zonal" --kubeconfig "$BENCH_STATE/csi-snapshotter.kubeconfig" \
      --timeout 5m --extra-create-metadata --retry-interval-max "$retry" -v 3
    ;;
  *) fail "no component $1; there are: ${COMPONENTS[*]}, and with a second node ${SECOND_NODE_COMPONENTS[*]}" ;;
  esac
}

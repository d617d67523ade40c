# shellcheck shell=bash
# A certificate authority of the cluster's own, and for each component an identity of its own: the audit log then says who did what.

kubeconfig_with() { # USER-JSON [NAMESPACE]
  printf '{"apiVersion":"v1","kind":"Config","clusters":[{"name":"bench","cluster":{"server":"https://127.0.0.1:6443","certificate-authority-data":"%s"}}],"users":[{"name":"bench","user":%s}],"contexts":[{"name":"bench","context":{"cluster":"bench","user":"bench","namespace":"%s"}}],"current-context":"bench"}\n' \
    "$(base64 -w0 "$BENCH_STATE/pki/ca.crt")" "$1" "${2:-default}"
}

make_certificates() {
  local pki=$BENCH_STATE/pki
  mkdir -p "$pki"
  chmod 700 "$pki"
  {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=bench -days 3650 -keyout "$pki/ca.key" -out "$pki/ca.crt"
    openssl genrsa -out "$pki/service-account.key" 2048
    openssl rsa -in "$pki/service-account.key" -pubout -out "$pki/service-account.pub"
  } 2>"$pki/openssl.log" || fail "the cluster's certificates could not be made" "$pki/openssl.log"

  identity apiserver /O=system:masters/CN=kube-apiserver
  identity admin /O=system:masters/CN=admin
  identity bench /O=system:masters/CN=bench
  identity controller-manager /CN=system:kube-controller-manager
  identity scheduler /CN=system:kube-scheduler
  identity kube-proxy /CN=system:kube-proxy
  identity node "/O=system:nodes/CN=system:node:$BENCH_NODE"
  local name
  for name in csi-provisioner csi-attacher csi-snapshotter snapshot-controller; do
    identity "$name" "/O=system:masters/O=bench:storage/CN=$name"
  done
}

identity() { # NAME SUBJECT [HOST]
  local file=$BENCH_STATE/pki/$1 old
  {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "$2" -keyout "$file.key" -out "$file.csr"
    openssl x509 -req -in "$file.csr" -CA "$BENCH_STATE/pki/ca.crt" -CAkey "$BENCH_STATE/pki/ca.key" -CAcreateserial -days 3650 -out "$file.crt" \
      -extfile <(printf 'extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:%s,IP:%s%s' "$BENCH_ADDRESS" "${BENCH_SERVICE_CIDR%.0/*}.1" "${3:+,DNS:$3}")
  } 2>"$file.log" || fail "the certificate of $1 could not be made" "$file.log"
  old=$(umask)
  umask 077
  kubeconfig_with "{\"client-certificate-data\":\"$(base64 -w0 "$file.crt")\",\"client-key-data\":\"$(base64 -w0 "$file.key")\"}" >"$BENCH_STATE/$1.kubeconfig"
  umask "$old"
}

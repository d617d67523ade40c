# shellcheck shell=bash
# How Go programs are compiled here, so that a new machine is ready early. Without debugging information; and most of Kubernetes, which is
# clients, types and conversions that tools wrote, without inlining: that takes a third of the compiler's time. What serves requests stays as Go
# compiles it. The flags are the same everywhere, so that what two programs share is compiled once.
# A compiler lives for seconds: without its garbage collection it takes a third less of the processor's time. The limit keeps a large package from the
# machine's last memory, two at a time.
export CGO_ENABLED=0 GOFLAGS=-mod=readonly GOGC=off GOMEMLIMIT=2GiB
# shellcheck disable=SC2034 # used by those who source it
compile=(-trimpath -gcflags=all=-dwarf=false '-gcflags=k8s.io/...=-dwarf=false -l'
  -gcflags=k8s.io/apimachinery/...=-dwarf=false -gcflags=k8s.io/apiserver/...=-dwarf=false)

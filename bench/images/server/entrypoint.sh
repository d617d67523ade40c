#!/bin/bash
# As Bitnami's: prepare the volume and the configuration, then become the server.
set -o errexit -o nounset -o pipefail
# shellcheck source=environment.sh
. /opt/bitnami/scripts/postgresql/environment.sh

[ "${BITNAMI_DEBUG:-false}" != true ] || echo "entrypoint as $(id -u):$(id -g), data in $POSTGRESQL_DATA_DIR" >&2
if [ "$*" = /opt/bitnami/scripts/postgresql/run.sh ]; then
  /opt/bitnami/scripts/postgresql/setup.sh
fi
exec "$@"

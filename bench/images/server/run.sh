#!/bin/bash
# PostgreSQL becomes the container's first process: SIGTERM then is its smart shutdown, which waits for its clients.
set -o errexit -o nounset -o pipefail
# shellcheck source=environment.sh
. /opt/bitnami/scripts/postgresql/environment.sh

flags=(-D "$POSTGRESQL_DATA_DIR" "--config-file=$POSTGRESQL_CONF_FILE" "--external_pid_file=$POSTGRESQL_PID_FILE" "--hba_file=$POSTGRESQL_PGHBA_FILE")
if [ -n "${POSTGRESQL_EXTRA_FLAGS:-}" ]; then
  read -r -a extra <<<"$POSTGRESQL_EXTRA_FLAGS"
  flags+=("${extra[@]}")
fi
printf 'postgresql %s INFO  ==> ** Starting PostgreSQL **\n' "$(date +%T.%2N)" >&2
exec "$POSTGRESQL_BASE_DIR/bin/postgres" "${flags[@]}" "$@"

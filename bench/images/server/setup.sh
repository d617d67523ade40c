#!/bin/bash
# Before each start: configuration from the image's sample and the environment, never from the volume's data directory;
# an absent or empty data directory becomes a new, empty cluster.
set -o errexit -o nounset -o pipefail
# shellcheck source=environment.sh
. /opt/bitnami/scripts/postgresql/environment.sh
bin=$POSTGRESQL_BASE_DIR/bin
log() { printf 'postgresql %s INFO  ==> %s\n' "$(date +%T.%2N)" "$*" >&2; }

empty_directory() { [ ! -e "$1" ] || [ -z "$(ls -A "$1")" ]; }

log "** Starting PostgreSQL setup **"
if [ -z "$POSTGRESQL_PASSWORD" ] && [ "${ALLOW_EMPTY_PASSWORD:-no}" != yes ]; then
  log "The POSTGRESQL_PASSWORD environment variable is empty or not set."
  exit 1
fi

tls=no
case ${POSTGRESQL_ENABLE_TLS:-no} in yes | true | 1) tls=yes ;; esac
if [ "$tls" = yes ]; then
  for file in "${POSTGRESQL_TLS_CERT_FILE:-}" "${POSTGRESQL_TLS_KEY_FILE:-}"; do
    if [ ! -f "$file" ]; then
      log "TLS needs a certificate and its key; there is no file '$file'"
      exit 1
    fi
  done
fi

rm -f "$POSTGRESQL_DATA_DIR"/{postmaster.pid,standby.signal,recovery.signal} "$POSTGRESQL_PID_FILE"
mkdir -p "$POSTGRESQL_CONF_DIR/conf.d" "$POSTGRESQL_BASE_DIR/tmp" "$POSTGRESQL_DATA_DIR"
chmod u=rwx,g=,o= "$POSTGRESQL_DATA_DIR"

rm -f "$POSTGRESQL_CONF_FILE" "$POSTGRESQL_PGHBA_FILE"
if ! empty_directory "$POSTGRESQL_MOUNTED_CONF_DIR"; then
  log "Loading custom configuration files from $POSTGRESQL_MOUNTED_CONF_DIR"
  cp -Lr "$POSTGRESQL_MOUNTED_CONF_DIR"/. "$POSTGRESQL_CONF_DIR"
fi

if [ ! -f "$POSTGRESQL_CONF_FILE" ]; then
  log "postgresql.conf file not detected. Generating it..."
  cp "$POSTGRESQL_BASE_DIR/share/postgresql.conf.sample" "$POSTGRESQL_CONF_FILE"
  cat >>"$POSTGRESQL_CONF_FILE" <<SETTINGS
listen_addresses = '*'
port = '$POSTGRESQL_PORT_NUMBER'
unix_socket_directories = '/tmp'
max_connections = ${POSTGRESQL_MAX_CONNECTIONS:-500}
shared_buffers = '${POSTGRESQL_SHARED_BUFFERS:-64MB}'
shared_preload_libraries = '${POSTGRESQL_SHARED_PRELOAD_LIBRARIES:-pg_stat_statements}'
fsync = '${POSTGRESQL_FSYNC:-on}'
wal_level = 'replica'
max_wal_size = '400MB'
max_wal_senders = '16'
hot_standby = 'on'
password_encryption = 'md5'
include_dir = 'conf.d'
SETTINGS
  if [ "$("$bin/postgres" --version | sed -E 's/.* ([0-9]+)\..*/\1/')" -ge 13 ]; then
    echo "wal_keep_size = '128MB'" >>"$POSTGRESQL_CONF_FILE"
  else
    echo "wal_keep_segments = '12'" >>"$POSTGRESQL_CONF_FILE"
  fi
  if [ "$tls" = yes ]; then
    log "Configuring TLS"
    chmod 600 "$POSTGRESQL_TLS_KEY_FILE" || log "Could not set compulsory permissions (600) on file $POSTGRESQL_TLS_KEY_FILE"
    cat >>"$POSTGRESQL_CONF_FILE" <<SETTINGS
ssl = 'on'
ssl_cert_file = '$POSTGRESQL_TLS_CERT_FILE'
ssl_key_file = '$POSTGRESQL_TLS_KEY_FILE'
SETTINGS
  fi
fi

method=md5
[ -n "$POSTGRESQL_PASSWORD" ] || method=trust
if [ ! -f "$POSTGRESQL_PGHBA_FILE" ]; then
  log "pg_hba.conf file not detected. Generating it..."
  cat >"$POSTGRESQL_PGHBA_FILE" <<RULES
host     all             all             0.0.0.0/0               $method
host     all             all             ::/0                    $method
local    all             all                                     $method
RULES
fi

if ! empty_directory "$POSTGRESQL_DATA_DIR"; then
  log "Deploying PostgreSQL with persisted data..."
else
  log "Initializing PostgreSQL database..."
  arguments=()
  [ -z "${POSTGRESQL_INITDB_ARGS:-}" ] || read -r -a arguments <<<"$POSTGRESQL_INITDB_ARGS"
  "$bin/initdb" -E UTF8 -D "$POSTGRESQL_DATA_DIR" -U postgres "${arguments[@]}"
  if [ -n "$POSTGRESQL_PASSWORD" ]; then
    log "Changing password of $POSTGRESQL_USERNAME"
    quoted=${POSTGRESQL_PASSWORD//\'/\'\'}
    {
      if [ "$POSTGRESQL_USERNAME" = postgres ]; then
        echo "ALTER ROLE postgres WITH PASSWORD '$quoted';"
      else
        echo "CREATE ROLE \"$POSTGRESQL_USERNAME\" WITH LOGIN SUPERUSER PASSWORD '$quoted';"
      fi
      [ -z "${POSTGRESQL_POSTGRES_PASSWORD:-}" ] || echo "ALTER ROLE postgres WITH PASSWORD '${POSTGRESQL_POSTGRES_PASSWORD//\'/\'\'}';"
    } | "$bin/postgres" --single -D "$POSTGRESQL_DATA_DIR" --config-file="$POSTGRESQL_CONF_FILE" \
      --hba_file="$POSTGRESQL_PGHBA_FILE" -j postgres >/dev/null
  fi
fi
rm -f "$POSTGRESQL_DATA_DIR"/{postgresql.conf,pg_hba.conf}
log "** PostgreSQL setup finished! **"

# shellcheck shell=bash
# Bitnami's names and defaults; NAME_FILE stands for a file which holds NAME's value.

read_files() {
  local name file
  for name in "$@"; do
    file=${name}_FILE
    [ -z "${!file:-}" ] || export "$name=$(<"${!file}")"
  done
}
read_files POSTGRES_PASSWORD POSTGRESQL_PASSWORD POSTGRES_USER POSTGRESQL_USERNAME POSTGRESQL_POSTGRES_PASSWORD

export POSTGRESQL_BASE_DIR=/opt/bitnami/postgresql
export POSTGRESQL_VOLUME_DIR=${POSTGRESQL_VOLUME_DIR:-/bitnami/postgresql}
export POSTGRESQL_DATA_DIR=${POSTGRESQL_DATA_DIR:-${PGDATA:-$POSTGRESQL_VOLUME_DIR/data}}
export PGDATA=$POSTGRESQL_DATA_DIR
export POSTGRESQL_CONF_DIR=$POSTGRESQL_BASE_DIR/conf
export POSTGRESQL_MOUNTED_CONF_DIR=/bitnami/postgresql/conf
export POSTGRESQL_CONF_FILE=$POSTGRESQL_CONF_DIR/postgresql.conf
export POSTGRESQL_PGHBA_FILE=$POSTGRESQL_CONF_DIR/pg_hba.conf
export POSTGRESQL_PID_FILE=$POSTGRESQL_BASE_DIR/tmp/postgresql.pid
export POSTGRESQL_PORT_NUMBER=${POSTGRESQL_PORT_NUMBER:-5432}
export POSTGRESQL_USERNAME=${POSTGRESQL_USERNAME:-${POSTGRES_USER:-postgres}}
export POSTGRESQL_PASSWORD=${POSTGRESQL_PASSWORD:-${POSTGRES_PASSWORD:-}}

# The image has no passwd entry for UID 1001, and PostgreSQL asks for a user name.
if ! getent passwd "$(id -u)" >/dev/null && [ -e /opt/bitnami/common/lib/libnss_wrapper.so ]; then
  NSS_WRAPPER_PASSWD=$(mktemp)
  NSS_WRAPPER_GROUP=$(mktemp)
  printf 'postgres:x:%s:%s:PostgreSQL:%s:/bin/false\n' "$(id -u)" "$(id -g)" "$POSTGRESQL_DATA_DIR" >"$NSS_WRAPPER_PASSWD"
  printf 'postgres:x:%s:\n' "$(id -g)" >"$NSS_WRAPPER_GROUP"
  export NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP LD_PRELOAD=/opt/bitnami/common/lib/libnss_wrapper.so
fi

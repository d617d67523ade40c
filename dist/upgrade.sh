#!/bin/bash
# upgrade.sh upgrade|revert|rollback|boot|status
#
# Upgrades the PostgreSQL cluster on a volume with pg_upgrade, or restores the old one. It runs in a Kubernetes Job, as the user who owns
# the data directory, while nothing else has the volume mounted: whoever starts the Job has proven that.
#
# The rule of the whole: what to do next is read from the disk, never from memory. Every command is a row of small moves, each durable before
# the next one; so after a kill at any moment the state (look, in volume.sh) says the one next move: forward for upgrade, back for revert.
# Decision: docs/decisions/0001-data-directory.md
#
#   state          what is on the volume                                               upgrade             revert
#   fresh          the old cluster and nothing of ours                                 all steps           nothing to do
#   leftover       the old cluster, whole, and things of ours beside it                clears, all steps   clears
#   moved          not ours: the old cluster, whole, under the documented way's name   renames it back     renames it back
#   linking        pg_upgrade --link took the old cluster's pg_control away, no end    back, all steps     puts it back, clears
#   upgraded       beside the old cluster the new one, complete and durable            swaps               puts it back, clears
#   half-swapped   the old cluster is renamed, the new one not yet                     swaps               renames back, clears
#   swapped        the new cluster is in place, and was never served                   nothing to do       renames back, clears
#   served         the new cluster was started: what it wrote since is its own         nothing to do       refuses (rollback: see below)
#   unknown        anything else (other-upgrade.sh says what another try left)               refuses             refuses
#
# The files go over as TRANSFER says: clone (reflinks), link (hard links) or copy; auto takes the first of them that the volume can do. Only
# linked files belong to both clusters: --link alone takes the old pg_control away, so that no server starts on them. Cloned or copied, the
# old cluster stays as it is, and may even be started until the swap: then its pg_control differs, and what was upgraded is but a leftover.
# An upgrade found half done by another transfer than the wanted one is taken back and made anew.
#
# rollback is revert for who has a copy of what the new cluster wrote: it gives up a served one too, where the old one is whole beside it
# (cloned or copied). boot starts the old cluster on a copy of the volume and stops it again: the proof that the copy is a backup.
#
# Exit codes: 0 done; 10 failed, and the old cluster is there as it was; 11 refused, and nothing was changed; 12 another instance is at work;
# 13 served, only the backup brings the old cluster back; 14 unknown state, a person must look; 15 going back failed.
# Any other code: the shell was killed or could not run, so nothing is known but what is on the volume: run status.
set -Eeuo pipefail
shopt -s extglob
umask 077
export LC_ALL=C TZ=UTC PGCTLTIMEOUT=86400 # C and UTC, because pg_controldata's words and dates are compared

readonly EXIT_FAILED=10 EXIT_REFUSED=11 EXIT_LOCKED=12 EXIT_SERVED=13 EXIT_UNKNOWN=14 EXIT_STUCK=15
readonly COMMAND=${1:-}
readonly MOUNT=${MOUNT:-/bitnami/postgresql} FROM=${FROM:-12} TO=${TO:-14} TRANSFER=${TRANSFER:-auto} JOBS=${JOBS:-1}
readonly DATA=${DATA:-$MOUNT/data} HEARTBEAT_SECONDS=${HEARTBEAT_SECONDS:-10} RESULT_FILE=${RESULT_FILE:-/dev/termination-log}
readonly OLD_BIN=${OLD_BIN:-${PGBINOLD:-/usr/lib/postgresql/$FROM/bin}} NEW_BIN=${NEW_BIN:-${PGBINNEW:-/usr/lib/postgresql/$TO/bin}}
RUN_ID=$(printf %s "${RUN_ID:-unknown}" | tr -c '[:graph:]' _)
readonly RUN_ID PARENT=${DATA%/*} NEW=$DATA-$TO KEPT=$DATA-$FROM.preupgrade LOGS=$MOUNT/upgrade-logs
readonly LOCKS=1024 # max_locks_per_transaction of both servers: pg_dump locks every table of a database at once

readonly OURS=$MOUNT/.postgresql-upgrade
readonly PROBE=$OURS/probe                    # a reflink or hard link, for a moment
readonly JOURNAL=$OURS/journal
readonly RESERVE=$OURS/reserve                # a little room, which the way back takes when there is no other
readonly CLAIM=$OURS/new-cluster              # which directory is the new cluster: written before there is anything in it
readonly TABLESPACES=$OURS/tablespaces        # directories which had nothing of the new version in them before we began
readonly AUTO_CONF=$OURS/postgresql.auto.conf # the old cluster's, while the old server must start without it
readonly UNPROVEN=$OURS/unproven              # pg_control is back, and the old server has not been started since
readonly MARKER=.postgresql-upgrade           # in the new cluster: it is complete; and what pg_control said then

STATE=unexamined FOUND='' WHY='' OUTCOME='' MESSAGE='' STEP='' STEP_KEY='' STEP_STARTED=0 OLD_VERSION='' NEW_VERSION='' WAL_END=''
MODE='' OPTION='' RECOVERED=false REVERTED=false HURRY=no GOING_BACK=no LOCKED=no STARTED_SERVERS=no RUNNING='' BEAT='' WORK='' SAID='' LAST_ERROR=''
declare -A SPENT=()

here=$(dirname -- "${BASH_SOURCE[0]}")
# shellcheck source-path=SCRIPTDIR source=report.sh
source "$here/report.sh"
# shellcheck source-path=SCRIPTDIR source=volume.sh
source "$here/volume.sh"
# shellcheck source-path=SCRIPTDIR source=other-upgrade.sh
source "$here/other-upgrade.sh"
# shellcheck source-path=SCRIPTDIR source=transactions.sh
source "$here/transactions.sh"
STARTED=$(now)

main() {
  trap 'LAST_ERROR="line $LINENO of ${BASH_SOURCE[0]##*/}: $BASH_COMMAND"' ERR
  trap 'conclude $?' EXIT
  trap 'interrupt' TERM INT HUP
  STEP='Checking the environment'
  check_environment
  WORK=$(mktemp -d /tmp/pgupgrade.XXXXXX) # short: the path of a socket has at most 107 bytes
  SAID=$WORK/said
  mkdir "$SAID"
  export HOME=$WORK # no .pgpass or service file of the image
  cd /tmp
  case $COMMAND in
    upgrade) lock; upgrade ;;
    revert | rollback) lock; trap '' TERM INT HUP; revert ;;
    boot) lock; boot ;;
    status) look; finish status "${WHY:-$STATE}" ;;
  esac
}

upgrade() {
  step 1 '' 'Checking the volume'
  look
  log "    state: $STATE ($FOUND)"
  case $STATE in
    swapped | served) finish already-upgraded "$DATA is PostgreSQL $TO already"; return ;;
    unknown) give_up refused "$EXIT_UNKNOWN" "$WHY" ;;
    moved | leftover | linking) go_back ;;
    upgraded | half-swapped) if [[ $TRANSFER != auto && $(marker_value transfer) != "$TRANSFER" ]]; then choose_transfer; go_back; fi ;;
  esac
  if [[ $STATE == fresh ]]; then
    REVERTED=false
    prepare_old
    make_new
    run_upgrade
    expect_same_transactions
    seal_new
  fi
  trap '' TERM INT HUP # from here on the end is nearer than the way back, and a later revert can still go it
  swap
  verify
  finish upgraded "$DATA is PostgreSQL $TO"
}

revert() {
  STEP="Restoring PostgreSQL $FROM"
  go_back
  STEP_STARTED=0
  if [[ $REVERTED == true ]]; then finish reverted "$DATA is PostgreSQL $FROM again"; else finish nothing-to-revert "$DATA is PostgreSQL $FROM"; fi
}

# The volume is a copy, which nobody else uses: its server may have been running when it was made, and recovers then.
boot() {
  local databases
  STEP="Starting PostgreSQL $FROM on the copy"
  look
  if [[ $STATE != fresh ]]; then give_up refused "$EXIT_UNKNOWN" "the copy is not the volume of a PostgreSQL $FROM: ${WHY:-$STATE ($FOUND)}"; fi
  chmod 0700 "$DATA" # the kubelet's fsGroup pass adds what a server refuses to start with
  remove_stale_pid
  set_auto_conf_aside
  start_old
  # The checkpoint with which it ended its recovery: no other one comes so soon.
  WAL_END=$(control_field "$FROM" "$DATA" "Latest checkpoint's REDO location") || WAL_END=
  databases=$("$NEW_BIN/psql" -XAtqw -h "$WORK/socket" -U "$SUPERUSER" -d template1 -c 'SELECT count(*) FROM pg_database' 2>&1) ||
    fail "PostgreSQL $FROM on the copy does not answer: $databases"
  stop_old
  put_auto_conf_back
  finish booted "PostgreSQL $OLD_VERSION starts on the copy and has $databases databases"
}

# --------------------------------------------------------------------------------------------------------------------- before the first move

check_environment() {
  local name
  case $COMMAND in upgrade | revert | rollback | boot | status) ;; *) refuse "usage: upgrade.sh upgrade|revert|rollback|boot|status" ;; esac
  if ((EUID == 0)); then refuse "run as the owner of the data directory, not as root"; fi
  if ! id -un >/dev/null 2>&1; then refuse "user $EUID has no entry in /etc/passwd: initdb and pg_upgrade need one"; fi
  for name in FROM TO JOBS HEARTBEAT_SECONDS LOGS_SECONDS; do
    if [[ ! ${!name} =~ ^[1-9][0-9]*$ ]]; then refuse "$name must be a whole number, not '${!name}'"; fi
  done
  case $TRANSFER in auto | clone | link | copy) ;; *) refuse "TRANSFER must be auto, clone, link or copy, not '$TRANSFER'" ;; esac
  if [[ ! $DATA =~ ^/[A-Za-z0-9._/-]+$ || $DATA != "$MOUNT"/?* ]]; then refuse "DATA ($DATA) must be a plain path below MOUNT ($MOUNT)"; fi
  if [[ ! -d $PARENT || $(mount_of "$PARENT") != "$(mount_of "$MOUNT")" ]]; then refuse "$PARENT must be a directory on the same mount as $MOUNT"; fi
  if [[ -x $DATA && $(mount_of "$DATA") != "$(mount_of "$MOUNT")" ]]; then refuse "$DATA is a mount of its own: it cannot be renamed"; fi
  check_binaries "$OLD_BIN" "$FROM" postgres pg_ctl pg_controldata pg_resetwal
  check_binaries "$NEW_BIN" "$TO" postgres pg_ctl pg_controldata pg_resetwal initdb pg_upgrade pg_dump pg_dumpall pg_restore psql vacuumdb
  OLD_VERSION=$(server_version "$OLD_BIN") NEW_VERSION=$(server_version "$NEW_BIN")
  for name in $(compgen -e | grep '^PG'); do # pg_upgrade and libpq take a dozen settings from there
    if [[ $name != PGCTLTIMEOUT ]]; then unset "$name"; fi
  done
  # what is stored for a role or for a database must not touch pg_upgrade's own sessions; libpq reads this in all its programs
  if [[ $COMMAND != status && -z ${SESSION_OPTIONS:-} ]]; then refuse "SESSION_OPTIONS is not set"; fi
  export PGOPTIONS=${SESSION_OPTIONS:-}
}

mount_of() { stat -c %m -- "$1"; }
server_version() { "$1/postgres" --version | cut -d' ' -f3; }

check_binaries() { # DIRECTORY MAJOR NAME...
  local bin=$1 major=$2 name
  shift 2
  for name; do
    if [[ ! -x $bin/$name ]]; then refuse "this image has no PostgreSQL $major in $bin: $name is missing"; fi
  done
  if [[ $(server_version "$bin") != "$major".* ]]; then refuse "$bin/postgres is $(server_version "$bin"), not PostgreSQL $major"; fi
}

lock() {
  local status=0 said
  look_for_links
  if [[ -n $WHY ]]; then give_up refused "$EXIT_UNKNOWN" "$WHY"; fi
  if ! said=$({ mkdir -p "$OURS" && chmod 0700 "$OURS" && : >>"$JOURNAL"; } 2>&1); then
    refuse "user $EUID cannot write to $MOUNT ($(stat -c 'owner %u:%g, mode %a' "$MOUNT")): ${said##*: }"
  fi
  sync "$MOUNT" "$OURS"
  exec {lock}>>"$OURS/lock" # held by every child too: as long as a server of ours lives, nobody else gets in
  flock -n -E 99 "$lock" || status=$?
  if ((status == 99)); then STATE=locked; give_up refused "$EXIT_LOCKED" "another instance is at work on this volume"; fi
  if ((status != 0)); then refuse "this volume cannot be locked (flock: $status)"; fi
  LOCKED=yes
  rm -f -- "$PROBE" # a kill may have left it
}

# Everything that can be known without changing anything.
check_old() {
  local name file directory
  for name in SUPERUSER ENCODING LC_COLLATE_VALUE LC_CTYPE_VALUE; do
    if [[ -z ${!name:-} ]]; then refuse "$name is not set"; fi
  done
  if [[ -e $MOVED ]]; then refuse "$(beside_old)"; fi
  file=$(find "$DATA" ! -user "$EUID" -printf '%U %p' -quit)
  if [[ -n $file ]]; then refuse "not owned by user $EUID: $(quoted "${file#* }") (${file%% *}) (a run as another user may have left it; change its owner with chown -R $EUID:$(id -g) $DATA)"; fi
  if [[ -e $LOGS && ! -O $LOGS ]]; then refuse "$LOGS is not owned by user $EUID: remove it, or change its owner with chown"; fi
  for name in standby.signal recovery.signal recovery.conf backup_label tablespace_map; do
    if [[ -e $DATA/$name ]]; then refuse "$DATA/$name: this is a standby, or a backup that was not completely restored"; fi
  done
  if ! is_empty "$DATA/pg_twophase"; then refuse "prepared transactions: COMMIT PREPARED or ROLLBACK PREPARED them in PostgreSQL $FROM first"; fi
  if [[ ! -d $DATA/pg_wal/ ]] || ! in_volume "$DATA/pg_wal"; then refuse "$DATA/pg_wal -> $(quoted "$(readlink "$DATA/pg_wal")"): not mounted here"; fi
  case $(old_control 'Database cluster state') in
    *recovery*) if [[ $(old_control 'Database cluster state') != 'in crash recovery' ]]; then refuse "this is a standby: upgrade the primary"; fi ;;
    '') refuse "$DATA/global/pg_control is not readable" ;;
  esac
  if is_running "$DATA"; then refuse "a server is running on $DATA"; fi
  if [[ -n ${STOPPED:-} && $(old_control 'Database cluster state') != 'shut down' ]]; then
    refuse "PostgreSQL $FROM was seen to end cleanly, and its cluster is '$(old_control 'Database cluster state')': somebody has started it since"
  fi
  if [[ -n $(find "$DATA/pg_tblspc" -mindepth 1 -maxdepth 1 -type l -lname $'*\n*' -print -quit) ]]; then refuse "a tablespace's path has a line end, which the Job's lists can't hold"; fi
  while IFS= read -r directory; do check_tablespace "$directory"; done < <(tablespaces)
  choose_transfer
  check_space
}

old_control() { control_field "$FROM" "$DATA" "$1"; }
tablespaces() { find "$DATA/pg_tblspc" -mindepth 1 -maxdepth 1 -type l -exec readlink -- {} ';'; }

check_tablespace() { # DIRECTORY
  if [[ $1 == *[[:cntrl:]]* || ! -d $1 ]] || ! in_volume "$1"; then refuse "tablespace $(quoted "$1") is not mounted here"; fi
  if [[ $(readlink -f "$1")/ == "$(readlink -f "$DATA")"/* ]]; then refuse "tablespace $1 is inside the data directory: move its tables with ALTER ... SET TABLESPACE first"; fi
  if compgen -G "$1/PG_${TO}_*" >/dev/null; then refuse "tablespace $1 holds $(compgen -G "$1/PG_${TO}_*"): not of this upgrade"; fi
}

# Sets MODE, by a trial with a file of a table: what the directory can do, its files may not (nodatacow of btrfs).
choose_transfer() {
  local old=$DATA file
  if [[ ! -e $old ]]; then old=$KEPT; fi # between the two renames
  file=$(find "$old/base" -type f -size +0 -name '[0-9]*' -print -quit)
  case $TRANSFER in
    auto) if can clone "$file"; then MODE=clone; elif can link "$file"; then MODE="link"; else MODE=copy; fi ;;
    copy) MODE=copy ;;
    *)
      if ! can "$TRANSFER" "$file"; then refuse "transfer mode $TRANSFER does not work on this volume ($(stat -f -c %T "$file")): $(<"$WORK/probe"); set \"transfer\" to another mode, or to auto"; fi
      MODE=$TRANSFER
      ;;
  esac
  if [[ $MODE != copy ]]; then OPTION=--$MODE; fi # to copy is what 14 does without an option
  log "    transfer mode: $MODE"
}

can() { # clone|link FILE
  local status=0 command=(ln)
  if [[ $1 == clone ]]; then command=(cp --reflink=always --remove-destination); fi
  "${command[@]}" -- "$2" "$PROBE" 2>"$WORK/probe" || status=1
  rm -f -- "$PROBE"
  if grep -qE "$NO_ROOM" "$WORK/probe"; then refuse "no file can be written to try the transfer modes: $(<"$WORK/probe")"; fi
  return "$status"
}

check_space() { # in KiB
  local databases room needed inodes free free_inodes
  databases=$(find "$DATA/base" -mindepth 1 -maxdepth 1 -name '[0-9]*' | wc -l)
  room=$(room "$databases")
  read -r needed inodes < <(awk -v "mode=$MODE" '$1 == mode {print $2, $3}' <<<"$room")
  free=$(available -k) free_inodes=$(available -i)
  log "    $databases databases: the new catalogs take about $(($(awk '$1 == "catalogs" {print $2}' <<<"$room") / 1024)) MiB; $(($(awk '$1 == "data" {print $2}' <<<"$room") / 1024)) MiB of data; $((free / 1024)) MiB are free"
  if ((free < needed)); then refuse "not enough space for transfer mode $MODE: about $((needed / 1024)) MiB are needed, $((free / 1024)) MiB are free$(advice)"; fi
  if [[ $free_inodes != unlimited ]] && ((free_inodes < inodes)); then
    refuse "not enough inodes for transfer mode $MODE: about $inodes are needed, $free_inodes are free$(advice)"
  fi
}

advice() {
  if [[ $TRANSFER == auto && $MODE == copy ]]; then printf '; the volume can make neither reflinks nor hard links, so pg_upgrade must copy all data'; fi
}

room() { # DATABASES: what room.awk says
  local directory segment status
  segment=$(old_control 'Bytes per WAL segment')
  status=$(du -sk "$DATA/pg_xact" "$DATA/pg_multixact" | awk '{sum += $1} END {print sum}')
  { printf '%s\n' "$DATA/base"; tablespaces; } | while IFS= read -r directory; do
    find "$directory/" -path "*/PG_${TO}_*" -prune -o -type f -name '[0-9]*' -printf '%f %k %s\n'
  done | awk -v "databases=$1" -v "segment=$segment" -v "status=$status" -f "$here/room.awk"
}

available() { # -k|-i; no number of inodes in all: the file system has no limit
  df -P "$1" "$PARENT" | awk -v what="$1" 'NR == 2 {print (what == "-i" && $2 + 0 == 0 ? "unlimited" : $4)}'
}

# -------------------------------------------------------------------------------------------------------------------------------- the steps

prepare_old() {
  local state started
  step 2 '' "Preparing the PostgreSQL $FROM cluster"
  check_old
  archive_logs
  tablespaces >"$TABLESPACES"
  sync "$TABLESPACES" "$OURS"
  reserve_room
  chmod 0700 "$DATA" # the kubelet's fsGroup pass adds what a server refuses to start with
  state=$(old_control 'Database cluster state')
  remove_stale_pid
  set_auto_conf_aside
  if [[ $state == 'shut down' ]]; then return; fi
  log "    not shut down cleanly ($state): starting and stopping PostgreSQL $FROM"
  started=$(now)
  start_old
  stop_old
  SPENT[recover]=$(($(now) - started))
  RECOVERED=true
}

make_new() {
  local checksums=() segment
  step 3 initdb 'Initialising the new cluster'
  if [[ $(old_control 'Data page checksum version') != 0 ]]; then checksums=(--data-checksums); fi
  segment=$(($(old_control 'Bytes per WAL segment') / 1024 / 1024))
  journal initdb "$NEW"
  mkdir -m 0700 "$NEW" # fails if someone else made it since
  claim_new
  run initdb initdb.log "$NEW_BIN/initdb" -D "$NEW" -U "$SUPERUSER" -E "$ENCODING" --lc-collate "$LC_COLLATE_VALUE" \
    --lc-ctype "$LC_CTYPE_VALUE" "${checksums[@]}" --wal-segsize "$segment" -A trust -N ||
    fail "initdb failed: $(first_line 'error:|FATAL|could not' "$SAID/initdb.log")"
  recreate_postgres
  translate_configuration "$segment"
}

# pg_upgrade wants the databases that both clusters have to be of one locale, and initdb gives all of them template1's.
recreate_postgres() {
  local wanted="${POSTGRES_ENCODING:-} ${POSTGRES_LC_COLLATE:-} ${POSTGRES_LC_CTYPE:-}"
  if [[ $wanted == '  ' || $wanted == "$ENCODING $LC_COLLATE_VALUE $LC_CTYPE_VALUE" ]]; then return; fi
  log "    database postgres: $wanted"
  printf '%s\n' 'DROP DATABASE postgres' \
    "CREATE DATABASE postgres TEMPLATE template0 ENCODING $(literal "$POSTGRES_ENCODING") LC_COLLATE $(literal "$POSTGRES_LC_COLLATE") LC_CTYPE $(literal "$POSTGRES_LC_CTYPE")" |
    "$NEW_BIN/postgres" --single -D "$NEW" -c exit_on_error=true template1 >>"$SAID/initdb.log" 2>&1 ||
    fail "cannot re-create database postgres: $(first_line 'ERROR|FATAL' "$SAID/initdb.log")"
}

literal() { printf "'%s'" "${1//\'/\'\'}"; }

# No pg_upgrade --check before it: the run makes every check itself, and dumps and restores, before it takes the old cluster's pg_control away or
# transfers a file (main() of pg_upgrade.c). A --check would start each server once more in the downtime.
run_upgrade() {
  local output=$SAID/pg_upgrade.out programs
  step 4 upgrade "pg_upgrade${OPTION:+ $OPTION}"
  configure_old
  programs=$(programs_that_leave_the_flush)
  journal pg_upgrade "$MODE"
  cd "$LOGS" # where it writes its logs
  run pg_upgrade "${output##*/}" "$NEW_BIN/pg_upgrade" --old-bindir "$OLD_BIN" --new-bindir "$programs" --old-datadir "$WORK/old" --new-datadir "$NEW" \
    --username "$SUPERUSER" --socketdir "$WORK/socket" --jobs "$JOBS" ${OPTION:+"$OPTION"} --retain \
    --old-options "${OLD_OPTIONS:-}" --new-options "-c max_locks_per_transaction=$LOCKS" || fail "$(root_cause_line "$output")"
  cd /tmp
  grep '^[^ ].* ok$' "$output" | sed 's/^/    /' || true
}

# Prints a directory for pg_upgrade. Its last step but one is `initdb --sync-only`, and --no-sync came with PostgreSQL 15. That flush does not count, see seal_new, and
# costs as much as the one that does: an fsync for each file. So initdb leaves just that out there; all else in it is a link to the image's own.
programs_that_leave_the_flush() {
  local bin=$WORK/bin
  # shellcheck disable=SC2016 # for the script that it writes
  if {
    mkdir "$bin" && ln -s -t "$bin" -- "$NEW_BIN"/* && rm -- "$bin/initdb" &&
      printf '#!/bin/bash\nif [[ $1 != --sync-only ]]; then exec %q "$@"; fi\n' "$NEW_BIN/initdb" >"$bin/initdb" &&
      chmod 0700 "$bin/initdb" && "$bin/initdb" --version
  } >/dev/null 2>&1; then printf %s "$bin"; else printf %s "$NEW_BIN"; fi # programs in /tmp may be forbidden (noexec)
}

# After its flush pg_upgrade starts the new server once more, with fsync off: a node that dies later could lose that. So everything is flushed
# here, before the marker says that the new cluster is complete. From then on nothing starts the old server: its settings go back.
seal_new() {
  local facts
  step 5 sync 'Making the new cluster durable'
  rm -f -- "$NEW"/{postgresql,pg_hba,pg_ident,postgresql.auto}.conf
  cp -R -- "$WORK/new/." "$NEW/"
  facts=$(control_facts "$TO" "$NEW")
  if [[ $facts != 'shut down|'* ]]; then fail "pg_upgrade left the new cluster in the state: $facts"; fi
  flush_new
  put_auto_conf_back
  journal complete "$facts"
  printf '%s\n' "run=$RUN_ID" "transfer=$MODE" "old_control=$(control_sum "$DATA")" "control=$facts" >"$OURS/marker"
  sync "$OURS/marker"
  mv -- "$OURS/marker" "$NEW/$MARKER"
  sync "$NEW" "$PARENT" "$OURS"
}

# initdb makes an fsync for each file: a flush of the disk each, also for what is on the disk already. One syncfs does it for all of them, where it can be relied on.
flush_new() {
  if syncfs_tells_errors; then
    log '    flushing the whole volume at once'
    run 'Flushing the volume' sync.log sync -f "$NEW" || fail "cannot flush the volume: $(tail -n 1 "$SAID/sync.log")"
  else
    log '    flushing each file'
    run 'Flushing files' sync.log "$NEW_BIN/initdb" --sync-only -D "$NEW" || fail "cannot flush $NEW"
  fi
}

# Linux tells since 5.8 what syncfs could not write (syncfs(2)). These file systems keep no data back from it, and all that is new is on this one.
syncfs_tells_errors() {
  local major minor directory
  IFS=. read -r major minor < <(uname -r)
  minor=${minor%%[!0-9]*}
  if [[ ! $major =~ ^[0-9]+$ || -z $minor ]] || ((major < 5 || (major == 5 && minor < 8))); then return 1; fi
  case $(stat -f -c %T "$NEW") in ext2/ext3 | xfs | btrfs) ;; *) return 1 ;; esac
  while IFS= read -r directory; do
    if [[ $(mount_of "$directory") != "$(mount_of "$NEW")" ]]; then return 1; fi
  done < <(tablespaces)
}

swap() {
  step 6 '' 'Writing a safe delete_old_cluster.sh'
  if [[ ! -e $KEPT ]]; then write_delete_script; fi
  step 7 swap 'Replacing the old cluster by the new one'
  if [[ ! -e $KEPT ]]; then rename "$DATA" "$KEPT"; fi
  rename "$NEW" "$DATA"
  free_room # until here the way back may need it
}

# The one that pg_upgrade writes names the directory where the old cluster was: there the new one will be. So this is done before the swap.
write_delete_script() {
  local script=$LOGS/delete_old_cluster.sh files
  close_logs
  files=$(tablespaces | while IFS= read -r directory; do printf ' %q/PG_%s_*' "$directory" "$FROM"; done)
  cat >"$WORK/delete_old_cluster.sh" <<SCRIPT
#!/bin/bash
# Removes the PostgreSQL $FROM cluster which the upgrade kept, and nothing else.
set -eu
stop() { echo "Nothing removed: \$1." >&2; exit 1; }
[[ \$(cat $DATA/PG_VERSION) == $TO && -f $DATA/$MARKER ]] || stop "$DATA is not the upgraded PostgreSQL $TO"
[[ -d $KEPT ]] || stop "$KEPT is not there"
[[ \$(cksum <$KEPT/global/$(control_file_of "$DATA")) == '$(control_sum "$DATA")' ]] || stop "$KEPT is not the cluster which was upgraded"
rm -rf -- $KEPT$files
echo "Removed $KEPT."
SCRIPT
  put "$WORK/delete_old_cluster.sh" "$script.new"
  chmod 0700 "$script.new"
  sync "$script.new"
  mv -T -- "$script.new" "$script"
  sync "$LOGS"
}

verify() {
  step 8 '' 'Checking the result'
  look
  if [[ $STATE != swapped ]]; then fail "the state of the volume after the upgrade is $STATE: ${WHY:-$FOUND}"; fi
  end_step
}

# ---------------------------------------------------------------------------------------------------------------------------------- the end

interrupt() {
  HURRY=yes
  fail "ended by a signal"
}

# Every end comes through here, also that of a command which failed unexpectedly.
conclude() { # STATUS
  local status=$1 went=0
  trap - ERR EXIT
  trap '' TERM INT HUP
  set +e
  if [[ -z $OUTCOME ]]; then LAST_ERROR=${LAST_ERROR:-unexpected end}; finish failed "$LAST_ERROR$(room_left "$LAST_ERROR")"; status=$EXIT_FAILED; fi
  if [[ $OUTCOME == failed && $LOCKED == no ]]; then OUTCOME=refused status=$EXIT_REFUSED; fi # what is on the volume may be another's work
  stop_running
  end_step
  if [[ $COMMAND == upgrade && $OUTCOME == failed ]]; then
    (set -e; go_back; exit 0)
    went=$?
    look
    if [[ $STATE == fresh ]]; then REVERTED=true; log "    $DATA is PostgreSQL $FROM again"; fi
  fi
  if [[ $OUTCOME == failed && $STATE == unknown ]]; then
    status=$EXIT_UNKNOWN MESSAGE+="; $WHY"
  elif [[ $OUTCOME == failed ]] && { ((went != 0)) || [[ $COMMAND == revert || $COMMAND == rollback ]]; }; then
    status=$EXIT_STUCK MESSAGE+="; the Job could not restore PostgreSQL $FROM, the state of the volume is $STATE"
  fi
  SPENT[total]=$(($(now) - STARTED))
  if [[ $COMMAND == status ]]; then result; fi
  result >"$RESULT_FILE"
  if [[ -n $WORK ]]; then
    leave_logs "$status"
    rm -rf -- "$WORK"
  fi
  exit "$status"
}

main

# shellcheck shell=bash
# What is on the volume, and the small durable moves which change it, back to the old cluster included.

# The server's user may write anything here, and so may whoever has a way to that user (COPY TO PROGRAM). So what is read has a grammar, only
# plain files are read (nobody would ever write into a pipe), and nothing that is ours is a link. Members of the volume's group may write beside the data
# directory too, since the kubelet's fsGroup pass opens all that is there to them: $OURS and $LOGS are closed to them again before anything is written.

# Sets WHY where a name of ours leads elsewhere, or a file of ours has other names: then nothing is read or written there.
look_for_links() {
  local path
  for path in "$DATA" "$NEW" "$KEPT" "$MOVED" "$OURS" "$LOGS"; do
    if [[ -L $path || (-e $path && ! -d $path) ]]; then WHY="$path is not a directory, or a link to one: move it away"; return; fi
  done
  if [[ -e $OURS && ! -O $OURS ]]; then WHY="$OURS belongs to UID $(stat -c %u "$OURS") and not to user $EUID: move it away, or change its owner with chown"; return; fi
  for path in "$JOURNAL" "$OURS/lock" "$OURS/marker" "$CLAIM" "$TABLESPACES" "$RESERVE" "$PROBE" "$AUTO_CONF" "$UNPROVEN" "$DATA/$MARKER" "$NEW/$MARKER"; do
    if [[ -L $path || (-e $path && ! -f $path) ]]; then WHY="$path is not a plain file: remove it"; return; fi
  done
  for path in "$JOURNAL" "$OURS/lock" "$OURS/marker" "$CLAIM" "$TABLESPACES" "$RESERVE" "$UNPROVEN"; do # $PROBE is one of a table for a moment
    if [[ -e $path && $(stat -c %h "$path") != 1 ]]; then
      WHY="$path has other names, so that to write into it could change another file. Give it content of its own: cp -p $path $path.new && mv $path.new $path"
      return
    fi
  done
}

# A copy in the place of whatever has that name: never through a link, nor into a file which has other names. A directory stays, and that is an error.
put() { cp --remove-destination -T -- "$1" "$2"; } # FILE TARGET

close_logs() { # to all but the server's user, before anything is written there
  mkdir -p "$LOGS"
  if [[ ! -O $LOGS ]]; then fail "$LOGS is not owned by user $EUID: remove it, or change its owner with chown"; fi
  chmod 0700 "$LOGS"
}

version_of() {
  local version=
  if [[ -f $1/PG_VERSION && -r $1/PG_VERSION ]]; then
    IFS= read -r -n 16 version <"$1/PG_VERSION" || true
    if [[ $version =~ ^[0-9]{1,2}(\.[0-9]{1,2})?$ ]]; then printf %s "$version"; else printf none; fi
  elif [[ -e $1 || -L $1 ]]; then printf none; else printf absent; fi
}

in_volume() { [[ $(readlink -f -- "$1")/ == "$(readlink -f -- "$MOUNT")"/* ]]; } # PATH: wherever its links lead

control_field() { # VERSION DIRECTORY NAME
  local bin=$OLD_BIN output
  if [[ $1 == "$TO" ]]; then bin=$NEW_BIN; fi
  output=$("$bin/pg_controldata" -D "$2") || return 1
  sed -n "s/^$3: *//p" <<<"$output"
}

control_facts() { # VERSION DIRECTORY: what changes whenever a server runs on the directory
  local state checkpoint modified
  state=$(control_field "$1" "$2" 'Database cluster state') || return 1
  checkpoint=$(control_field "$1" "$2" 'Latest checkpoint location') || return 1
  modified=$(control_field "$1" "$2" 'pg_control last modified') || return 1
  printf '%s|%s|%s' "$state" "$checkpoint" "$modified"
}

control_file_of() { # pg_upgrade --link renames the old cluster's, so that no server starts on files which it shares
  local name
  for name in pg_control pg_control.old; do
    if [[ -f $1/global/$name ]]; then printf %s "$name"; return; fi
  done
  printf none
}

control_sum() { cksum 2>/dev/null <"$1/global/$(control_file_of "$1")" || printf none; } # which cluster this is, and when it last ran

complete() { [[ -f $1/$MARKER && $(version_of "$1") == "$TO" ]]; }

marker_value() { # KEY [DEFAULT]: from the new cluster's marker, wherever that cluster is
  local directory
  for directory in "$DATA" "$NEW"; do
    if [[ -f $directory/$MARKER ]]; then head -c 4096 "$directory/$MARKER" | sed -n "s/^$1=//p" | sed -n '1{s/[^[:print:]]/ /g;p}' | head -c 300; return; fi
  done
  printf %s "${2:-}"
}

identity() { stat -c '%i %W' "$1"; }
claimed() { [[ -f $CLAIM && $(head -c 100 "$CLAIM") == "$(identity "$NEW")" ]]; }
is_empty() { [[ -d $1 && -z $(ls -A "$1") ]]; }

look() { # sets STATE; FOUND for the reader; WHY when the state is unknown
  local data new kept old_is_kept=no
  data=$(version_of "$DATA") new=$(version_of "$NEW") kept=$(version_of "$KEPT")
  if [[ $kept == "$FROM" && $(control_sum "$KEPT") == "$(marker_value old_control)" ]]; then old_is_kept=yes; fi
  FOUND="${DATA##*/}: $data, $(control_file_of "$DATA"); ${NEW##*/}: $new; ${KEPT##*/}: $kept; entries (owners): "
  FOUND+=$(cd "$PARENT" && stat -c '%n (%u)' -- * 2>/dev/null | tr '\n' ' ') || true
  STATE=unknown WHY=
  look_for_links
  if [[ -n $WHY ]]; then return; fi
  if complete "$DATA"; then
    STATE=served
    if [[ $old_is_kept == yes && $(control_facts "$TO" "$DATA") == "$(marker_value control)" ]]; then STATE=swapped; fi
  elif complete "$NEW" && [[ $old_is_kept == yes ]]; then
    if [[ $data == absent ]]; then
      STATE=half-swapped
    else
      WHY="somebody created $DATA while the Job was replacing it; $KEPT is the old cluster and $NEW the new one, both whole: move $DATA away, then run again"
    fi
  elif [[ $data != "$FROM" ]]; then
    look_at_foreign
  elif [[ $kept != absent ]]; then
    WHY=$(beside_old)
  elif [[ $new != absent ]] && ! { complete "$NEW" || claimed || is_empty "$NEW"; }; then
    WHY="$NEW was not made by this upgrade: $(what_of_new)"
  elif complete "$NEW" && [[ $(control_sum "$DATA") == "$(marker_value old_control)" ]]; then
    STATE=upgraded
  elif [[ $(control_file_of "$DATA") == none ]]; then
    WHY="$DATA/global/pg_control is missing"
  elif [[ $(control_file_of "$DATA") == pg_control.old && -f $CLAIM ]]; then
    STATE=linking
  elif [[ $(control_file_of "$DATA") == pg_control.old ]]; then
    WHY="$DATA/global has only pg_control.old: another pg_upgrade --link left it. $(way_back_from_link "$DATA")"
  elif [[ $new != absent || -e $CLAIM || -e $AUTO_CONF || -e $TABLESPACES || -e $UNPROVEN ]]; then
    STATE=leftover
  else
    STATE=fresh
  fi
}

# mv -T -n neither nests a directory in another nor replaces one, but may say success when it did nothing: so look at what it did.
rename() { # SOURCE TARGET
  local id said
  id=$(stat -c %i "$1")
  journal rename "$1 -> $2"
  said=$(mv -T -n -- "$1" "$2" 2>&1) || true
  if [[ -e $1 && -e $2 ]]; then fail "cannot rename $1: somebody created $2"; fi
  if [[ $(stat -c %i "$2") != "$id" ]]; then fail "cannot rename $1 to $2: $said"; fi
  sync "${1%/*}" "${2%/*}"
}

claim_new() { # by inode and not by name: what someone else made in its place must never be removed
  identity "$NEW" >"$CLAIM"
  sync "$CLAIM" "$OURS"
}

set_auto_conf_aside() { # every server reads it, wherever its configuration is, and it may name libraries which this image lacks
  if [[ -e $DATA/postgresql.auto.conf && ! -e $AUTO_CONF ]]; then rename "$DATA/postgresql.auto.conf" "$AUTO_CONF"; fi
}

put_auto_conf_back() {
  local target=$DATA/postgresql.auto.conf
  if [[ ! -e $AUTO_CONF ]]; then return; fi
  if [[ -e $target ]]; then target=$OURS/postgresql.auto.conf.$(now); fi # someone ran ALTER SYSTEM since: theirs is newer
  rename "$AUTO_CONF" "$target"
}

# ------------------------------------------------------------------------------------------------------------------ back to the old cluster

# Where a quota of btrfs is used up, even a rename is refused; a removal never is.
reserve_room() {
  head -c 4M /dev/urandom >"$RESERVE" || fail "no room for $RESERVE" # nothing that could be compressed
  sync "$RESERVE" "$OURS"
}

free_room() {
  rm -f -- "$RESERVE"
  sync "$OURS"
}

# One move at a time, from whatever state: each leaves a state from which this function, run again, goes on.
go_back() {
  local before
  GOING_BACK=yes
  look
  if [[ $STATE != fresh && $STATE != unknown ]]; then free_room; fi
  while [[ $STATE != fresh ]]; do
    log "    restoring PostgreSQL $FROM, from state: $STATE"
    before=$STATE
    case $STATE in
      moved) adopt ;;
      swapped) rename "$DATA" "$NEW" ;;
      half-swapped) rename "$KEPT" "$DATA" ;;
      upgraded | linking) unlink_old ;;
      leftover) clear_leftovers ;;
      served)
        if ! may_give_up_served; then give_up served "$EXIT_SERVED" "$(why_served)"; fi
        rename "$DATA" "$NEW"
        ;;
      *) give_up refused "$EXIT_UNKNOWN" "$WHY" ;;
    esac
    REVERTED=true
    look
    if [[ $STATE == "$before" ]]; then fail "restoring PostgreSQL $FROM from state $STATE changed nothing: $FOUND"; fi
  done
  if [[ $REVERTED == true ]]; then journal back "$(control_facts "$FROM" "$DATA")"; fi
  GOING_BACK=no
}

# Once it is renamed, the state is half-swapped, from which every way back goes on.
may_give_up_served() {
  [[ $COMMAND == rollback && $(marker_value transfer) =~ ^(clone|copy)$ && $(control_sum "$KEPT") == "$(marker_value old_control)" ]] && ! shares_files
}

# Whatever the marker says: linked files have a second name.
shares_files() { [[ -n $(find "$KEPT/base" -type f -name '[0-9]*' -links +1 -print -quit) ]]; }

why_served() {
  if [[ $(control_sum "$KEPT") != "$(marker_value old_control)" ]]; then
    printf '%s is missing or has changed: only the backup restores PostgreSQL %s' "$KEPT" "$FROM"
  elif [[ $(marker_value transfer) == link ]] || shares_files; then
    printf 'PostgreSQL %s was started on the files which both clusters share: only the backup restores PostgreSQL %s' "$TO" "$FROM"
  else # cloned or copied
    printf 'PostgreSQL %s was started, and what it wrote since is in %s alone: %s and the backup have PostgreSQL %s as it was before' "$TO" "$DATA" "$KEPT" "$FROM"
  fi
}

unlink_old() { # the marker goes first: without it the new cluster is but something to remove
  rm -f -- "$LOGS/delete_old_cluster.sh" # as pg_upgrade writes it, it removes the old cluster without a question
  if complete "$NEW"; then
    claimed || claim_new
    journal unmark "$NEW"
    rm -- "$NEW/$MARKER"
    sync "$NEW"
  fi
  if [[ $(control_file_of "$DATA") == pg_control.old ]]; then
    : >"$UNPROVEN" || log "    no room to note that PostgreSQL $FROM must be started once"
    rename "$DATA/global/pg_control.old" "$DATA/global/pg_control"
  fi
}

# Once pg_upgrade began to link, a start of the old server is the proof that it is whole. Before that nothing of it was touched, and a start
# would only write into a directory which its pg_control already calls clean. After a SIGTERM there is no time for it.
clear_leftovers() {
  remove_new
  remove_stale_pid
  if [[ -e $UNPROVEN && $HURRY == no ]]; then
    set_auto_conf_aside
    start_old
    stop_old
  fi
  put_auto_conf_back
  rm -f -- "$LOGS/delete_old_cluster.sh" "$OURS/marker" "$UNPROVEN" "$TABLESPACES" "$CLAIM"
  sync "$OURS"
}

remove_new() {
  local directory
  if [[ -e $NEW ]]; then
    journal remove "$NEW"
    rm -rf -- "$NEW"
    sync "$PARENT"
  fi
  if [[ ! -f $TABLESPACES ]]; then return; fi
  while IFS= read -r directory; do
    if ! is_tablespace "$directory"; then log "    left $(quoted "$directory") alone: it is no tablespace of $DATA"; continue; fi
    journal remove "$directory/PG_${TO}_*"
    rm -rf -- "$directory/PG_${TO}_"*
    sync "$directory"
  done <"$TABLESPACES"
}

is_tablespace() { in_volume "$1" && tablespaces | grep -qxF -- "$1"; } # DIRECTORY: as the old cluster has it

# ---------------------------------------------------------------------------------------------------------- the new cluster's configuration

# The new cluster gets the configuration files that the old one has in its directory (usually ALTER SYSTEM's and pg_ident.conf alone), so far
# as the new version knows the settings. What initdb wrote goes: its pg_hba.conf lets everyone in. Whether the new server takes the result is
# asked now and not at its first start.
translate_configuration() { # MEGABYTES PER WAL SEGMENT
  local name source
  mkdir "$WORK/new"
  for name in postgresql.conf pg_hba.conf pg_ident.conf postgresql.auto.conf; do
    source=$DATA/$name
    if [[ $name == postgresql.auto.conf ]]; then source=$AUTO_CONF; fi
    if [[ ! -f $source ]]; then continue; fi
    if [[ $name != postgresql*.conf ]]; then cp -- "$source" "$WORK/new/$name"; continue; fi
    translate_settings "$1" <"$source" >"$WORK/new/$name"
    "$NEW_BIN/postgres" -D "$NEW" -c config_file="$WORK/new/$name" -C data_directory >/dev/null 2>"$WORK/refused" ||
      { redact <"$WORK/refused" | head -c "$LONGEST_END" || true; fail "PostgreSQL $TO does not take $name: $(head -n 1 "$WORK/refused" | redact)"; }
  done
}

translate_settings() { # MEGABYTES PER WAL SEGMENT
  local line name value
  while IFS= read -r line || [[ -n $line ]]; do
    name='' value=''
    if [[ $line =~ ^[[:space:]]*([A-Za-z0-9_.]+)[[:space:]=]+\'?([^\'#[:space:]]*) ]]; then name=${BASH_REMATCH[1],,} value=${BASH_REMATCH[2],,}; fi
    case $name=$value in
      wal_keep_segments=+([0-9])) printf "wal_keep_size = '%dMB'\n" $((10#$value * $1)) ;;
      operator_precedence_warning=* | vacuum_cleanup_index_scale_factor=*) ;;
      password_encryption=on | password_encryption=true | password_encryption=yes | password_encryption=1) printf "password_encryption = 'md5'\n" ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
}

# ------------------------------------------------------------------------------------------------------------------------- the old server

is_running() { # DIRECTORY: in this container; a postmaster's working directory is its data directory
  local pid
  if [[ ! -f $1/postmaster.pid ]]; then return 1; fi
  IFS= read -r -n 16 pid <"$1/postmaster.pid" || true
  if [[ ! $pid =~ ^[0-9]{1,10}$ ]]; then return 1; fi
  [[ $(readlink "/proc/$pid/cwd" 2>/dev/null) == "$(readlink -f "$1")" ]]
}

remove_stale_pid() { # of a server in another container: here its number may be someone else's, even our own
  if [[ ! -e $DATA/postmaster.pid ]]; then return; fi
  if is_running "$DATA"; then fail "a server is running on $DATA"; fi
  journal remove "$DATA/postmaster.pid"
  rm -- "$DATA/postmaster.pid"
}

# A directory with nothing but configuration, which names the data directory: so nothing of ours is written into that one. Settings which must
# fit the cluster come from its pg_control: with others the server refuses to start when it finds slots or prepared transactions. The slots'
# limit holds for the origins of subscriptions, too. No subscription connects, not even in binary upgrade (PostgreSQL 12 starts their launcher then, too):
# on a copy it would take its slot, and what is published, from the server.
configure_old() {
  local slots
  slots=$(find "$DATA/pg_replslot" -mindepth 1 -maxdepth 1 | wc -l)
  STARTED_SERVERS=yes # or nearly
  mkdir -p "$WORK/old" "$WORK/socket"
  printf 'local all all trust\n' >"$WORK/old/pg_hba.conf"
  : >"$WORK/old/pg_ident.conf"
  cat >"$WORK/old/postgresql.conf" <<CONF
data_directory = '$DATA'
hba_file = '$WORK/old/pg_hba.conf'
ident_file = '$WORK/old/pg_ident.conf'
listen_addresses = ''
unix_socket_directories = '$WORK/socket'
shared_preload_libraries = ''
archive_mode = off
ssl = off
logging_collector = off
max_locks_per_transaction = $LOCKS
max_replication_slots = $((slots + 1000))
max_prepared_transactions = $(control_field "$FROM" "$DATA" 'max_prepared_xacts setting')
max_logical_replication_workers = 0
max_wal_senders = $(control_field "$FROM" "$DATA" 'max_wal_senders setting')
wal_level = $(control_field "$FROM" "$DATA" 'wal_level setting')
CONF
}

start_old() {
  local output=$SAID/start-$FROM.log
  configure_old
  journal start "$DATA"
  if ! run "PostgreSQL $FROM is starting" "start-$FROM.log" "$OLD_BIN/pg_ctl" -w -D "$WORK/old" -l "$output" -o "${OLD_OPTIONS:-}" start; then
    redact <"$output" | tail -n 40 | tail -c "$LONGEST_END" || true
    fail "PostgreSQL $FROM does not start on $DATA: $(grep -E 'FATAL|PANIC' "$output" | tail -n 1 | redact)"
  fi
}

stop_old() { run "PostgreSQL $FROM is stopping" "start-$FROM.log" "$OLD_BIN/pg_ctl" -w -m fast -D "$WORK/old" stop; }

stop_running() { # what an ended run leaves in this container: first pg_upgrade with all its helpers, then the servers which it started
  local group=$RUNNING tries=0
  RUNNING=
  stop_heartbeat
  if [[ -n $group ]]; then
    kill -KILL -- "-$group" 2>/dev/null || true
    wait "$group" 2>/dev/null || true
    while kill -0 -- "-$group" 2>/dev/null && ((tries++ < 50)); do sleep 0.1; done
  fi
  if [[ $STARTED_SERVERS == no ]]; then return; fi # a server which is not ours is left alone
  if is_running "$NEW"; then "$NEW_BIN/pg_ctl" -s -w -m immediate -D "$NEW" stop || true; fi
  if is_running "$DATA"; then "$OLD_BIN/pg_ctl" -s -w -m fast -D "$DATA" stop || true; fi
}

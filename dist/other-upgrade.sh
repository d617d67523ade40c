# shellcheck shell=bash
# What another upgrade left on the volume. The vendor's script renames data to data-12 before it begins, and does not undo that when it
# fails; then data is absent, and the server's image creates an empty cluster instead. Each answer says what was found and the commands, for
# a person who is root. One state only is taken over: the old cluster under another name, whole, and ours to rename.
# Decision: docs/decisions/0003-other-upgrade.md

readonly MOVED=$DATA-$FROM             # where the documented way has the old cluster until it succeeds; then in KEPT, as we do
readonly LINKED=global/pg_control.old  # pg_upgrade --link renames it: since then both clusters share their files
readonly BY_HAND='As root, in a pod which mounts the volume while no server runs: '

# For a volume where the data directory is not the old cluster. Sets WHY, or STATE when the old cluster can be taken over.
look_at_foreign() {
  local old=$MOVED data
  data=$(version_of "$DATA")
  if [[ ! -e $MOVED ]]; then old=$KEPT; fi
  if [[ -e $DATA && ! -O $DATA ]]; then
    WHY="$DATA belongs to UID $(stat -c %u "$DATA") and not to user $EUID: a try as another user left it. ${BY_HAND}chown -R $EUID:$(id -g) $(shell_words "$DATA")"
  elif [[ $data == "$TO" ]]; then
    WHY="$DATA is PostgreSQL $TO already, but not by this upgrade"
  elif [[ ! -e $old ]]; then
    WHY="$DATA holds no PostgreSQL $FROM (PG_VERSION: $data), and not by this upgrade"
  elif [[ -e $MOVED && -e $KEPT ]]; then
    WHY="$DATA holds no PostgreSQL $FROM, and there are two others: $(described "$MOVED"), $(described "$KEPT"). Rename the right one to $DATA"
  elif [[ -n $(stranger_in "$old" "$NEW") ]]; then
    WHY="$(of_failed_try "$old"), but not all of it belongs to user $EUID ($(stranger_in "$old" "$NEW")). ${BY_HAND}chown -R $EUID:$(id -g) $(shell_words "$old" "$NEW"); then run again"
  elif [[ $(version_of "$old") != "$FROM" || $(control_file_of "$old") == none ]]; then
    WHY="$DATA holds no PostgreSQL $FROM, and $(described "$old") is none either: restore the snapshot"
  elif [[ $data != absent ]]; then
    WHY="$(of_failed_try "$old"), and $DATA is in its place without a cluster in it: $(if is_empty "$DATA"; then printf 'rmdir %s' "$(shell_words "$DATA")"; else printf 'move %s away' "$DATA"; fi), then run again"
  elif was_served "$NEW"; then
    WHY="$(of_failed_try "$old"), but a server was started on $(described "$NEW"), and only this directory has what it wrote. To keep it: mv $(shell_words "$NEW" "$DATA")"
  elif [[ ! -f $old/global/pg_control ]]; then
    WHY="$(of_failed_try "$old"), which linked its files into $(described "$NEW"). $(way_back_from_link "$old")"
  elif [[ $old == "$KEPT" ]]; then
    WHY="$(of_failed_try "$old") and $(described "$NEW"). ${BY_HAND}mv $(shell_words "$old" "$DATA") (PostgreSQL $FROM again), or mv $(shell_words "$NEW" "$DATA") if its upgrade had ended well"
  else
    STATE=moved
  fi
}

shell_words() { # WORD... → words for a POSIX shell; plain ones stay plain. A terminal would act on control characters, so such a path is only described.
  local word separator=
  for word; do
    if [[ $word == *[[:cntrl:]]* ]]; then
      word=PATH-WITH-CONTROL-CHARACTERS
    elif [[ ! $word =~ ^[A-Za-z0-9_@%+:,./-]+$ ]]; then
      word="'${word//\'/\'\\\'\'}'"
    fi
    printf '%s%s' "$separator" "$word"
    separator=' '
  done
}

of_failed_try() { printf '%s is absent; another upgrade left PostgreSQL %s in %s' "$DATA" "$FROM" "$1"; }

stranger_in() { # DIRECTORY... → the first path that is not ours; what we can't look into is not ours
  local directory found
  for directory; do
    if [[ ! -e $directory ]]; then continue; fi
    found=$(find "$directory" ! -user "$EUID" -printf '%U %p' -quit 2>/dev/null) || true
    if [[ -n $found ]]; then printf '%s of UID %s' "$(shell_words "${found#* }")" "${found%% *}"; return; fi
  done
}

# pg_upgrade starts servers with -b. Any other start was somebody's: then the new cluster may have what nobody else has.
was_served() { [[ -e $1/postmaster.opts ]] && ! { [[ -f $1/postmaster.opts ]] && head -c 8192 "$1/postmaster.opts" | grep -q -- '"-b"'; }; }

way_back_from_link() { # DIRECTORY: of the old cluster
  if [[ ! -e $NEW ]]; then
    printf 'The new cluster is missing, so it is unknown whether it served clients: restore the snapshot'
    return
  fi
  printf 'The new cluster never served clients, so PostgreSQL %s is whole. %srm -rf %s && mv %s' "$FROM" "$BY_HAND" "$(shell_words "$NEW")" "$(shell_words "$1/$LINKED" "$1/global/pg_control")"
  if [[ $1 != "$DATA" ]]; then printf ' && mv %s' "$(shell_words "$1" "$DATA")"; fi
}

what_of_new() { # beside a data directory of the old version
  if [[ -e $MOVED ]]; then
    beside_old
  elif [[ -n $(stranger_in "$NEW") ]]; then
    printf '%s. It belongs to another user: %schown -R %s:%s %s, then run again' "$(described "$NEW")" "$BY_HAND" "$EUID" "$(id -g)" "$(shell_words "$NEW")"
  elif was_served "$NEW"; then
    printf 'a server was started on it, and only it has what that server wrote: %s, %s. Keep the right one' "$(described "$NEW")" "$(described "$DATA")"
  elif [[ -f $DATA/global/pg_control ]]; then
    printf 'a failed try left it, it never served clients, and PostgreSQL %s is whole in %s. %srm -rf %s' "$FROM" "$DATA" "$BY_HAND" "$(shell_words "$NEW")"
  else
    printf '%s' "$(way_back_from_link "$DATA")"
  fi
}

# For a data directory which is the old version's: what beside it might be the right one. Empty when there is nothing.
beside_old() {
  local other
  for other in "$MOVED" "$KEPT"; do
    if [[ ! -e $other ]]; then continue; fi
    if [[ -e $DATA/${NEW##*/} ]]; then
      printf 'another upgrade moved its new cluster into %s, where another one had appeared: %s, beside %s. Move %s away first' \
        "$DATA" "$(described "$DATA/${NEW##*/}")" "$(described "$other")" "$DATA"
    elif ! has_tables "$DATA" && { [[ ! -r $other ]] || has_tables "$other"; }; then
      printf '%s is an EMPTY cluster, as an image creates it if it finds none, beside the old one: %s, %s. Stop the server. %smv %s && mv %s && chown -R %s:%s %s' \
        "$DATA" "$(described "$DATA")" "$(described "$other")" "$BY_HAND" "$(shell_words "$DATA" "$DATA.empty")" "$(shell_words "$other" "$DATA")" "$EUID" "$(id -g)" "$(shell_words "$DATA")"
      if [[ -f $other/$LINKED ]]; then printf '. Its files were linked into a new cluster: after this run status, before you start any server'; fi
    else
      printf '%s exists beside a PostgreSQL %s: this upgrade did not create it. Keep the right one and move the other away: %s, %s' \
        "$other" "$FROM" "$(described "$DATA")" "$(described "$other")"
    fi
    return
  done
}

described() { # DIRECTORY: as evidence, for who has to choose
  local control
  control=$1/global/$(control_file_of "$1")
  if [[ ! -e $1 ]]; then
    printf '%s (absent)' "${1##*/}"
  elif [[ ! -r $1 || ! -x $1 ]]; then
    printf '%s (of UID %s, not readable)' "${1##*/}" "$(stat -c %u "$1")"
  elif [[ ! -f $control ]]; then
    printf '%s (PG_VERSION: %s, no pg_control)' "${1##*/}" "$(version_of "$1")"
  else
    printf '%s (PostgreSQL %s, %s, %s MiB, last written %s)' "${1##*/}" "$(version_of "$1")" "$(if has_tables "$1"; then printf 'with tables'; else printf empty; fi)" \
      "$(du -sm "$1/base" 2>/dev/null | cut -f1)" "$(date -u -r "$control" +%FT%TZ)"
  fi
}

has_tables() { # DIRECTORY: below 16384 all files are of initdb
  { find "$1/base" "$1"/pg_tblspc/*/ -type f -name '[0-9]*' -printf '%f\n' 2>/dev/null || true; } | awk -F '[._]' '$1 >= 16384 {found = 1} END {exit !found}'
}

adopt() { # the new cluster of that try is kept, since nothing of ours may remove it
  local number=1
  if [[ -e $NEW ]]; then
    while [[ -e $NEW.aside-$number || -L $NEW.aside-$number ]]; do number=$((number + 1)); done
    log "    $NEW of a failed try is set aside as $NEW.aside-$number: remove it when the upgrade is done"
    rename "$NEW" "$NEW.aside-$number"
  fi
  log "    $MOVED is the old cluster, whole: it becomes $DATA again"
  rename "$MOVED" "$DATA"
}

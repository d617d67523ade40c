#!/bin/bash
# copy.sh copy|restore|room
#
# copy: copies all that is on the volume at SOURCE to the volume at COPY, and compares every file. SOURCE is only read, and nothing else may write there.
# restore: the same, where SOURCE is such a copy, which must be as it was made. What is ours stays behind.
# room: tries on the volume at COPY what a copy needs.
# Both run in a Kubernetes Job, as the user who owns the data directory.
# Decision: docs/decisions/0031-cold-copy.md
#
# On the copy, $OWN holds what is ours: `copying` from the first move to the last, then `complete`, and `sums` with the digests (b2sum) of all files.
#
# Exit codes: 0 done; 10 failed; 11 refused. SOURCE is as it was in each case. Any other code: the shell was killed or could not run.
set -Eeuo pipefail
umask 077
export LC_ALL=C TZ=UTC

readonly EXIT_FAILED=10 EXIT_REFUSED=11
readonly COMMAND=${1:-} SOURCE=${SOURCE:-/source} COPY=${COPY:-/copy} RESULT_FILE=${RESULT_FILE:-/dev/termination-log}
readonly HEARTBEAT_SECONDS=${HEARTBEAT_SECONDS:-10} NEEDED_BYTES=${NEEDED_BYTES:-0} TRIAL_BYTES=${TRIAL_BYTES:-0} RUN_ID=${RUN_ID:-unknown}
readonly OWN=.postgresql-upgrade-copy
readonly NODES_SHARE=15 # percent of a node's disk that stay free: below that the kubelet evicts pods (eviction-hard, imagefs.available)
# shellcheck disable=SC2034 # of report.sh
LOCKED=no GOING_BACK=no PROBE='' LOGS='' JOURNAL='' STATE='' FOUND=''
OUTCOME='' MESSAGE='' STEP='' STEP_KEY='' STEP_STARTED=0 RUNNING='' BEAT='' WORK='' SAID='' LAST_ERROR='' COPYING=no
declare -A SPENT=()

here=$(dirname -- "${BASH_SOURCE[0]}")
# shellcheck source-path=SCRIPTDIR source=report.sh
source "$here/report.sh"

main() {
  trap 'LAST_ERROR="line $LINENO of ${BASH_SOURCE[0]##*/}: $BASH_COMMAND"' ERR
  trap 'conclude $?' EXIT
  trap 'fail "ended by a signal"' TERM INT HUP
  stage 'Checking the environment' ''
  case $COMMAND in copy | restore | room) ;; *) refuse "usage: copy.sh copy|restore|room" ;; esac
  if ((EUID == 0)); then refuse "run as the owner of the data directory, not as root"; fi
  if [[ ! $NEEDED_BYTES =~ ^[0-9]+$ ]]; then refuse "NEEDED_BYTES must be a whole number, not '$NEEDED_BYTES'"; fi
  if [[ $COMMAND == room && ! $TRIAL_BYTES =~ ^[1-9][0-9]*$ ]]; then refuse "TRIAL_BYTES must be a whole number above 0, not '$TRIAL_BYTES'"; fi
  if [[ ! -d $COPY ]]; then refuse "$COPY is no directory"; fi
  WORK=$(mktemp -d /tmp/copy.XXXXXX)
  SAID=$WORK/said
  mkdir "$SAID"
  case $COMMAND in room) room ;; *) copy ;; esac
}

stage() { # TITLE KEY
  end_step
  STEP=$1 STEP_KEY=$2 STEP_STARTED=$(now)
  log "==> $1"
}

copy() {
  local needed
  if [[ ! -d $SOURCE ]]; then refuse "$SOURCE is no directory"; fi
  if [[ $COMMAND == restore && ! -f $SOURCE/$OWN/complete ]]; then refuse "$SOURCE holds no complete copy"; fi
  begin_copy
  needed=$(used "$SOURCE" 2>"$SAID/used.log") || fail "cannot read all that is on the volume: $(said used.log)"
  expect_room "$needed"
  COPYING=yes
  listing "$SOURCE" >"$WORK/before"
  stage 'Copying and reading all files' copy
  run 'Copying' copy.log copy_files || fail "cannot copy the volume: $(said copy.log)"
  stage 'Making the copy durable' sync
  run 'Flushing files' sync.log flush || fail "cannot flush the copy: $(said sync.log)"
  stage 'Comparing the copy' compare
  run 'Comparing' compare.log compare || fail "the copy is not what is on the volume: $(said compare.log)"
  end_copy
}

# An empty volume, or one where a copy of this upgrade has not come to its end, or not to its mark in the cluster. Everything else is left alone.
begin_copy() {
  local found
  found=$(at_root "$COPY" -print -quit)
  if [[ -L $COPY/$OWN ]]; then refuse "$COPY/$OWN is a symbolic link"; fi
  if [[ -n $found && ! -e $COPY/$OWN/copying && ! -e $COPY/$OWN/complete ]]; then
    refuse "$COPY is not empty, and nothing says that an earlier try left it: $(quoted "${found##*/}")"
  fi
  make_own
  exec {lock}>>"$COPY/$OWN/lock"
  flock -n "$lock" || refuse "another instance is at work on $COPY"
  if [[ -e $COPY/$OWN/complete ]] && ! grep -qxF "run=$RUN_ID" "$COPY/$OWN/complete"; then refuse "$COPY holds a complete copy already, of another upgrade"; fi
  : >"$COPY/$OWN/copying"
  sync "$COPY/$OWN/copying" "$COPY/$OWN" "$COPY"
  rm -f -- "$COPY/$OWN/complete"
  sync "$COPY/$OWN"
  if [[ -n $found ]]; then log '    removing what an earlier try copied'; fi
  remove_copied || fail "cannot remove what an earlier try copied"
}

remove_copied() { at_root "$COPY" -exec rm -rf -- {} +; }

make_own() {
  local said
  if [[ -d $COPY/$OWN ]]; then return; fi
  said=$(mkdir -m 0700 "$COPY/$OWN" 2>&1) || refuse "user $EUID cannot write to the copy's volume ($(stat -c 'owner %u:%g, mode %a' "$COPY")): ${said##*: }"
}

used() { du -sk --exclude="$OWN" --exclude=lost+found -- "$1" | cut -f1; } # KiB

expect_room() { # KIBIBYTES: as the file system counts them; a quota shows only when it is reached
  local size free kept=0
  read -r size free < <(df -P -k "$COPY" | awk 'NR == 2 {print $2, $4}')
  log "    the copy takes about $(($1 / 1024)) MiB; $((free / 1024)) MiB are free"
  if ((free < $1)); then refuse "not enough room for the copy: about $(($1 / 1024)) MiB are needed, $((free / 1024)) MiB are free"; fi
  if is_on_nodes_disk; then kept=$((size * NODES_SHARE / 100)); fi
  if ((free < $1 + kept)); then
    refuse "not enough room for the copy: its volume is on the node's own disk, where $((kept / 1024)) MiB have to stay free, or the kubelet evicts pods; about $(($1 / 1024)) MiB are needed, $((free / 1024)) MiB are free"
  fi
}

# The kubelet keeps a pod's /etc/hosts there.
is_on_nodes_disk() { [[ $(stat -c %d -- "$COPY") == "$(stat -c %d /etc/hosts 2>/dev/null)" ]]; }

# Each look at a volume leaves out what is ours, and the file system's own directory.
at_root() { find "$1" -mindepth 1 -maxdepth 1 ! -name lost+found ! -name "$OWN" "${@:2}"; } # DIRECTORY EXPRESSION...

walk() { # DIRECTORY EXPRESSION...
  cd -- "$1"
  shift
  find . -mindepth 1 \( -path ./lost+found -o -path "./$OWN" \) -prune -o "$@"
}

# Who writes a file changes what this shows of it.
listing() (walk "$1" -printf '%P %y %i %s %T@ %C@\0' | sort -z)

# cp keeps hard links among what one call of it copies, and holes.
copy_files() {
  local sums
  (digests "$SOURCE" >"$WORK/source.sums") &
  sums=$!
  if ! (cd -- "$SOURCE" && at_root . -print0 | xargs -0 -r cp -a -t "$COPY" --); then
    kill "$sums" 2>/dev/null || true
    return 1
  fi
  wait "$sums"
}

digests() (cd -- "$1" && walk . -type f -print0 | sort -z | xargs -0 -r b2sum --) # DIRECTORY

flush() (cd -- "$COPY" && walk . \( -type f -o -type d \) -print0 | xargs -0 -r sync -- && sync "$COPY")

# What is left of a file without its content; of the mode, what its owner and others may do.
shape() (
  walk "$1" \( -type d -printf '%m d %P\0' -o -type f -printf '%m f %s %n %P\0' -o -printf '0 %y %l %P\0' \) | sed -zE 's/^[0-7]+([0-7]{3}) /\1 /' | sort -z
)

# Which names a file has beside each other.
names() (walk "$1" -type f -links +1 -printf '%i %P\0' | tr '\n\0' ' \n' | sort -k 2 | awk '{inode = $1; sub(/^[0-9]+ /, ""); if (!(inode in first)) first[inode] = $0; print first[inode] " = " $0}')

# Of what fails in here bash ends nothing by itself, since the caller asks how it ended.
compare() {
  listing "$SOURCE" >"$WORK/after" || return 1
  same "$WORK/before" "$WORK/after" 'somebody changed it meanwhile' || return 1
  digests "$COPY" >"$WORK/copy.sums" || return 1
  same "$WORK/source.sums" "$WORK/copy.sums" 'the content of a file differs' || return 1
  shape "$SOURCE" >"$WORK/source.shape" || return 1
  shape "$COPY" >"$WORK/copy.shape" || return 1
  same "$WORK/source.shape" "$WORK/copy.shape" 'a mode, a size or a link differs' || return 1
  names "$SOURCE" >"$WORK/source.names" || return 1
  names "$COPY" >"$WORK/copy.names" || return 1
  same "$WORK/source.names" "$WORK/copy.names" 'hard links differ' || return 1
  if [[ $COMMAND == copy ]]; then return; fi
  same "$SOURCE/$OWN/sums" "$WORK/source.sums" 'somebody changed the copy that is the source since it was made'
}

same() { # FILE FILE WHAT
  local line
  if cmp -s "$1" "$2"; then return; fi
  line=$(diff -a <(tr '\0' '\n' <"$1") <(tr '\0' '\n' <"$2") | grep -a -m 1 '^[<>]') || true
  printf '%s: %s\n' "$3" "$(quoted "${line:2}")"
  return 1
}

end_copy() {
  local files size
  files=$(wc -l <"$WORK/copy.sums")
  size=$(used "$COPY")
  if [[ $COMMAND == restore ]]; then
    rm -rf -- "${COPY:?}/$OWN"
    sync "$COPY"
    finish copied "$files files, $((size / 1024)) MiB, are as they were when the backup was made"
    return
  fi
  cp -- "$WORK/copy.sums" "$COPY/$OWN/sums"
  printf '%s\n' "run=$RUN_ID" "files=$files" >"$COPY/$OWN/complete.new"
  sync "$COPY/$OWN/sums" "$COPY/$OWN/complete.new"
  mv -T -- "$COPY/$OWN/complete.new" "$COPY/$OWN/complete"
  rm -f -- "$COPY/$OWN/copying" "$COPY/$OWN/lock"
  sync "$COPY/$OWN"
  finish copied "$files files, $((size / 1024)) MiB, are on the copy, and each is the same as on the volume"
}

room() {
  local said
  stage 'Trying the volume' write
  make_own
  expect_room $((NEEDED_BYTES / 1024))
  said=$({
    head -c "$TRIAL_BYTES" /dev/urandom >"$COPY/$OWN/trial" && sync "$COPY/$OWN/trial" && chmod 0700 "$COPY/$OWN/trial" &&
      ln "$COPY/$OWN/trial" "$COPY/$OWN/linked" && ln -s trial "$COPY/$OWN/symbolic" && sync "$COPY/$OWN"
  } 2>&1) || fail "the copy's volume can't hold a copy: ${said##*: }"
  end_step
  rm -rf -- "${COPY:?}/$OWN"
  finish tried "the volume takes files, hard links and symbolic links, and wrote $((TRIAL_BYTES / 1048576)) MiB in $(in_seconds "${SPENT[write]}") s"
}

said() { # FILE
  local text
  text=$(first_line '[^[:space:]]' "$SAID/$1")
  printf '%s' "${text:-no reason was told}"
}

STARTED=$(now)
conclude() { # STATUS
  local status=$1
  trap - ERR EXIT
  trap '' TERM INT HUP
  set +e
  if [[ -z $OUTCOME ]]; then finish failed "${LAST_ERROR:-unexpected end}"; status=$EXIT_FAILED; fi
  stop_heartbeat
  if [[ -n $RUNNING ]]; then kill -KILL -- "-$RUNNING" 2>/dev/null; wait "$RUNNING" 2>/dev/null; fi
  # It may be on the disk that the server needs to start again.
  if [[ $OUTCOME == failed && $COPYING == yes ]]; then remove_copied; fi
  end_step
  SPENT[total]=$(($(now) - STARTED))
  printf '{"schema":1,"command":%s,"outcome":%s,"state":"unexamined","step":%s,"message":%s,"seconds":%s}\n' \
    "$(json "$COMMAND")" "$(json "$OUTCOME")" "$(json "$STEP")" "$(json "$MESSAGE")" "$(seconds_json copy sync compare write total)" >"$RESULT_FILE"
  if [[ -n $WORK ]]; then rm -rf -- "$WORK"; fi
  exit "$status"
}

main

# shellcheck shell=bash
# What the run says: the log on stdout, the journal on the volume, and the result for whoever started the Job.
# Decision: docs/decisions/0002-upgrade-job.md

log() { printf '%s\n' "${*//[[:cntrl:]]/ }"; } # names on the volume are others' texts
now() { printf '%s' $((${EPOCHREALTIME/./} / 1000)); }
in_seconds() { printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)); }
quoted() { printf '%q' "${1//[[:cntrl:]]/ }" | head -c 300; } # TEXT of others, for a message

step() { # NUMBER KEY TITLE
  end_step
  STEP=$3 STEP_KEY=$2 STEP_STARTED=$(now)
  log "==> [$1/8] $3"
}

end_step() {
  local spent=$(($(now) - STEP_STARTED))
  if ((STEP_STARTED == 0)); then return; fi
  # shellcheck disable=SC2004 # SPENT is an associative array
  if [[ -n $STEP_KEY ]]; then SPENT[$STEP_KEY]=$spent; fi
  log "    $(in_seconds "$spent") s"
  STEP_STARTED=0
}

# Durable before it returns, since it announces a move. On the way back a full volume must not stop us: that way is found by what is on disk.
journal() { # EVENT DETAIL
  local line said
  line="$(date -u +%FT%TZ) $RUN_ID $COMMAND $1 ${2:-}"
  if said=$({ printf '%s\n' "$line" >>"$JOURNAL" && sync "$JOURNAL"; } 2>&1); then return; fi
  if [[ $GOING_BACK == no ]]; then fail "cannot write to $JOURNAL: ${said##*: }"; fi
  log "    not journaled: $line"
}

finish() { OUTCOME=$1 MESSAGE=$2; log "${1^^}: $2"; }
give_up() { finish "$1" "$3"; exit "$2"; } # OUTCOME CODE MESSAGE
refuse() { give_up refused "$EXIT_REFUSED" "$1"; }
fail() { give_up failed "$EXIT_FAILED" "$1$(room_left "$1")"; }

# Says so when the volume takes no more, unless the message does. Whoever fails of that often tells nothing of it: its logs are on the volume, or
# it looks at less than we do (a quota, the inodes).
room_left() { # MESSAGE
  local said
  if [[ $LOCKED == no || $1 =~ $NO_ROOM ]]; then return; fi
  # A signal may have come while the probe was a second name of a table's file.
  said=$({ rm -f -- "$PROBE" && set -o noclobber && head -c 64K /dev/urandom >"$PROBE" && sync "$PROBE"; } 2>&1) || printf '; the volume accepts no more data: %s' "${said##*: }"
  rm -f -- "$PROBE" 2>/dev/null || true
}
readonly NO_ROOM='No space left|quota exceeded|Read-only file system'

# A command that may take long, in a process group of its own (so that all of it can be ended), with a sign of life now and then. What it says
# goes to $SAID and not to the volume, since that may be full.
run() { # LABEL FILE COMMAND...
  local label=$1 output=$SAID/$2 status=0
  shift 2
  set -m
  "$@" >>"$output" 2>&1 </dev/null &
  RUNNING=$!
  set +m
  heartbeat "$label" "$output" &
  BEAT=$!
  wait "$RUNNING" || status=$?
  if ((status == 0)); then RUNNING=; fi # else some of it may still run
  stop_heartbeat
  return "$status"
}

stop_heartbeat() {
  if [[ -n $BEAT ]]; then { kill -KILL "$BEAT" && wait "$BEAT"; } 2>/dev/null || true; fi # KILL: it inherits what we ignore
  BEAT=
}

heartbeat() { # LABEL FILE
  local started never
  started=$(now)
  exec {never}<> <(:) # nothing ever comes from here: `read -t` is then a sleep which leaves no process behind
  until read -r -t "$HEARTBEAT_SECONDS" -u "$never"; do
    log "    ... $1, for $((($(now) - started) / 1000)) s: $(redact <"$2" | tail -n 1 | cut -c 1-120)"
  done
}

json() { # TEXT → a JSON string, of at most 700 bytes of the text: the whole result must fit into the kubelet's 4096
  local text
  text=$(printf '%s' "$1" | tr '\n\t' '  ' | tr -d '\000-\037\177' | head -c 700 | iconv -c -f UTF-8 -t UTF-8 2>/dev/null || true)
  text=${text//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

seconds_json() { # KEY...: of what was done
  local key list=
  for key; do
    if [[ -n ${SPENT[$key]:-} ]]; then list+="\"$key\":$(in_seconds "${SPENT[$key]}"),"; fi
  done
  printf '{%s}' "${list%,}"
}

control_json() { # of the data directory as it is now
  local facts state checkpoint modified
  facts=$(control_facts "$(version_of "$DATA")" "$DATA" 2>/dev/null) || facts=
  if [[ -z $facts ]]; then printf null; return; fi
  IFS='|' read -r state checkpoint modified <<<"$facts"
  printf '{"state":%s,"checkpoint":%s,"modified":%s}' "$(json "$state")" "$(json "$checkpoint")" "$(json "$modified")"
}

result() {
  printf '{"schema":1,"command":%s,"outcome":%s,"state":%s,"step":%s,"message":%s,"found":%s,' \
    "$(json "$COMMAND")" "$(json "$OUTCOME")" "$(json "$STATE")" "$(json "$STEP")" "$(json "$MESSAGE")" "$(json "$FOUND")"
  printf '"transfer":%s,"recovered":%s,"reverted":%s,"seconds":%s,"oldVersion":%s,"newVersion":%s,"walEnd":%s,"control":%s}\n' \
    "$(json "$(marker_value transfer "$MODE")")" "$RECOVERED" "$REVERTED" "$(seconds_json recover initdb upgrade sync swap total)" \
    "$(json "$OLD_VERSION")" "$(json "$NEW_VERSION")" "$(json "$WAL_END")" "$(control_json)"
}

# What pg_upgrade and the servers wrote, without what it discloses: of statements the literals (literals.awk, as in restore-test.sh), of all else what looks like a
# password, a connection string of a subscription or foreign server, or a hash, also over several lines. Whoever owns a database may bring lines of any
# length into these logs, and the time for a line grows with the square of its length. So a line is cut before it is read, at white space, since a hash or
# a URL of which only a part is there is not recognized. What follows may still belong to it, and is left out up to the next message.
LITERALS=$(cat -- "$(dirname -- "${BASH_SOURCE[0]}")/literals.awk")
readonly LITERALS
# shellcheck disable=SC2016 # awk's own
readonly WITHOUT_SECRETS='
function without_secrets(line,   out, at, low, head) {
  out = ""
  for (;;) {
    if (literal != "") {
      at = closing(line)
      if (at == 0) return out
      line = substr(line, at)
      literal = ""
    }
    low = tolower(line)
    if (!match(low, KEYWORD "[\"\\\\]*[ \t]*(:=|=>|=)?[ \t]*e?\047|" KEYWORD "[\"\\\\]*[ \t]*(:=|=>|=)[ \t]*[^ \t\047]")) return out line
    head = substr(line, 1, RSTART + RLENGTH - 1)
    line = substr(line, RSTART + RLENGTH)
    if (head ~ /\047$/) {
      literal = tolower(head) ~ /[^a-z_]e\047$/ ? "escaped" : "plain"
      out = out head "***"
    } else {
      out = out substr(head, 1, length(head) - 1) "***"
      sub(/^[^ \t,;|\047]*/, "", line)
    }
  }
}
# Where the quote that ends the literal is; a doubled one does not, nor one after a backslash in an escaped literal.
function closing(line,   at, c) {
  for (at = 1; at <= length(line); at++) {
    c = substr(line, at, 1)
    if (c == "\\" && literal == "escaped") at++
    else if (c == "\047") {
      if (substr(line, at + 1, 1) != "\047") return at
      at++
    }
  }
  return 0
}
function show(text) {
  print text (cut ? "… (the rest of this line, and what belongs to it, is left out)" : "")
  lost = cut
}
BEGIN { KEYWORD = "(password|passwd|passphrase|secret|token|connection)" }
{
  cut = length($0) > longest
  if (cut) $0 = match(substr($0, 1, longest), /^.*[ \t]/) ? substr($0, 1, RLENGTH) : ""
}
/^pg_restore: |^psql:|(LOG|ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|DETAIL|HINT|CONTEXT):  / { statement = 0; literal = ""; lost = 0 }
lost { next }
!statement && match($0, /Command was: |(STATEMENT|QUERY):  /) {
  statement = 1
  begin_statement()
  begun = RSTART + RLENGTH
  show(without_secrets(substr($0, 1, begun - 1)) without_literals(substr($0, begun), 4 * longest))
  next
}
/DETAIL:  / { begin_statement(); gsub(/=\([^)]*\)/, "=(***)"); show(without_literals($0, 4 * longest)); begin_statement(); next }
{ show(statement ? without_literals($0, 4 * longest) : without_secrets($0)) }
'
readonly HASHES='s/SCRAM-SHA-256\$[^[:space:]'"'"']+/***/g; s/md5[0-9a-f]{32}/***/g; s#://[^/@[:space:]]+@#://***@#g'

readonly LONGEST_LINE=4096 LONGEST_END=16384 MOST_SHOWN=262144 # bytes
readonly LOGS_SECONDS=${LOGS_SECONDS:-20}                      # for all logs to be shown, and once more to be kept

# What has a carriage return is a progress of pg_upgrade's, many lines on one. An error, after a part of the text, when it takes too long.
redact() { # [SECONDS]
  LC_ALL=C tr '\r\000' '\n ' | LC_ALL=C cut -b "-$((LONGEST_LINE + 1))" |
    LC_ALL=C timeout --foreground -k 1 "${1:-10}" awk -v longest="$LONGEST_LINE" "$LITERALS$WITHOUT_SECRETS" | LC_ALL=C sed -E "$HASHES"
}

# What comes after the result: it is for people, and nothing waits for it. A signal ends it.
leave_logs() { # STATUS of the script
  # shellcheck disable=SC2064 # the status of now
  trap "kill -KILL -- \"-\$RUNNING\" 2>/dev/null; rm -rf -- \"\$WORK\"; exit $1" TERM INT HUP
  set -m
  {
    if [[ $COMMAND == upgrade && $OUTCOME == failed ]]; then show_logs | head -c "$MOST_SHOWN"; fi
    keep_logs
  } &
  RUNNING=$!
  set +m
  wait "$RUNNING"
}

keep_logs() { # on the volume, at the end
  local file deadline=$((SECONDS + LOGS_SECONDS))
  if [[ $LOCKED == no || ! -d $LOGS || -L $LOGS || ! -O $LOGS || -z $(ls -A "$SAID") ]]; then return; fi
  chmod 0700 "$LOGS" || return
  for file in "$SAID"/*; do keep_redacted "$file" "$LOGS/${file##*/}" "$deadline" || log "    ${file##*/} is not kept: $TOO_LONG"; done
  redact_logs "$deadline"
}

# The small ones first, so that a large one takes the time from none. Of pg_upgrade's own, what can't be redacted is not kept.
redact_logs() { # DEADLINE, in seconds of the script
  local file
  while IFS=' ' read -r -d '' _ file; do
    if keep_redacted "$file" "$file" "$1"; then continue; fi
    if [[ ${file##*/} == pg_upgrade* ]]; then rm -f -- "$file"; log "    ${file##*/} is not kept: $TOO_LONG"; else log "    ${file##*/} stays as it is: $TOO_LONG"; fi
  done < <(find "$LOGS" -maxdepth 1 -type f -links 1 ! -name '*.custom' ! -name '*.sh' -printf '%s %p\0' | sort -zn)
  rm -f -- "$SAID/.redacted"
}
readonly TOO_LONG='it takes too long to take secrets out of it'

keep_redacted() { # FILE TARGET DEADLINE
  if (($3 <= SECONDS)) || ! redact $(($3 - SECONDS)) <"$1" >"$SAID/.redacted"; then return 1; fi
  put "$SAID/.redacted" "$2" || true # the volume may be full
}

# Of earlier tries: kept, and out of the way of pg_upgrade, which appends to what it finds, through links too. So nothing but directories stays.
archive_logs() {
  local number=1
  close_logs
  while [[ -e $LOGS/try-$number || -L $LOGS/try-$number ]]; do number=$((number + 1)); done
  rm -f -- "$LOGS/delete_old_cluster.sh"
  if [[ -z $(find "$LOGS" -mindepth 1 -maxdepth 1 ! -type d -print -quit) ]]; then return; fi
  redact_logs $((SECONDS + LOGS_SECONDS))
  mkdir "$LOGS/try-$number"
  find "$LOGS" -mindepth 1 -maxdepth 1 ! -type d -exec mv -t "$LOGS/try-$number" -- {} +
}

# The end of each log: pg_upgrade's own output says little more than *failure*. Of the dumps' logs only those with an error in them.
show_logs() {
  local file text deadline=$((SECONDS + LOGS_SECONDS))
  for file in "$SAID"/* "$LOGS"/*.log "$LOGS"/*.txt; do
    if [[ ! -f $file || -L $file || ! -s $file ]]; then continue; fi
    if [[ $file == */pg_upgrade_dump_* ]] && ! grep -qiE 'error|fatal' "$file"; then continue; fi
    log "--- ${file##*/}, the last 40 lines"
    if ((SECONDS >= deadline)) || ! text=$(redact $((deadline - SECONDS)) <"$file" | tail -n 40 | tail -c "$LONGEST_END"); then text="    left out: $TOO_LONG"; fi
    printf '%s\n' "$text"
  done
}

last_line() { # FILE
  local text
  text=$(redact <"$1" 2>/dev/null | tail -n 1) || text="a line that is not shown: $TOO_LONG"
  printf '%s' "$text"
}

first_line() { grep -hE "$@" 2>/dev/null | head -n 1 | redact || true; } # PATTERN FILE...

# pg_upgrade's own sentence, and the line which names the culprit: out of the lists which the checks leave, else of the log to which pg_upgrade
# points. Dumps and restores run side by side: only the first to fail has a cause, the others fail because the server is then stopped for them. So
# nothing counts which comes after the first "Failure, exiting".
root_cause_line() { # OUTPUT OF pg_upgrade
  local said sentence log culprit
  said=$(sed '/^Failure, exiting/,$d' "$1")
  sentence=$(sed -nE "/$FAILED_STATUS/,\$p" <<<"$said")
  log=$(sed -nE 's/^Consult the last few lines of "([^"]*)".*/\1/p' <<<"$sentence" | head -n 1)
  if [[ -z $sentence ]]; then
    sentence=$(sed -nE "/$PROGRESS/{h;d}; H; \${x;p}" <<<"$said" | sed 1d)
    sentence=$(grep -m 1 -E "$ERROR_LINE" <<<"$sentence" || printf '%s' "$sentence")
  fi
  sentence=$(grep -vE "$FAILED_STATUS"'|^$|^Consult|^the probable cause' <<<"$sentence" | head -n 1) || true
  culprit=$(first_line 'could not load library|^  [^ ]' "$LOGS"/*.txt)
  if [[ -z $culprit && -n $log ]]; then culprit=$(first_line "$ERROR_LINE" "$LOGS/$log"); fi
  if [[ -z $culprit && -n $log ]]; then culprit="$log ends with: $(last_line "$LOGS/$log")"; fi
  if [[ -z $sentence$culprit ]]; then culprit=$(first_line "$ERROR_LINE" "$LOGS"/pg_upgrade_{dump_*,utility,server}.log); fi
  printf '%s' "${sentence:-pg_upgrade failed}${culprit:+: $culprit}"
}
# The status of a step stands behind its title, which takes 60 columns; titles of parts are underlined, and what a step works on is indented.
readonly FAILED_STATUS='^[A-Z].{59}fatal$|^\*failure\*' PROGRESS='^.{60}(ok)?$|^-+$|^  '
readonly ERROR_LINE='error: |(ERROR|FATAL|PANIC): ' # of its programs, and of the servers

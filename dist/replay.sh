#!/bin/bash
# Does what pg_upgrade does before it touches a file: dumps the roles and each database's schema from the running server, over the network, and restores
# them into a new cluster, which is thrown away. The running server is only read. Everything is written below WORK.
# Environment: TO, the major; HOST, PORT, LOGIN (superuser), PASSWORD of the running server; SUPERUSER, whom its initdb made; ENCODING, LC_COLLATE_VALUE,
# LC_CTYPE_VALUE, CHECKSUMS (on, off), WAL_SEGMENT (MiB) for initdb; DATABASES, a name a line; CONNECT_WAIT, LOCK_WAIT and DUMP_LIMIT,
# seconds.
# Prints one fact a line, columns separated by tabs. NUMBER is the database's line in DATABASES, 0 for the roles:
#   broken TEXT                       the replay itself could not go on
#   dump NUMBER TEXT                  what pg_dump, pg_dumpall said
#   skipped NUMBER TEXT               left alone on purpose
#   entry|error|detail|statement NUMBER TEXT   what pg_restore, psql could not do: object, message, and the SQL without its literals
#   more NUMBER COUNT                 errors that are not printed
#   server NUMBER TEXT                what the log of the new cluster tells of its end
#   took NUMBER DUMP RESTORE          milliseconds
#   end
set -uo pipefail
readonly TO HOST PORT LOGIN SUPERUSER ENCODING LC_COLLATE_VALUE LC_CTYPE_VALUE CHECKSUMS WAL_SEGMENT DATABASES CONNECT_WAIT LOCK_WAIT DUMP_LIMIT
readonly WORK=${WORK:-/tmp/replay} BIN=${PGBINNEW:-/usr/lib/postgresql/$TO/bin}
readonly MOST_ERRORS=20 MOST_LINES=40 LONGEST_LINE=400
export LC_ALL=C
# A line break at the end of the Secret's value is no part of the password.
secret=$(printf '%s' "$PASSWORD")
unset PASSWORD
for name in $(compgen -e | grep '^PG'); do unset "$name"; done

fact() { printf '%s\n' "$1${2+$'\t'}${2-}${3+$'\t'}${3-}${4+$'\t'}${4-}"; }
one_line() { tr '\n\t' '  ' | cut -c1-"$LONGEST_LINE" | sed 's/ *$//'; }
broken() { # TEXT
  fact broken "$(printf '%s' "$1" | one_line)"
  fact end
  exit 0
}
milliseconds() { local now=${EPOCHREALTIME/[.,]/}; echo $((now / 1000)); }

# Programs that ask the running server: they can only read, wait for nobody's lock for long, and are missed soon when they are gone.
source_server() { # COMMAND...
  local options='-c default_transaction_read_only=on -c role=none -c idle_in_transaction_session_timeout=0'
  options+=" -c statement_timeout=${DUMP_LIMIT}s -c lock_timeout=${LOCK_WAIT}s"
  options+=' -c tcp_keepalives_idle=20 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4'
  PGHOST=$HOST PGPORT=$PORT PGUSER=$LOGIN PGPASSWORD=$secret PGOPTIONS=$options PGAPPNAME=postgresql-upgrade PGCONNECT_TIMEOUT=5 \
    timeout --kill-after=5 "$DUMP_LIMIT" "$@"
}

scratch() { # COMMAND...
  PGHOST=$WORK PGPORT=5432 PGUSER=$SUPERUSER PGOPTIONS='-c role=none -c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0' "$@"
}

connection() { printf "dbname='%s'" "$(printf '%s' "$1" | sed "s/[\\\\']/\\\\&/g")"; }

# What stands in quotes may be a secret (a subscription's password, a function's text), and nobody needs it to know the statement.
# shellcheck disable=SC2016 # awk's own
readonly WITHOUT_LITERALS='
function begin_statement() { quote = "" }
function without_literals(line,   out, at) {
  out = ""
  while (line != "") {
    if (quote != "") {
      at = index(line, quote)
      if (at == 0) return out (quote == "\"" ? line : "")
      if (quote == "\"") out = out substr(line, 1, at)
      else out = out "…" quote
      line = substr(line, at + length(quote))
      quote = ""
    } else if (match(line, /\047|"|--|\$[A-Za-z_]*\$/)) {
      quote = substr(line, RSTART, RLENGTH)
      if (quote == "--") { quote = ""; return out substr(line, 1, RSTART - 1) }
      out = out substr(line, 1, RSTART + RLENGTH - 1)
      line = substr(line, RSTART + RLENGTH)
    } else {
      out = out line
      line = ""
    }
  }
  return out
}
function tell(what, text) { gsub(/\t/, " ", text); print what "\t" number "\t" substr(text, 1, longest) }
'

# pg_restore tells of each failure: the entry, the error with its details, and the whole of the SQL.
failures() { # NUMBER FILE
  awk -v number="$1" -v most="$MOST_ERRORS" -v lines="$MOST_LINES" -v longest="$LONGEST_LINE" "$WITHOUT_LITERALS"'
    /^pg_restore: (from|in) TOC entry/ { entry = $0; sub(/^pg_restore: (from|in) /, "", entry); part = ""; next }
    /^pg_restore: (error|fatal):/ {
      # What is done to an object that could not be made (its owner, its comment) fails with it.
      part = entry == "" && told ? "" : "error"
      if (part == "" || ++count > most) { entry = ""; next }
      if (entry != "") { tell("entry", entry); entry = ""; told = 1 }
      sub(/^pg_restore: /, ""); tell("error", $0); next
    }
    /^pg_restore: / { part = ""; next }
    count > most { next }
    part == "error" && /^(DETAIL|CONTEXT):/ { tell("detail", $0); next }
    part == "error" && /^Command was: / { part = "statement"; printed = 0; begin_statement(); sub(/^Command was: /, "") }
    part == "statement" {
      text = without_literals($0)
      if (text ~ /^ *$/ || text ~ /^SELECT pg_catalog\.binary_upgrade_/) next
      if (++printed <= lines) tell("statement", text)
    }
    END { if (count > most) print "more\t" number "\t" count - most }' "$2"
}

# psql tells the line of the script; the statement is there.
failures_of_roles() { # SCRIPT FILE
  local line message count=0
  while IFS=$'\t' read -r line message; do
    if ((++count > MOST_ERRORS)); then continue; fi
    fact error 0 "$(printf '%s' "$message" | one_line)"
    sed -n "${line}p" "$1" | awk -v number=0 -v longest="$LONGEST_LINE" "$WITHOUT_LITERALS"'{ tell("statement", without_literals($0)) }'
  done < <(sed -nE 's/^psql:[^ ]*:([0-9]+): ((ERROR|FATAL): .*)/\1\t\2/p' "$2")
  if ((count > MOST_ERRORS)); then fact more 0 $((count - MOST_ERRORS)); fi
}

said() { # NUMBER FILE: the errors of a dump
  grep -vE '^pg_dump(all)?: (warning|hint|detail): |^LINE [0-9]+:|^ *\^' "$2" | head -n 4 | while IFS= read -r line; do
    fact dump "$1" "$(printf '%s' "$line" | one_line)"
  done
}

ended() { # NUMBER: what the new cluster died of, or lacked
  grep -hoE 'server process .*was terminated by signal .*|PANIC: .*|.*No space left on device.*|.*Cannot allocate memory.*|.*out of memory.*' "$WORK/server.log" |
    sed -E 's/\(PID [0-9]+\) //' | sort -u | head -n 3 | while IFS= read -r line; do fact server "$1" "$(printf '%s' "$line" | one_line)"; done
  : >"$WORK/server.log"
}

# ------------------------------------------------------------------------------------------------------------------------------- the running server

connect() {
  local answer deadline=$((SECONDS + CONNECT_WAIT))
  # A network policy, and the network of a pod that has just begun, may need a moment.
  until answer=$(source_server "$BIN/psql" -XAtqw -d template1 -c 'SELECT 1' 2>&1); do
    if ((SECONDS >= deadline)) || [[ ! $answer =~ (refused|timeout|unreachable|route|timed\ out) ]]; then
      broken "the running server can't be reached from a pod: ${answer:-no answer within $DUMP_LIMIT s}"
    fi
    sleep 1
  done
}

# pg_dump locks every table of a database at once; the table of locks is one for all sessions, and who finds it full is refused.
enough_locks() { # NAME
  local free
  free=$(source_server "$BIN/psql" -XAtqw -d "$(connection "$1")" -c "SELECT count(*) || ' of ' || max, count(*) * 2 < max FROM pg_catalog.pg_class,
    (SELECT current_setting('max_locks_per_transaction')::int * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) AS max) m
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND pg_class.oid >= 16384 GROUP BY max" 2>/dev/null) || return 0
  [[ $free != *'|f' ]] || { echo "${free%|f}"; return 1; }
}

# ------------------------------------------------------------------------------------------------------------------------------------ the new cluster

begin() {
  local checksums=()
  mkdir -m 0700 "$WORK" || broken "cannot write to ${WORK%/*}"
  if [[ $CHECKSUMS == on ]]; then checksums=(--data-checksums); fi
  "$BIN/initdb" -D "$WORK/data" -U "$SUPERUSER" -E "$ENCODING" --lc-collate="$LC_COLLATE_VALUE" --lc-ctype="$LC_CTYPE_VALUE" "${checksums[@]}" \
    --wal-segsize="$WAL_SEGMENT" -A trust -N >"$WORK/initdb.log" 2>&1 || broken "initdb: $(grep -hE 'error|FATAL|not found' "$WORK/initdb.log")"
  # As pg_upgrade starts it, and as the Job tells it to; the rest keeps it small.
  "$BIN/pg_ctl" -s -w -D "$WORK/data" -l "$WORK/server.log" start -o "-b -c listen_addresses='' -c unix_socket_directories='$WORK' -c unix_socket_permissions=0700 \
    -c synchronous_commit=off -c fsync=off -c full_page_writes=off -c vacuum_defer_cleanup_age=0 -c max_locks_per_transaction=1024 \
    -c shared_buffers=32MB -c max_wal_size=128MB -c log_min_error_statement=panic" >"$WORK/start.log" 2>&1 ||
    broken "PostgreSQL $TO does not start: $(grep -hE 'FATAL|PANIC' "$WORK/server.log")"
  trap '"$BIN/pg_ctl" -s -D "$WORK/data" -m immediate stop; rm -rf "$WORK"' EXIT
}

expect_alive() {
  local answer
  answer=$(scratch "$BIN/psql" -XAtqw -d template1 -c 'SELECT 1' 2>&1) || broken "the new cluster is not to be reached any more: $answer"
}

roles() {
  local begun dumped status
  begun=$(milliseconds)
  # Secrets of roles stay where they are: they can't fail, since 12 and 14 store them alike.
  source_server "$BIN/pg_dumpall" -w --role="$SUPERUSER" --globals-only --quote-all-identifiers --binary-upgrade --no-tablespaces --no-role-passwords \
    --lock-wait-timeout="${LOCK_WAIT}s" -f "$WORK/roles.sql" 2>"$WORK/said" || { status=$?; said 0 "$WORK/said"; fact dump 0 "pg_dumpall ended with $status"; return; }
  dumped=$(milliseconds)
  scratch "$BIN/psql" -Xq -d template1 -f "$WORK/roles.sql" >/dev/null 2>"$WORK/said"
  failures_of_roles "$WORK/roles.sql" "$WORK/said"
  ended 0
  expect_alive
  fact took 0 $((dumped - begun)) $(($(milliseconds) - dumped))
}

database() { # NUMBER NAME
  local number=$1 name=$2 begun dumped status=0 how=(--create --dbname=template1) locks
  case $name in
    template1) how=(--clean --create --dbname=postgres) ;;
    postgres) how=(--clean --create --dbname=template1) ;;
  esac
  if ! locks=$(enough_locks "$name"); then
    fact skipped "$number" "a dump locks more than half of what the server has room for ($locks locks), which could stop applications"
    return
  fi
  begun=$(milliseconds)
  source_server "$BIN/pg_dump" -w --role="$SUPERUSER" --schema-only --quote-all-identifiers --binary-upgrade --no-tablespaces --format=custom \
    --lock-wait-timeout="${LOCK_WAIT}s" -f "$WORK/dump" "$(connection "$name")" 2>"$WORK/said" || status=$?
  if ((status != 0)); then
    said "$number" "$WORK/said"
    fact dump "$number" "pg_dump ended with $status"
    return
  fi
  dumped=$(milliseconds)
  # Without --exit-on-error, which pg_upgrade gives it: all that fails is to be told.
  scratch "$BIN/pg_restore" -w "${how[@]}" --no-tablespaces "$WORK/dump" >/dev/null 2>"$WORK/said" || status=$?
  failures "$number" "$WORK/said"
  ended "$number"
  expect_alive
  fact took "$number" $((dumped - begun)) $(($(milliseconds) - dumped))
  rm -f "$WORK/dump"
  case $name in
    template1 | postgres) ;;
    *) echo 'DROP DATABASE IF EXISTS :"name"' | scratch "$BIN/psql" -Xqw -d template1 -v name="$name" -f - >/dev/null 2>&1 ;;
  esac
}

begin
connect
roles
# template1 first, as pg_upgrade does: it may be what others are made from.
mapfile -t names <<<"$DATABASES"
for pass in first others; do
  for at in "${!names[@]}"; do
    case $pass:${names[at]} in
      *: | others:template1) ;;
      first:template1 | others:*) database $((at + 1)) "${names[at]}" ;;
    esac
  done
done
fact end

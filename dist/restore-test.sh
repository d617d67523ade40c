#!/bin/bash
# Does what pg_upgrade does before it touches a file: dumps the roles and each database's schema from the running server, over the network (`dump`), and
# restores them into a new cluster, which is deleted (`restore`). The script only reads the running server.
# A restore runs code of the databases' users as superuser of the new cluster: a domain's CHECK behind an aggregate's INITCOND, say, and from there
# any program. So `dump` and `restore` are containers of their own. Only `dump` has the password. `restore` has the dumps, read-only, and closes the network
# to itself and to all that it starts (confine.pl) before it reads one.
# Decision: docs/decisions/0016-restore-test.md
# Environment of both: TO, the major; DUMPS, a directory; DATABASES, a name a line; SUPERUSER, whom the running server's initdb made; SESSION_OPTIONS,
# parameters of each session (session-options.ts), so that none counts which is stored for a role or a database.
# Of dump: HOST, PORT, LOGIN (superuser), PASSWORD of the running server; CONNECT_WAIT, LOCK_WAIT and DUMP_LIMIT, seconds.
# Of restore: ENCODING, LC_COLLATE_VALUE, LC_CTYPE_VALUE, CHECKSUMS (on, off), WAL_SEGMENT (MiB) for initdb; CONFINE, the text of confine.pl; LITERALS, that
# of literals.awk.
# Leaves in DUMPS: roles.sql, NUMBER.dump for each database, and the facts about the dumps, with `dumped NUMBER MILLISECONDS`. `restore` prints all facts,
# one a line, columns separated by tabs. NUMBER is the database's line in DATABASES, 0 for the roles:
#   unreachable TEXT                  no connection to the running server, which gave no answer of its own
#   broken TEXT                       the test itself stopped
#   network TEXT                      why `restore` could not close the network
#   cpus COUNT                        of the node
#   dump NUMBER TEXT                  what pg_dump, pg_dumpall said
#   skipped NUMBER TEXT               left out on purpose
#   entry|error|detail|statement NUMBER TEXT   what pg_restore, psql could not do: object, message, and the SQL without its literals
#   more NUMBER COUNT                 errors that are not printed
#   server NUMBER TEXT                what the log of the new cluster says about its crash
#   took NUMBER DUMP RESTORE          milliseconds
#   end
set -uo pipefail
readonly COMMAND=$1 TO DUMPS SUPERUSER DATABASES SESSION_OPTIONS
readonly WORK=${WORK:-/tmp/restore-test} BIN=${PGBINNEW:-/usr/lib/postgresql/$TO/bin}
readonly MOST_ERRORS=20 MOST_LINES=40 LONGEST_LINE=400
export LC_ALL=C
for name in $(compgen -e | grep '^PG'); do unset "$name"; done

fact() { printf '%s\n' "$1${2+$'\t'}${2-}${3+$'\t'}${3-}${4+$'\t'}${4-}"; }
one_line() { tr '\n\t' '  ' | cut -c1-"$LONGEST_LINE" | sed 's/ *$//'; }
broken() { # TEXT
  fact broken "$(printf '%s' "$1" | one_line)"
  finish
}
milliseconds() { local now=${EPOCHREALTIME/[.,]/}; echo $((now / 1000)); }

# Programs that ask the running server, which has answered before; PATIENCE is how many seconds a connection may take.
# Nothing but the system's own schema is searched: who may create in another one would have us call a function of theirs.
source_server() { # COMMAND...
  PGHOST=$HOST PGPORT=$PORT PGUSER=$LOGIN PGPASSWORD=$secret PGOPTIONS=$SESSION_OPTIONS PGAPPNAME=postgresql-upgrade PGCONNECT_TIMEOUT=${PATIENCE:-60} \
    timeout --kill-after=5 "$DUMP_LIMIT" "$@"
}

scratch() { # COMMAND...
  PGHOST=$WORK PGPORT=5432 PGUSER=$SUPERUSER PGOPTIONS=$SESSION_OPTIONS "$@"
}

connection() { printf "dbname='%s'" "$(printf '%s' "$1" | sed "s/[\\\\']/\\\\&/g")"; }

# shellcheck disable=SC2016 # awk's own
readonly PRINT_FACT='
function print_fact(what, text) { gsub(/\t/, " ", text); print what "\t" number "\t" substr(text, 1, longest) }'

# pg_restore prints for each failure: the entry, the error with its details, and the whole of the SQL.
failures() { # NUMBER FILE
  awk -v number="$1" -v most="$MOST_ERRORS" -v lines="$MOST_LINES" -v longest="$LONGEST_LINE" "$LITERALS$PRINT_FACT"'
    /^pg_restore: (from|in) TOC entry/ { entry = $0; sub(/^pg_restore: (from|in) /, "", entry); part = ""; next }
    /^pg_restore: (error|fatal):/ {
      # What is done to an object that could not be made (its owner, its comment) fails with it.
      part = entry == "" && printed_entry ? "" : "error"
      if (part == "" || ++count > most) { entry = ""; next }
      if (entry != "") { print_fact("entry", entry); entry = ""; printed_entry = 1 }
      sub(/^pg_restore: /, ""); print_fact("error", $0); next
    }
    /^pg_restore: / { part = ""; next }
    count > most { next }
    part == "error" && /^(DETAIL|CONTEXT):/ { gsub(/\047([^\047]|\047\047)*\047/, "\047…\047"); sub(/\047[^\047…]*$/, "\047…"); print_fact("detail", $0); next }
    part == "error" && /^Command was: / { part = "statement"; printed = 0; begin_statement(); sub(/^Command was: /, "") }
    part == "statement" {
      text = without_literals($0, longest)
      if (text ~ /^ *$/ || text ~ /^SELECT pg_catalog\.binary_upgrade_/) next
      if (++printed <= lines) print_fact("statement", text)
    }
    END { if (count > most) print "more\t" number "\t" count - most }' "$2"
}

# psql prints the line of the script that failed; the statement is there.
failures_of_roles() { # SCRIPT FILE
  local line message count=0
  while IFS=$'\t' read -r line message; do
    if ((++count > MOST_ERRORS)); then continue; fi
    fact error 0 "$(printf '%s' "$message" | one_line)"
    sed -n "${line}p" "$1" | awk -v number=0 -v longest="$LONGEST_LINE" "$LITERALS$PRINT_FACT"'{ print_fact("statement", without_literals($0, longest)) }'
  done < <(sed -nE 's/^psql:[^ ]*:([0-9]+): ((ERROR|FATAL): .*)/\1\t\2/p' "$2")
  if ((count > MOST_ERRORS)); then fact more 0 $((count - MOST_ERRORS)); fi
}

said() { # NUMBER FILE: the errors of a dump
  grep -vE '^pg_dump(all)?: (warning|hint|detail): |^LINE [0-9]+:|^ *\^' "$2" | head -n 4 | while IFS= read -r line; do
    fact dump "$1" "$(printf '%s' "$line" | one_line)"
  done
}

ended() { # NUMBER: why the new cluster crashed, or what it lacked
  grep -hoE 'server process .*was terminated by signal .*|PANIC: .*|.*No space left on device.*|.*Cannot allocate memory.*|.*out of memory.*' "$WORK/server.log" |
    sed -E 's/\(PID [0-9]+\) //' | sort -u | head -n 3 | while IFS= read -r line; do fact server "$1" "$(printf '%s' "$line" | one_line)"; done
  : >"$WORK/server.log"
}

# ------------------------------------------------------------------------------------------------------------------ dump: the running server is asked

connect() {
  local answer deadline=$((SECONDS + CONNECT_WAIT))
  # A NetworkPolicy, and the network of a new pod, may need a moment.
  until answer=$(PATIENCE=5 source_server "$BIN/psql" -XAtqw -d template1 -c 'SELECT 1' 2>&1); do
    if [[ $answer == *FATAL:* || ! $answer =~ (refused|timeout|unreachable|route|timed\ out|^$) ]]; then
      broken "the running server can't be reached from a pod: ${answer:-no answer within $DUMP_LIMIT s}"
    fi
    if ((SECONDS >= deadline)); then
      fact unreachable "$(printf '%s' "${answer:-no answer within $DUMP_LIMIT s}" | one_line)"
      finish
    fi
    sleep 1
  done
}

# pg_dump locks every table of a database at once. All sessions share the lock table, and PostgreSQL refuses a lock when it is full.
enough_locks() { # NAME
  local free
  free=$(source_server "$BIN/psql" -XAtqw -d "$(connection "$1")" -c "SELECT pg_catalog.count(*) || ' of ' || max, pg_catalog.count(*) * 2 < max FROM pg_catalog.pg_class,
    (SELECT pg_catalog.current_setting('max_locks_per_transaction')::int * (pg_catalog.current_setting('max_connections')::int + pg_catalog.current_setting('max_prepared_transactions')::int) AS max) m
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND pg_class.oid >= 16384 GROUP BY max" 2>/dev/null) || return 0
  [[ $free != *'|f' ]] || { echo "${free%|f}"; return 1; }
}

dump_roles() {
  local begun status
  begun=$(milliseconds)
  # Without the passwords of roles: PostgreSQL 12 and PostgreSQL 14 store them alike, so that they can't fail.
  if source_server "$BIN/pg_dumpall" -w --role="$SUPERUSER" --globals-only --quote-all-identifiers --binary-upgrade --no-tablespaces --no-role-passwords \
    --lock-wait-timeout="${LOCK_WAIT}s" -f "$DUMPS/roles.sql" 2>"$DUMPS/said"; then
    fact dumped 0 $(($(milliseconds) - begun))
  else
    status=$?
    said 0 "$DUMPS/said"
    fact dump 0 "pg_dumpall ended with $status"
    rm -f "$DUMPS/roles.sql"
  fi
}

dump_database() { # NUMBER NAME
  local begun status locks
  if ! locks=$(enough_locks "$2"); then
    fact skipped "$1" "a dump would take more than half of the server's room for locks ($locks locks), which could stop applications"
    return
  fi
  begun=$(milliseconds)
  if source_server "$BIN/pg_dump" -w --role="$SUPERUSER" --schema-only --quote-all-identifiers --binary-upgrade --no-tablespaces --format=custom \
    --lock-wait-timeout="${LOCK_WAIT}s" -f "$DUMPS/$1.dump" "$(connection "$2")" 2>"$DUMPS/said"; then
    fact dumped "$1" $(($(milliseconds) - begun))
  else
    status=$?
    said "$1" "$DUMPS/said"
    fact dump "$1" "pg_dump ended with $status"
    rm -f "$DUMPS/$1.dump"
  fi
}

# ------------------------------------------------------------------------------------------------- restore: into a new cluster, without password and network

# From here on, this container and what exec starts in it can open local sockets only.
confine() {
  if [[ ${NETWORK-} == closed ]]; then return; fi
  local reason
  if reason=$(perl -e "$CONFINE" "$(uname -m)" true 2>&1); then
    NETWORK=closed PGBINNEW=$BIN exec perl -e "$CONFINE" "$(uname -m)" bash -c "$BASH_EXECUTION_STRING" "$0" "$COMMAND"
  fi
  fact network "$(printf '%s' "$reason" | one_line)"
}

begin() {
  local checksums=()
  mkdir -m 0700 "$WORK" || broken "cannot write to ${WORK%/*}"
  if [[ $CHECKSUMS == on ]]; then checksums=(--data-checksums); fi
  "$BIN/initdb" -D "$WORK/data" -U "$SUPERUSER" -E "$ENCODING" --lc-collate="$LC_COLLATE_VALUE" --lc-ctype="$LC_CTYPE_VALUE" "${checksums[@]}" \
    --wal-segsize="$WAL_SEGMENT" -A trust -N >"$WORK/initdb.log" 2>&1 || broken "initdb: $(grep -hE 'error|FATAL|not found' "$WORK/initdb.log")"
  # With the options of pg_upgrade and of the Job; the others keep it small.
  "$BIN/pg_ctl" -s -w -D "$WORK/data" -l "$WORK/server.log" start -o "-b -c listen_addresses='' -c unix_socket_directories='$WORK' -c unix_socket_permissions=0700 \
    -c synchronous_commit=off -c fsync=off -c full_page_writes=off -c vacuum_defer_cleanup_age=0 -c max_locks_per_transaction=1024 \
    -c shared_buffers=32MB -c max_wal_size=128MB -c log_min_error_statement=panic" >"$WORK/start.log" 2>&1 ||
    broken "PostgreSQL $TO does not start: $(grep -hE 'FATAL|PANIC' "$WORK/server.log")"
  trap '"$BIN/pg_ctl" -s -D "$WORK/data" -m immediate stop; rm -rf "$WORK"' EXIT
}

expect_alive() {
  local answer
  answer=$(scratch "$BIN/psql" -XAtqw -d template1 -c 'SELECT 1' 2>&1) || broken "the new cluster does not answer any more: $answer"
}

restore_roles() {
  local begun
  begun=$(milliseconds)
  scratch "$BIN/psql" -Xq -d template1 -f "$DUMPS/roles.sql" >/dev/null 2>"$WORK/said"
  failures_of_roles "$DUMPS/roles.sql" "$WORK/said"
  ended 0
  expect_alive
  fact took 0 "${dumped[0]}" $(($(milliseconds) - begun))
}

restore_database() { # NUMBER NAME
  if [[ -z ${dumped[$1]-} ]]; then return; fi
  local begun how=(--create --dbname=template1)
  case $2 in
    template1) how=(--clean --create --dbname=postgres) ;;
    postgres) how=(--clean --create --dbname=template1) ;;
  esac
  begun=$(milliseconds)
  # Without --exit-on-error, which pg_upgrade uses: the finding names everything that fails.
  scratch "$BIN/pg_restore" -w "${how[@]}" --no-tablespaces "$DUMPS/$1.dump" >/dev/null 2>"$WORK/said"
  failures "$1" "$WORK/said"
  ended "$1"
  expect_alive
  fact took "$1" "${dumped[$1]}" $(($(milliseconds) - begun))
  case $2 in
    template1 | postgres) ;;
    *) echo 'DROP DATABASE IF EXISTS :"name"' | scratch "$BIN/psql" -Xqw -d template1 -v name="$2" -f - >/dev/null 2>&1 ;;
  esac
}

each_database() { # COMMAND
  local pass at
  # template1 first, as pg_upgrade does: other databases may be made from it.
  for pass in first others; do
    for at in "${!names[@]}"; do
      case $pass:${names[at]} in
        *: | others:template1) ;;
        first:template1 | others:*) "$1" $((at + 1)) "${names[at]}" ;;
      esac
    done
  done
}

mapfile -t names <<<"$DATABASES"
case $COMMAND in
  dump)
    readonly HOST PORT LOGIN CONNECT_WAIT LOCK_WAIT DUMP_LIMIT
    # A line break at the end of the Secret's value is no part of the password.
    secret=$(printf '%s' "$PASSWORD")
    unset PASSWORD
    finish() { exit 0; }
    exec >"$DUMPS/facts"
    fact cpus "$(nproc)"
    connect
    dump_roles
    each_database dump_database
    ;;
  restore)
    readonly ENCODING LC_COLLATE_VALUE LC_CTYPE_VALUE CHECKSUMS WAL_SEGMENT CONFINE LITERALS
    finish() { fact end; exit 0; }
    confine
    dumped=()
    while IFS=$'\t' read -r name number text; do
      case $name in
        dumped) dumped[number]=$text ;;
        *) fact "$name" "$number" "$text" ;;
      esac
    done <"$DUMPS/facts"
    # Without the roles, objects would fail whose schema has no fault.
    if [[ -z ${dumped[0]-} ]]; then finish; fi
    begin
    restore_roles
    each_database restore_database
    finish
    ;;
esac

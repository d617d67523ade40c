#!/bin/sh
# Asks an image what it holds, by starting its PostgreSQL on an empty directory.
# Prints one fact a line, columns separated by tabs:
#   old-version TEXT | new-version TEXT | initdb LOCALE ok|MESSAGE | sort-order LOCALE DIGEST | extension NAME VERSION |
#   library NAME ok|MESSAGE | preload NAME ok|MESSAGE | end
# Environment: FROM and TO, the majors; ROLE, upgrade or serving; LOCALES, lines
# of "encoding collate ctype" for which initdb has to work; SORT_ORDER, one line
# of SQL that prints a digest of the sort order; LIBRARIES, names a line, to be loaded by a
# session; PRELOADS, names a line, to start a server with.
set -u
unset PGDATA PGHOST PGPORT PGUSER PGPASSWORD
work=${WORK:-/tmp}
tab=$(printf '\t')

fact() { printf '%s\n' "$1${2+$tab}${2-}${3+$tab}${3-}"; }

one_line() { tr '\n\t' '  ' | sed 's/ *$//' | cut -c1-300; }

if [ "$ROLE" = upgrade ]; then
  old=${PGBINOLD:-/usr/lib/postgresql/$FROM/bin}
  new=${PGBINNEW:-/usr/lib/postgresql/$TO/bin}
  fact old-version "$("$old/postgres" --version 2>&1 | one_line)"
  fact pg_upgrade "$("$new/pg_upgrade" --version 2>&1 | one_line)"
else
  new=$(dirname "$(command -v postgres || echo "/opt/bitnami/postgresql/bin/postgres")")
fi
fact new-version "$("$new/postgres" --version 2>&1 | one_line)"

cluster=
number=0
while read -r encoding collate ctype; do
  [ -n "$encoding" ] || continue
  number=$((number + 1))
  if output=$("$new/initdb" -D "$work/cluster$number" -N -A trust -U postgres -E "$encoding" --lc-collate="$collate" --lc-ctype="$ctype" 2>&1); then
    fact initdb "$encoding $collate $ctype" ok
    [ -n "$cluster" ] || cluster=$work/cluster$number
    fact sort-order "$encoding $collate $ctype" "$(echo "$SORT_ORDER" | "$new/postgres" --single -D "$work/cluster$number" template1 2>&1 | sed -n 's/.* digest = "\([0-9a-f]*\)".*/\1/p')"
  else
    fact initdb "$encoding $collate $ctype" "$(printf '%s' "$output" | grep -i 'error' | one_line)"
  fi
done <<LIST
$LOCALES
LIST

if [ -n "$cluster" ]; then
  # A server without clients prints a row as: 1: ?column? = "…" (typeid …
  echo "SELECT 'extension=' || name || '=' || coalesce(default_version, '') FROM pg_available_extensions" |
    "$new/postgres" --single -D "$cluster" template1 2>/dev/null |
    sed -n 's/.*"extension=\([^="]*\)=\([^"]*\)".*/\1 \2/p' |
    while read -r name version; do fact extension "$name" "$version"; done
fi

# As pg_upgrade does it: all in one session, so that one library may need another.
# The server's log names each by its number. If a library ends the server, the rest get no answer. A name is a literal within a literal, whatever it holds.
load_all() {
  printf '%s\n' "$LIBRARIES" | sed "s/'//g" | {
    number=0
    while IFS= read -r name; do
      number=$((number + 1))
      printf '%s\n' "DO 'BEGIN EXECUTE format(''LOAD %L'', ''$name''); RAISE LOG ''library $number ok''; EXCEPTION WHEN OTHERS THEN RAISE LOG ''library $number %'', translate(SQLERRM, E''\\n\\t'', ''  ''); END'"
    done
  } | "$new/postgres" --single -D "$cluster" -c log_destination=stderr -c logging_collector=off -c log_line_prefix= -c log_min_messages=log -c lc_messages=C \
    template1 2>&1 >/dev/null | sed -n 's/^LOG:  library \([0-9][0-9]*\) /\1 /p'
}

# A server of its own for each: a library may work only where the postmaster has loaded it.
start_with() { # LIBRARY
  name=$(printf '%s' "$1" | sed "s/'/''/g; s/\"/\"\"/g")
  {
    printf '%s\n' "shared_preload_libraries = '\"$name\"'" "listen_addresses = ''" "unix_socket_directories = '$work'" "lc_messages = 'C'" \
      "logging_collector = off" "log_destination = 'stderr'" "log_line_prefix = ''"
  } >"$cluster/postgresql.auto.conf"
  if "$new/pg_ctl" -s -w -t 60 -D "$cluster" -l "$work/preload.log" start >"$work/pg_ctl.log" 2>&1; then
    fact preload "$1" ok
    "$new/pg_ctl" -s -w -m immediate -D "$cluster" stop >/dev/null 2>&1
  else
    fact preload "$1" "$(sed -n 's/^\(FATAL\|PANIC\|ERROR\):  //p' "$work/preload.log" | tail -n 1 | one_line | grep . || echo 'the server did not start')"
  fi
  rm -f "$work/preload.log"
}

if [ -n "$cluster" ] && [ -n "$LIBRARIES" ]; then
  load_all | while read -r number said; do
    fact library "$(printf '%s\n' "$LIBRARIES" | sed -n "${number}p")" "$(printf '%s' "$said" | one_line)"
  done
fi
if [ -n "$cluster" ] && [ -n "$PRELOADS" ]; then
  printf '%s\n' "$PRELOADS" | while IFS= read -r library; do start_with "$library" </dev/null; done
fi
fact end

#!/bin/sh
# Asks an image what it holds, by starting its PostgreSQL on an empty directory.
# Prints one fact a line, columns separated by tabs:
#   old-version TEXT | new-version TEXT | initdb LOCALE ok|MESSAGE | sort-order LOCALE DIGEST | extension NAME VERSION | end
# Environment: FROM and TO, the majors; ROLE, upgrade or serving; LOCALES, lines
# of "encoding collate ctype" for which initdb has to work; SORT_ORDER, one line
# of SQL which tells how text sorts.
set -u
unset PGDATA PGHOST PGPORT PGUSER PGPASSWORD
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
  if output=$("$new/initdb" -D "/tmp/cluster$number" -N -A trust -U postgres -E "$encoding" --lc-collate="$collate" --lc-ctype="$ctype" 2>&1); then
    fact initdb "$encoding $collate $ctype" ok
    [ -n "$cluster" ] || cluster=/tmp/cluster$number
    fact sort-order "$encoding $collate $ctype" "$(echo "$SORT_ORDER" | "$new/postgres" --single -D "/tmp/cluster$number" template1 2>&1 | sed -n 's/.* digest = "\([0-9a-f]*\)".*/\1/p')"
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
fact end

#!/bin/bash
# What the Job of the vendor's page does, move by move, as root: the data directory is renamed first, everything changes its owner
# twice, and nothing is checked that the page does not check.
set -euo pipefail
root=/bitnami/postgresql
bin=/usr/lib/postgresql

[[ $(cat "$root/data/PG_VERSION") == 12 ]]
for leftover in data-12 data-14 data-12.preupgrade; do
  [[ ! -e $root/$leftover ]]
done

mv "$root/data" "$root/data-12"
mkdir -p "$root/data-14" "$root/upgrade-logs"
chmod 0700 "$root/data-12" "$root/data-14"
[[ -f $root/data-12/postgresql.conf ]] || : >"$root/data-12/postgresql.conf"
[[ -f $root/data-12/pg_hba.conf ]] || printf 'local all all trust\nhost all all 127.0.0.1/32 trust\n' >"$root/data-12/pg_hba.conf"
chown -R 999:999 "$root/data-12" "$root/data-14" "$root/upgrade-logs"

gosu postgres "$bin/14/bin/initdb" -D "$root/data-14" --encoding="$ENCODING" --lc-collate="$COLLATE" --lc-ctype="$CTYPE"
cd "$root/upgrade-logs"
gosu postgres "$bin/14/bin/pg_upgrade" --old-bindir="$bin/12/bin" --new-bindir="$bin/14/bin" \
  --old-datadir="$root/data-12" --new-datadir="$root/data-14" --link --jobs=4

[[ $(cat "$root/data-14/PG_VERSION") == 14 ]]
mv "$root/data-12" "$root/data-12.preupgrade"
mv "$root/data-14" "$root/data"
chown -R 1001:1001 "$root/data"

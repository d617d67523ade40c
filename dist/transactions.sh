# shellcheck shell=bash
# How transactions ended, as both clusters have it: that decides which rows anybody sees.

# pg_upgrade copies pg_xact and pg_multixact, and then the new server restores the schemas by transactions of its own. So the new cluster's files are the old
# cluster's up to the number that the old one would have given next, and go on behind it. Sizes: clog.c, multixact.c and slru.h of PostgreSQL, the same in both versions.
# Decision: docs/decisions/0030-comparison.md
readonly SEGMENT_BYTES=$((32 * 8192)) MEMBERS_IN_PAGE=1636 # 409 groups: 4 bytes of flags, then 4 transactions of 4 bytes

expect_same_transactions() {
  local control=$WORK/old-control before after
  mkdir -p "$control/global" # --link has renamed the file, and pg_controldata knows only one name
  cp -- "$DATA/global/$(control_file_of "$DATA")" "$control/global/pg_control"

  read_counters NextXID
  if ((after < before)); then fail "the next transaction of the new cluster is $after, and that of the old cluster $before"; fi
  before=$((before & 0xffffffff)) after=$((after & 0xffffffff))
  compare_segments pg_xact $((before / 4 / SEGMENT_BYTES)) $((before / 4 % SEGMENT_BYTES)) $((after / 4 / SEGMENT_BYTES))
  compare_last_states "$before"

  read_counters NextMultiXactId
  compare_segments pg_multixact/offsets $((before * 4 / SEGMENT_BYTES)) $((before * 4 % SEGMENT_BYTES)) $((after * 4 / SEGMENT_BYTES))

  read_counters NextMultiOffset
  compare_segments pg_multixact/members "$(members_segment "$before")" "$(members_bytes "$before")" "$(members_segment "$after")"
  compare_last_members "$before"
}

read_counters() { # NAME: sets before and after
  before=$(counter "$FROM" "$control" "$1") || fail "pg_control of the old cluster has no $1"
  after=$(counter "$TO" "$NEW" "$1") || fail "pg_control of the new cluster has no $1"
  # numbers begin again at 2^32, but for those of transactions, which have an epoch before them
  if (((after - before & 0xffffffff) >= 1 << 31)); then fail "$1 of the new cluster is $after, and that of the old cluster $before"; fi
}

counter() { # VERSION DIRECTORY NAME
  local value
  value=$(control_field "$1" "$2" "Latest checkpoint's $3") || return 1
  [[ $value =~ ^(([0-9]{1,10}):)?([0-9]{1,10})$ ]] || return 1
  printf %s $(((10#${BASH_REMATCH[2]:-0} << 32) + 10#${BASH_REMATCH[3]}))
}

# The old cluster would have gone on in SEGMENT, behind BYTES. The segments behind that one, up to the new cluster's, have only what is new.
compare_segments() { # DIRECTORY SEGMENT BYTES NEW_SEGMENT
  local file name number
  for file in "$DATA/$1"/*; do
    name=${file##*/}
    if [[ ! $name =~ ^[0-9A-F]{4,6}$ ]]; then continue; fi
    number=$((16#$name))
    if ((number == $2)); then
      compare_bytes "$1/$name" 0 "$3"
    elif ((number < $2 || number > $4)); then
      cmp -s -- "$file" "$NEW/$1/$name" || transactions_differ "$1/$name"
    fi
  done
}

compare_bytes() { # FILE SKIPPED BYTES
  if (($3 > 0)); then cmp -s -i "$2" -n "$3" -- "$DATA/$1" "$NEW/$1" || transactions_differ "$1"; fi
}

transactions_differ() { fail "$1 of the new cluster differs from that of the old cluster: clients would see rows that are not there, or miss rows"; } # FILE

# Four transactions share a byte, the first one in its lowest bits.
compare_last_states() { # NEXT TRANSACTION
  local name old new mask=$(((1 << 2 * ($1 % 4)) - 1))
  if ((mask == 0)); then return; fi
  printf -v name pg_xact/%04X $(($1 / 4 / SEGMENT_BYTES))
  old=$(byte "$DATA/$name" $(($1 / 4 % SEGMENT_BYTES))) || transactions_differ "$name"
  new=$(byte "$NEW/$name" $(($1 / 4 % SEGMENT_BYTES))) || transactions_differ "$name"
  if (((old & mask) != (new & mask))); then transactions_differ "$name"; fi
}

byte() { od -An -v -tu1 -j "$2" -N 1 -- "$1" | grep -o '[0-9]*'; } # FILE AT

members_segment() { printf %s $(($1 / MEMBERS_IN_PAGE / 32)); }
# shellcheck disable=SC2017 # of whole groups
members_bytes() { printf %s $(($1 / MEMBERS_IN_PAGE % 32 * 8192 + $1 % MEMBERS_IN_PAGE / 4 * 20)); }

compare_last_members() { # NEXT MEMBER
  local name at members=$(($1 % MEMBERS_IN_PAGE % 4))
  printf -v name pg_multixact/members/%04X "$(members_segment "$1")"
  at=$(members_bytes "$1")
  compare_bytes "$name" "$at" "$members"
  compare_bytes "$name" $((at + 4)) $((members * 4))
}

const script = `
set -u
export LC_ALL=C
# Where the exec begins would be a place that a process works in.
cd / || exit 1
data=$1 mount=$2 from=$3 to=$4 command=$5
shift 5
kept=$data-$from.preupgrade
going=$kept.cleanup
uid=$(id -u)
marker=$data/.postgresql-upgrade
noted() { [ ! -f "$marker" ] || head -c 4096 "$marker" | sed -n "s/^$1=//p" | sed -n '1{s/[^[:print:]]/ /g;p}'; }
# Whether a path fits into a field of a line.
fits() { case $1 in *'
'* | *'	'*) return 1 ;; esac; }
# What a link leads to, as $place: without a character behind it, a line end at its end would be lost.
follow() { place=$(readlink -fn -- "$1" && printf x); place=\${place%x}; }
is_on_volume() { [ "$(stat -c %m "$1" 2>/dev/null)" = "$(stat -c %m "$data")" ]; }
plain() { printf %s "$1" | tr '\\n\\t' '  '; }
# yes or no; neither where it is not known. Through the environment: awk takes a backslash in a value of its own for an escape.
is_in() { place=$1 awk '{ sub(/\\/$/, "") } $0 == ENVIRON["place"] || index($0, ENVIRON["place"] "/") == 1 { found = 1; exit } END { if (NR) print (found ? "yes" : "no") }'; }
mounts() { awk '{ gsub(/\\\\040/, " ", $5); gsub(/\\\\134/, "\\\\", $5); print $5 }' /proc/self/mountinfo; }
used() { printf 'used\\t%s\\n' "$(plain "$1")"; }
changed() { printf 'changed\\t%s\\n' "$(plain "$1")"; }
stuck() { printf 'stuck\\t%s\\n' "$(plain "$1")"; }

# Without GNU's find and grep nothing below sees anything, and every use would pass.
find / -maxdepth 0 -printf '' && printf 'a\\0b\\0' | grep -qzxF b || exit 1

# What the server reaches through links, has open, or works in. A server works in its data directory: where no process is seen to do so, other uses are not seen either.
live=$(readlink -f "$data")
open=$(find /proc/[0-9]*/cwd /proc/[0-9]*/fd -maxdepth 1 -type l ! -path "/proc/$$/*" -printf '%p %l\\n' 2>/dev/null)
printf '%s\\n' "$open" | live=$live awk '$1 ~ /\\/cwd$/ && substr($0, length($1) + 2) == ENVIRON["live"] { found = 1; exit } END { exit !found }' ||
  { echo "no process is seen to work in $live" >&2; exit 1; }
links() { for link in "$data/pg_wal" "$data"/pg_tblspc/*; do [ -L "$link" ] && readlink -f "$link"; done; }
in_use=$({
  echo "$live"
  links
  { printf '%s\\n' "$open"; echo '- end'; } | sed 's/^[^ ]* //'
} | sort -u)
# Without its last line it is not whole, and a use may be missing.
printf '%s\\n' "$in_use" | grep -qx end || { echo 'what is in use can not be listed' >&2; exit 1; }

# What PostgreSQL $from has in tablespaces, each path to a command. Only the old data directory shows whose they are.
each_space() { # COMMAND
  [ -e "$kept" ] || [ -e "$going" ] || return 0
  for link in "$data"/pg_tblspc/*; do
    [ -L "$link" ] || continue
    follow "$link"
    is_on_volume "$place" || continue
    for path in "$place/PG_\${from}_"[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]; do "$1" "$path"; done
  done
}
listed() { ! fits "$1" || printf 'tablespace\\t%s\\n' "$1"; }
# Byte by byte, since no line can hold it.
odd() { fits "$1" || [ ! -d "$1" ] || printf 'odd\\t%s\\n' "$(printf %s "$1" | od -An -v -tx1 | tr -d ' \\n')"; }

# In the order in which they go: without the old data directory nothing shows whose the rest is. What a killed removal has left of an earlier one goes before it, to make
# room for its rename.
candidates() {
  if [ -e "$kept" ] && [ -e "$going" ]; then printf 'old\\t%s\\n' "$going"; fi
  printf 'old\\t%s\\n' "$kept"
  each_space listed
  printf 'old\\t%s\\n' "$going"
  printf 'logs\\t%s\\n' "$mount/upgrade-logs"
  printf 'state\\t%s\\n' "$mount/.postgresql-upgrade"
}

# Only pg_upgrade --link gives files of the old data directory a second name in the new one.
is_linked() {
  { find "$kept/base" -type f -links +1 -printf 'old %D:%i\\n'; find "$data/base" -type f -links +1 -printf 'new %D:%i\\n'; } 2>/dev/null |
    awk '$1 == "old" { old[$2]; next } $2 in old { found = 1; exit } END { exit !found }'
}

# Whether the old data directory is that of the server which serves. Like obstacle, it says so where nothing is in the way: silence is no answer.
stranger() {
  if [ "$(cat "$kept/PG_VERSION" 2>/dev/null)" != "$from" ]; then used "it is no data directory of PostgreSQL $from"; return; fi
  if [ -e "$kept/postmaster.pid" ]; then used 'it has a postmaster.pid: a server may run on it'; return; fi
  control=$kept/global/pg_control
  [ -f "$control" ] || control=$control.old
  if [ ! -f "$control" ]; then used 'it has no pg_control'; return; fi
  if [ -f "$marker" ]; then
    sum=$(cksum <"$control")
    [ -n "$sum" ] || return
    if [ "$(noted old_control)" = "$sum" ]; then echo free; else changed 'it is not as the upgrade left it: a server was started on it, or it is another one'; fi
    return
  fi
  for path in "$data-$to" "$data-$from"; do
    if [ -e "$path" ]; then used "an upgrade has not ended: $path is there"; return; fi
  done
  if [ -f "$kept/global/pg_control" ] || [ ! -f "$kept/global/pg_control.old" ]; then used 'no pg_upgrade --link has ended on it: its pg_control is not renamed'; return; fi
  if is_linked; then echo free; else used 'the server that runs has none of its files: it may be another one'; fi
}

# What people have put into the old data directory is nowhere else: an upgrade takes with it only what is PostgreSQL's.
theirs() {
  for path in "$kept"/* "$kept"/.[!.]*; do
    [ -e "$path" ] || [ -L "$path" ] || continue
    case \${path##*/} in
      base | global | log | pg_commit_ts | pg_dynshmem | pg_log | pg_logical | pg_multixact | pg_notify | pg_replslot | pg_serial | pg_snapshots | pg_stat | pg_stat_tmp | pg_subtrans) ;;
      pg_tblspc | pg_twophase | pg_wal | pg_xact | PG_VERSION | current_logfiles | postmaster.opts | backup_label.old | tablespace_map.old | recovery.done) ;;
      *.conf | postgresql.auto.conf.* | .postgresql-upgrade | lost+found) ;;
      *) used "it has \${path##*/}, which is not PostgreSQL's"; return ;;
    esac
  done
  echo free
}

# The first reason not to remove it, or free. Where it prints nothing, it could not be judged: a program was killed, or could not be started.
obstacle() { # KIND PATH
  parent=\${2%/*}
  if [ -L "$2" ] || [ ! -d "$2" ]; then used 'it is no directory'; return; fi
  mounted=$(mounts) || return
  case $(printf '%s\\n' "$mounted" | is_in "$2") in
    no) ;;
    yes) used 'something is mounted in it'; return ;;
    *) return ;;
  esac
  case $(printf '%s\\n' "$in_use" | is_in "$(readlink -f "$2")") in
    no) ;;
    yes) used 'it is in use: by a link in the data directory, or by a file that is open'; return ;;
    *) return ;;
  esac
  if [ ! -w "$parent" ] || [ ! -x "$parent" ]; then stuck "UID $uid may not write to $parent"; return; fi
  if [ -k "$parent" ] && [ ! -O "$parent" ] && [ ! -O "$2" ]; then stuck "$parent lets only the owners of its directories remove them"; return; fi
  closed=$(find "$2" -type d '(' ! -readable -o ! -writable -o ! -executable -o -perm -1000 ! -user "$uid" ')' -print -quit 2>/dev/null)
  if [ -n "$closed" ]; then stuck "UID $uid may not remove what is in $closed, which belongs to UID $(stat -c %u "$closed" 2>/dev/null)"; return; fi
  if [ "$2" != "$kept" ]; then echo free; return; fi
  why=$(stranger)
  if [ "$why" = free ]; then theirs; else printf '%s\\n' "$why"; fi
}

judge() { # KIND PATH
  why=$(obstacle "$1" "$2")
  [ -n "$why" ] || why='used\tit could not be judged'
}

# A file that has a name elsewhere stays, so it frees nothing.
size() {
  find "$1" -printf '%D:%i %n %y %b\\n' 2>/dev/null | awk '
    $3 == "d" { sum += $4; next }
    { seen[$1]++; links[$1] = $2; blocks[$1] = $4 }
    END { for (file in seen) if (seen[file] >= links[file]) sum += blocks[file]; printf "%.0f\\n", sum * 512 }'
}

# Whether a removal is at work whose connection broke: by the arguments of its shell.
removing() {
  for line in $(grep -lzxF -e remove /proc/[0-9]*/cmdline 2>/dev/null); do
    if grep -qzxF -e "$data" "$line" 2>/dev/null; then echo yes; return; fi
  done
}

look() {
  candidates | awk '!seen[$0]++' | while IFS='	' read -r kind path; do
    [ -e "$path" ] || [ -L "$path" ] || continue
    judge "$kind" "$path"
    [ "$why" != free ] || why=
    printf 'directory\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\n' "$kind" "$path" "$(stat -c %d:%i "$path")" "$(stat -c %u "$path")" "$(size "$path")" "$why"
  done
  printf 'transfer\\t%s\\n' "$(noted transfer)"
  printf 'run\\t%s\\n' "$(noted run)"
  printf 'removing\\t%s\\n' "$(removing)"
  each_space odd
  for link in "$data/pg_wal" "$data"/pg_tblspc/*; do
    [ -L "$link" ] || continue
    follow "$link"
    is_on_volume "$place" || printf 'outside\\t%s\\n' "$(plain "$place")"
  done
}

left() { printf 'left\\t%s\\t%s\\n' "$1" "$(plain "$2")"; }

# One that stays ends it: what comes after it is told by what is before.
remove() { # ID...
  candidates | while IFS='	' read -r kind path; do
    id=$(stat -c %d:%i "$path" 2>/dev/null) || continue
    case " $* " in *" $id "*) ;; *) left "$path" 'it is not what was listed'; break ;; esac
    judge "$kind" "$path"
    if [ "$why" != free ]; then left "$path" "\${why#*	}"; break; fi
    if [ "$path" = "$kept" ]; then
      if ! said=$(mv -T -- "$kept" "$going" 2>&1); then left "$path" "$said"; break; fi
      continue
    fi
    said=$(rm -rf --one-file-system -- "$path" 2>&1)
    if [ -e "$path" ]; then left "$path" "$(printf %s "$said" | head -n 1)"; break; fi
    printf 'gone\\t%s\\n' "$id"
  done
}

"$command" "$@"
echo end
`;

/**
 * Looks at what an upgrade left on the volume, or removes it. It runs in the server's own container: no second container ever touches the volume of a running server.
 * Before it removes a directory it judges it again, by the same rules. The old data directory is renamed first, since half of one would be no data directory any more.
 * The command of an exec is a part of the URL. Servers and proxies limit that, many of them to 16 KiB with all headers: so comments and indentation are not sent.
 * Decision: docs/decisions/0032-cleanup.md
 */
export const oldFilesScript = script.replaceAll(/^\s*#.*\n/gm, '').replaceAll(/^ +/gm, '');

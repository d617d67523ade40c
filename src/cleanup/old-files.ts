import { upgrade } from '../common/versions.ts';
import { ClusterError } from '../common/errors.ts';
import type { Database } from '../database/database.ts';
import type { Target } from '../target/target.ts';

/** A directory on the server's volume that an upgrade left. */
export interface OldDirectory {
  /** `old`: the data directory of PostgreSQL 12. `tablespace`: what PostgreSQL 12 has in a tablespace. `logs`: of pg_upgrade. `state`: what the upgrade Job notes. */
  readonly kind: 'old' | 'tablespace' | 'logs' | 'state';
  readonly path: string;
  /** Device and inode: another directory of the same name has others. */
  readonly id: string;
  /** UID. */
  readonly owner: number;
  /** What a removal frees: files that have another name elsewhere, as those that pg_upgrade linked, do not count. */
  readonly bytes: number;
  /** Why it must not be removed (`used`), or can't be by the server's user (`stuck`). */
  readonly obstacle?: { readonly is: 'used' | 'stuck'; readonly why: string };
}

export interface OldFiles {
  readonly directories: readonly OldDirectory[];
  /** How pg_upgrade transferred the files; '' where no upgrade of this action says so. */
  readonly transfer: string;
}

/** What a removal has left behind. */
export interface Removed {
  readonly left: readonly { readonly path: string; readonly why: string }[];
  /** How many bytes more the volume has free. The server writes meanwhile. */
  readonly freedBytes: number;
}

/**
 * Looks at what an upgrade left on the volume, or removes it. It runs in the server's own container: no second container ever touches the volume of a running server.
 * Before it removes a directory it judges it again, by the same rules. The old data directory is renamed first, since half of one would be no data directory any more.
 * Decision: docs/decisions/0032-cleanup.md
 */
const script = `
set -u
export LC_ALL=C
data=$1 mount=$2 from=$3 to=$4 command=$5
shift 5
kept=$data-$from.preupgrade
going=$kept.cleanup
uid=$(id -u)
marker=$data/.postgresql-upgrade
noted() { [ ! -f "$marker" ] || sed -n "s/^$1=//p" "$marker"; }
is_in() { awk -v "place=$1" '{ sub(/\\/$/, "") } $0 == place || index($0, place "/") == 1 { found = 1; exit } END { exit !found }'; }
used() { printf 'used\\t%s\\n' "$1"; }
stuck() { printf 'stuck\\t%s\\n' "$1"; }

# What the server reaches through links, has open, or works in.
in_use=$({
  readlink -f "$data"
  for link in "$data/pg_wal" "$data"/pg_tblspc/*; do [ -L "$link" ] && readlink -f "$link"; done
  find /proc/[0-9]*/cwd /proc/[0-9]*/fd -maxdepth 1 -type l -printf '%l\\n' 2>/dev/null
} | sort -u)

candidates() {
  for path in "$going" "$kept"; do printf 'old\\t%s\\n' "$path"; done
  for link in "$data"/pg_tblspc/*; do
    [ -L "$link" ] || continue
    place=$(readlink -f "$link")
    [ "$(stat -c %m "$place" 2>/dev/null)" = "$(stat -c %m "$data")" ] || continue
    for path in "$place/PG_\${from}_"*; do printf 'tablespace\\t%s\\n' "$path"; done
  done
  printf 'logs\\t%s\\n' "$mount/upgrade-logs"
  printf 'state\\t%s\\n' "$mount/.postgresql-upgrade"
}

# The first reason not to remove it, if there is one.
obstacle() { # KIND PATH
  parent=\${2%/*}
  if [ -L "$2" ] || [ ! -d "$2" ]; then used 'it is no directory'; return; fi
  if awk '{ print $5 }' /proc/self/mountinfo | is_in "$2"; then used 'something is mounted in it'; return; fi
  if printf '%s\\n' "$in_use" | is_in "$(readlink -f "$2")"; then used 'the running server uses it: by a link in its data directory, or by a file that is open'; return; fi
  if [ ! -w "$parent" ] || [ ! -x "$parent" ]; then stuck "UID $uid may not write to $parent"; return; fi
  if [ -k "$parent" ] && [ ! -O "$parent" ] && [ ! -O "$2" ]; then stuck "$parent lets only the owners of its directories remove them"; return; fi
  closed=$(find "$2" -type d '(' ! -readable -o ! -writable -o ! -executable -o -perm -1000 ! -user "$uid" ')' -print -quit 2>/dev/null)
  if [ -n "$closed" ]; then stuck "UID $uid may not remove what is in $closed, which belongs to UID $(stat -c %u "$closed" 2>/dev/null)"; return; fi
  if [ "$2" = "$kept" ]; then
    if [ "$(cat "$2/PG_VERSION" 2>/dev/null)" != "$from" ]; then used "it is no data directory of PostgreSQL $from"; return; fi
    if [ -e "$2/postmaster.pid" ]; then used 'it has a postmaster.pid: a server may run on it'; return; fi
    control=$2/global/pg_control
    [ -f "$control.old" ] && control=$control.old
    if [ ! -f "$control" ]; then used 'it has no pg_control'; return; fi
    if [ -f "$marker" ] && [ "$(noted old_control)" != "$(cksum <"$control")" ]; then used 'it is not as the upgrade left it: a server was started on it, or it is another one'; return; fi
  fi
}

# A file that has a name elsewhere stays, so it frees nothing.
size() {
  find "$1" -printf '%D:%i %n %y %b\\n' 2>/dev/null | awk '
    $3 == "d" { sum += $4; next }
    { seen[$1]++; links[$1] = $2; blocks[$1] = $4 }
    END { for (file in seen) if (seen[file] >= links[file]) sum += blocks[file]; printf "%.0f\\n", sum * 512 }'
}

room() { df -Pk "$data" | awk 'NR == 2 { print $4 }'; }

look() {
  candidates | while IFS='	' read -r kind path; do
    [ -e "$path" ] || [ -L "$path" ] || continue
    printf 'directory\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\n' "$kind" "$path" "$(stat -c %d:%i "$path")" "$(stat -c %u "$path")" "$(size "$path")" "$(obstacle "$kind" "$path")"
  done
  printf 'transfer\\t%s\\n' "$(noted transfer)"
}

remove() { # ID...
  printf 'before\\t%s\\n' "$(room)"
  candidates | while IFS='	' read -r kind path; do
    id=$(stat -c %d:%i "$path" 2>/dev/null) || continue
    case " $* " in *" $id "*) ;; *) continue ;; esac
    why=$(obstacle "$kind" "$path")
    if [ -n "$why" ]; then printf 'left\\t%s\\t%s\\n' "$path" "\${why#*	}"; continue; fi
    if [ "$path" = "$kept" ]; then
      if ! said=$(mv -T -- "$kept" "$going" 2>&1); then printf 'left\\t%s\\t%s\\n' "$path" "$(printf %s "$said" | head -n 1)"; continue; fi
      path=$going
    fi
    said=$(rm -rf -- "$path" 2>&1)
    if [ -e "$path" ]; then printf 'left\\t%s\\t%s\\n' "$path" "$(printf %s "$said" | head -n 1)"; fi
  done
  # Some file systems count what is free only when it is written down.
  sync -f "$data" 2>/dev/null || :
  printf 'after\\t%s\\n' "$(room)"
}

"$command" "$@"
echo end
`;

/** Milliseconds. To count the files of a large directory takes a while, and to remove them longer. */
const [lookLimit, removeLimit] = [10 * 60_000, 60 * 60_000];

function commandOf({ dataDirectory, volume }: Target, command: 'look' | 'remove', ids: readonly string[] = []) {
  const { from, to } = upgrade;
  return ['sh', '-c', script, 'sh', dataDirectory, volume.mountPath, String(from), String(to), command, ...ids];
}

/**
 * What an upgrade left on the volume: this action's, or one by the vendor's upgrade page.
 * @throws ClusterError `volume-unreadable`
 */
export async function readOldFiles(database: Database, target: Target): Promise<OldFiles> {
  const { stdout, stderr } = await database.look(commandOf(target, 'look'), lookLimit);
  const rows = rowsOf(stdout);
  const directories = rows.filter(([name]) => name === 'directory').map((row) => directoryOf(row));
  const [transfer] = rows.filter(([name]) => name === 'transfer');
  if (transfer === undefined || !isWhole(stdout) || directories.includes(undefined)) throw unreadable(target, stderr);
  return { directories: directories.filter((one) => one !== undefined), transfer: transfer[1] ?? '' };
}

const kinds: readonly OldDirectory['kind'][] = ['old', 'tablespace', 'logs', 'state'];

/** Undefined for a row that this version's script does not print. */
function directoryOf([, kindName, path = '', id = '', owner = '', bytes = '', is, why = '']: readonly string[]):
  OldDirectory | undefined {
  const kind = kinds.find((one) => one === kindName);
  if (kind === undefined || path === '' || ![owner, bytes].every((text) => /^\d+$/.test(text))) return undefined;
  if (!/^\d+:\d+$/.test(id)) return undefined;
  const found = { kind, path, id, owner: Number(owner), bytes: Number(bytes) };
  if (is === undefined || is === '') return found;
  return is === 'used' || is === 'stuck' ? { ...found, obstacle: { is, why } } : undefined;
}

/**
 * Removes directories that `readOldFiles` has found and that are still as it found them. It may be repeated.
 * @throws ClusterError `volume-unreadable` where it is not known what was removed
 */
export async function removeOldFiles(database: Database, target: Target, ids: readonly string[]): Promise<Removed> {
  const { stdout, stderr } = await database.look(commandOf(target, 'remove', ids), removeLimit);
  const rows = rowsOf(stdout);
  const kilobytes = (name: string) => rows.find(([key]) => key === name)?.[1] ?? '';
  const [before, after] = [kilobytes('before'), kilobytes('after')];
  if (!isWhole(stdout) || ![before, after].every((text) => /^\d+$/.test(text))) throw unreadable(target, stderr);
  return {
    left: rows.filter(([name]) => name === 'left').map(([, path = '', why = '']) => ({ path, why })),
    freedBytes: Math.max(0, Number(after) - Number(before)) * 1024,
  };
}

function rowsOf(stdout: string): string[][] {
  return stdout.split('\n').map((line) => line.split('\t'));
}

function isWhole(stdout: string): boolean {
  return stdout.trimEnd().split('\n').at(-1) === 'end';
}

function unreadable({ podName }: Target, stderr: string): ClusterError {
  return new ClusterError(
    'volume-unreadable',
    `The volume can't be read in pod ${podName}: ${stderr.trim() || 'no answer'}`,
    'Make sure that the pod runs, and that its image has a shell.',
  );
}

import { upgrade } from '../common/versions.ts';
import { ClusterError } from '../common/errors.ts';
import type { Database } from '../database/database.ts';
import type { ExecResult } from '../ports/cluster.ts';
import type { Deps } from '../ports/context.ts';
import { waitFor } from '../ports/wait.ts';
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
  /** Why it must not be removed (`used`; `changed` where it is not as the upgrade left it), or can't be by the server's user (`stuck`). */
  readonly obstacle?: { readonly is: 'used' | 'changed' | 'stuck'; readonly why: string };
}

export interface OldFiles {
  readonly directories: readonly OldDirectory[];
  /** How pg_upgrade transferred the files; '' where no upgrade of this action says so. */
  readonly transfer: string;
  /** Which upgrade of this action made the data directory that serves; '' where none did. */
  readonly run: string;
  /** Whether a removal by an earlier command is at work. */
  readonly isRemoving: boolean;
  /** Where the server has WAL or tablespaces on another file system: no snapshot of its volume holds them. */
  readonly outside: readonly string[];
}

/** What came of a removal. */
export interface Removed {
  /** Ids of those that were seen to be gone. */
  readonly gone: readonly string[];
  readonly left: readonly { readonly path: string; readonly why: string }[];
}

/**
 * Looks at what an upgrade left on the volume, or removes it. It runs in the server's own container: no second container ever touches the volume of a running server.
 * Before it removes a directory it judges it again, by the same rules. The old data directory is renamed first, since half of one would be no data directory any more.
 * Decision: docs/decisions/0032-cleanup.md
 */
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
plain() { printf %s "$1" | tr '\\n\\t' '  '; }
# Through the environment: awk takes a backslash in a value of its own for an escape.
is_in() { place=$1 awk '{ sub(/\\/$/, "") } $0 == ENVIRON["place"] || index($0, ENVIRON["place"] "/") == 1 { found = 1; exit } END { exit !found }'; }
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
  printf '%s\\n' "$open" | sed 's/^[^ ]* //'
} | sort -u)

# In the order in which they go: without the old data directory nothing shows whose the rest is. What a killed removal has left of an earlier one goes before it, to make
# room for its rename.
candidates() {
  if [ -e "$kept" ] && [ -e "$going" ]; then printf 'old\\t%s\\n' "$going"; fi
  printf 'old\\t%s\\n' "$kept"
  if [ -e "$kept" ] || [ -e "$going" ]; then
    for link in "$data"/pg_tblspc/*; do
      [ -L "$link" ] || continue
      place=$(readlink -f "$link")
      case $place in *'
'* | *'	'*) continue ;; esac
      [ "$(stat -c %m "$place" 2>/dev/null)" = "$(stat -c %m "$data")" ] || continue
      for path in "$place/PG_\${from}_"[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]; do printf 'tablespace\\t%s\\n' "$path"; done
    done
  fi
  printf 'old\\t%s\\n' "$going"
  printf 'logs\\t%s\\n' "$mount/upgrade-logs"
  printf 'state\\t%s\\n' "$mount/.postgresql-upgrade"
}

# Only pg_upgrade --link gives files of the old data directory a second name in the new one.
is_linked() {
  { find "$kept/base" -type f -links +1 -printf 'old %D:%i\\n'; find "$data/base" -type f -links +1 -printf 'new %D:%i\\n'; } 2>/dev/null |
    awk '$1 == "old" { old[$2]; next } $2 in old { found = 1; exit } END { exit !found }'
}

# Whether the old data directory is that of the server which serves.
stranger() {
  if [ "$(cat "$kept/PG_VERSION" 2>/dev/null)" != "$from" ]; then used "it is no data directory of PostgreSQL $from"; return; fi
  if [ -e "$kept/postmaster.pid" ]; then used 'it has a postmaster.pid: a server may run on it'; return; fi
  control=$kept/global/pg_control
  [ -f "$control" ] || control=$control.old
  if [ ! -f "$control" ]; then used 'it has no pg_control'; return; fi
  if [ -f "$marker" ]; then
    if [ "$(noted old_control)" != "$(cksum <"$control")" ]; then changed 'it is not as the upgrade left it: a server was started on it, or it is another one'; fi
    return
  fi
  for path in "$data-$to" "$data-$from"; do
    if [ -e "$path" ]; then used "an upgrade has not ended: $path is there"; return; fi
  done
  if [ -f "$kept/global/pg_control" ] || [ ! -f "$kept/global/pg_control.old" ]; then used 'no pg_upgrade --link has ended on it: its pg_control is not renamed'; return; fi
  if ! is_linked; then used 'the server that runs has none of its files: it may be another one'; fi
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
}

# The first reason not to remove it, if there is one.
obstacle() { # KIND PATH
  parent=\${2%/*}
  if [ -L "$2" ] || [ ! -d "$2" ]; then used 'it is no directory'; return; fi
  if mounts | is_in "$2"; then used 'something is mounted in it'; return; fi
  if printf '%s\\n' "$in_use" | is_in "$(readlink -f "$2")"; then used 'it is in use: by a link in the data directory, or by a file that is open'; return; fi
  if [ ! -w "$parent" ] || [ ! -x "$parent" ]; then stuck "UID $uid may not write to $parent"; return; fi
  if [ -k "$parent" ] && [ ! -O "$parent" ] && [ ! -O "$2" ]; then stuck "$parent lets only the owners of its directories remove them"; return; fi
  closed=$(find "$2" -type d '(' ! -readable -o ! -writable -o ! -executable -o -perm -1000 ! -user "$uid" ')' -print -quit 2>/dev/null)
  if [ -n "$closed" ]; then stuck "UID $uid may not remove what is in $closed, which belongs to UID $(stat -c %u "$closed" 2>/dev/null)"; return; fi
  if [ "$2" != "$kept" ]; then return; fi
  why=$(stranger)
  if [ -n "$why" ]; then printf '%s\\n' "$why"; else theirs; fi
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
    printf 'directory\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\n' "$kind" "$path" "$(stat -c %d:%i "$path")" "$(stat -c %u "$path")" "$(size "$path")" "$(obstacle "$kind" "$path")"
  done
  printf 'transfer\\t%s\\n' "$(noted transfer)"
  printf 'run\\t%s\\n' "$(noted run)"
  printf 'removing\\t%s\\n' "$(removing)"
  links | while IFS= read -r place; do
    [ "$(stat -c %m "$place" 2>/dev/null)" = "$(stat -c %m "$data")" ] || printf 'outside\\t%s\\n' "$(plain "$place")"
  done
}

left() { printf 'left\\t%s\\t%s\\n' "$1" "$(plain "$2")"; }

# One that stays ends it: what comes after it is told by what is before.
remove() { # ID...
  candidates | while IFS='	' read -r kind path; do
    id=$(stat -c %d:%i "$path" 2>/dev/null) || continue
    case " $* " in *" $id "*) ;; *) left "$path" 'it is not what was listed'; break ;; esac
    why=$(obstacle "$kind" "$path")
    if [ -n "$why" ]; then left "$path" "\${why#*	}"; break; fi
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

/** Some file systems count what is free only when it is written down. */
const roomScript = `sync -f "$1" 2>/dev/null || :
df -Pk "$1" | awk 'NR == 2 { print $4 }'`;

/** Milliseconds. To count the files of a large directory takes a while, and to remove them longer. */
const [lookLimit, removeLimit] = [10 * 60_000, 60 * 60_000];

/** Milliseconds. */
const betweenLooks = 5000;

type Waiting = Pick<Deps, 'clock' | 'log' | 'signal'>;

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
  const [transfer, run, removing] = ['transfer', 'run', 'removing'].map(
    (key) => rows.find(([name]) => name === key)?.[1],
  );
  const isRead = [transfer, run, removing].every((value) => value !== undefined);
  if (!isRead || !isWhole(stdout) || directories.includes(undefined)) throw unreadable(target, stderr);
  const found = directories.filter((one) => one !== undefined);
  const outside = rows.flatMap(([name, place = '']) => (name === 'outside' ? [place] : []));
  return { directories: found, transfer: transfer ?? '', run: run ?? '', isRemoving: removing !== '', outside };
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
  return is === 'used' || is === 'changed' || is === 'stuck' ? { ...found, obstacle: { is, why } } : undefined;
}

/** A directory as it was listed. */
export type Listed = Pick<OldDirectory, 'id' | 'path'>;

/**
 * Removes directories that `readOldFiles` has found and that are still as it found them. It is sent once: where the connection breaks, a second one could meet the first one at
 * work, so that its end is awaited instead. Whatever it says, another look tells what is gone.
 * @throws ClusterError `volume-unreadable` where it is not known what was removed
 */
export async function removeOldFiles(
  deps: Waiting,
  database: Database,
  target: Target,
  listed: readonly Listed[],
): Promise<Removed> {
  const ids = listed.map(({ id }) => id);
  let answer: ExecResult;
  try {
    answer = await database.command(commandOf(target, 'remove', ids), removeLimit);
  } catch (error) {
    if (!(error instanceof ClusterError && error.code === 'unreachable')) throw error;
    return removedOf(listed, await awaitRemoval(deps, database, target), 'the connection to the pod broke');
  }
  if (!isWhole(answer.stdout)) throw unreadable(target, answer.stderr);
  const rows = rowsOf(answer.stdout).filter(([name]) => name === 'left');
  const left = rows.map(([, path = '', why = '']) => ({ path, why }));
  const seen = removedOf(listed, await readOldFiles(database, target), 'it is still there, and nothing says why');
  return left.length === 0 ? seen : { ...seen, left };
}

/** What is there by its name or by its id is not gone: a volume that was mounted again may have another device. */
function removedOf(listed: readonly Listed[], now: OldFiles, why: string): Removed {
  const isThere = ({ id, path }: Listed) =>
    now.directories.some((one) => one.id === id || [path, `${path}.cleanup`].includes(one.path));
  return {
    gone: listed.filter((one) => !isThere(one)).map(({ id }) => id),
    left: listed.filter(isThere).map(({ path }) => ({ path, why })),
  };
}

/** No removal is at work, and nothing has changed between two looks: one that had not begun would have. */
async function awaitRemoval(deps: Waiting, database: Database, target: Target): Promise<OldFiles> {
  let before = '';
  const what = `the removal in pod ${target.podName} to end, whose connection broke`;
  return await waitFor({ what, limit: removeLimit, ...deps }, async () => {
    await deps.clock.sleep(betweenLooks, deps.signal);
    const now = await readOldFiles(database, target);
    const same = JSON.stringify(now.directories.map(({ id, bytes }) => [id, bytes]));
    if (same === before && !now.isRemoving) return { done: now };
    before = same;
    return { pending: `${String(now.directories.length)} directories are there` };
  });
}

/**
 * How many bytes the server's volume has free.
 * @throws ClusterError `volume-unreadable`
 */
export async function readFreeBytes(database: Database, target: Target): Promise<number> {
  const { stdout, stderr } = await database.look(['sh', '-c', roomScript, 'sh', target.dataDirectory], lookLimit);
  if (!/^\d+\n?$/.test(stdout)) throw unreadable(target, stderr);
  return Number(stdout) * 1024;
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

import type { Database } from './database.ts';
import { ClusterError } from '../common/errors.ts';
import type { Transfer } from '../inputs/transfer.ts';
import type { Target } from '../target/target.ts';

/** The server's volume, as its own pod sees it. */
export interface VolumeFiles {
  readonly userId: number;
  readonly dataOwner: number;
  readonly dataMode: string;
  readonly dataVersion: string;
  /** The data directory and its parent are on one mount, so that a directory beside it can share files. */
  readonly sameFilesystem: boolean;
  readonly filesystem: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Undefined where the file system makes inodes as it needs them (btrfs). */
  readonly freeInodes: number | undefined;
  /** Files of tables and indexes, tablespaces and large objects included, without the catalogs'. */
  readonly data: { readonly kilobytes: number; readonly files: number };
  /** The room that the Job will require before it begins (room.awk), by its transfer mode. */
  readonly room: Readonly<Record<TransferMode, Room>>;
  /** Names beside the data directory and at the root of the mount. */
  readonly entries: readonly string[];
  /** Paths in the data directory that belong to somebody else; the first few. */
  readonly foreignFiles: readonly string[];
  /** Where pg_wal leads to, when it is a link; empty when it leads nowhere. */
  readonly walLink: string | undefined;
  /** Locations of tablespaces that the upgrade Job can't find: it mounts only this volume. */
  readonly strayTablespaces: readonly string[];
  /** The data directory, and directories named as in another state of an upgrade. Empty where there is no such directory: measuring takes time. */
  readonly clusters: readonly FoundCluster[];
}

/** How files get into the new cluster, as the Job decides it. */
export type TransferMode = Exclude<Transfer, 'auto'>;

interface Room {
  readonly kilobytes: number;
  readonly inodes: number;
}

/** What the server's user can see of a data directory; an upgrade as root may have left it unreadable. */
export interface FoundCluster {
  readonly path: string;
  readonly owner: number;
  readonly readable: boolean;
  /** Of PG_VERSION; empty when there is none or it is not readable. */
  readonly version: string;
  /** pg_upgrade --link renames it, since the files then belong to both clusters. */
  readonly control: 'pg_control' | 'pg_control.old' | 'none';
  /** Has files of tables that are not initdb's own. */
  readonly hasTables: boolean;
  /** Of the databases, without tablespaces. */
  readonly megabytes: number;
}

/** Only reads. It runs in the server's own container: no second container ever touches the volume of a running server. */
const script = `
set -u
data=$1 mount=$2 parent=$(dirname "$1")
echo "userId=$(id -u)"
echo "dataOwner=$(stat -c %u "$data")"
echo "dataMode=$(stat -c %a "$data")"
echo "dataVersion=$(cat "$data/PG_VERSION")"
[ "$(stat -c %d "$data")" = "$(stat -c %d "$parent")" ] && ! grep -q " $data " /proc/self/mountinfo && echo sameFilesystem=yes
echo "filesystem=$(stat -f -c %T "$data")"
echo "freeKilobytes=$(df -Pk "$data" | awk 'NR == 2 { print $4 }')"
echo "totalKilobytes=$(df -Pk "$data" | awk 'NR == 2 { print $2 }')"
databases=$(find "$data/base" -mindepth 1 -maxdepth 1 -name '[0-9]*' | wc -l)
status=$(du -sk "$data/pg_xact" "$data/pg_multixact" | awk '{ sum += $1 } END { print sum + 0 }')
# All have the size that initdb was given, in bytes.
segment=$(find "$data/pg_wal/" -maxdepth 1 -type f -name '[0-9A-F]*' -size +1000k -printf '%s\\n' | head -1)
echo "databases=$databases"
echo "segment=$segment"
for directory in "$data/base/" "$data"/pg_tblspc/*/; do
  [ -d "$directory" ] && find "$directory" -path '*/PG_14_*' -prune -o -type f -name '[0-9]*' -printf '%f %k %s\\n'
done | awk -v "databases=$databases" -v "segment=$segment" -v "status=$status" "$3" | sed 's/ /=/; s/^/room-/'
echo "inodes=$(df -Pi "$data" | awk 'NR == 2 { print $2, $4 }')"
[ -L "$data/pg_wal" ] && echo "walLink=$(readlink -f "$data/pg_wal")"
root=$(readlink -f "$mount")
for link in "$data"/pg_tblspc/*; do
  [ -L "$link" ] || continue
  place=$(readlink "$link")
  # By its name and by where that leads: a link in the container is not there in the Job, and another mount below this one isn't either.
  case $place in "$mount"/* | "$root"/*) case $(readlink -f "$place") in "$root"/*) [ "$(stat -c %m "$place")" = "$(stat -c %m "$data")" ] && continue ;; esac ;; esac
  echo "strayTablespace=$place"
done
for entry in "$parent"/* "$mount"/*; do [ -e "$entry" ] && echo "entry=$entry"; done
# Not "! -user", which is also true of what is gone before find can look at it: PostgreSQL replaces pg_internal.init at any time.
uid=$(id -u)
LC_ALL=C find "$data" \\( -uid "+$uid" -o -uid "-$uid" \\) -printf 'foreignFile=%p\\n' 2>&1 |
  sed -n -e '/^foreignFile=/p' -e '/: No such file or directory$/d' -e 's/^find: /foreignFile=/p' | head -5
set -- "$data-12" "$data-14" "$data-12.preupgrade" "$data/data-14"
beside=
for cluster in "$@"; do [ -d "$cluster" ] && beside=yes; done
for cluster in "$data" "$@"; do
  [ -n "$beside" ] && [ -d "$cluster" ] || continue
  readable=no control=none tables=no
  [ -r "$cluster" ] && [ -x "$cluster" ] && readable=yes
  for name in pg_control.old pg_control; do [ -f "$cluster/global/$name" ] && control=$name; done
  find "$cluster/base" "$cluster"/pg_tblspc/*/ -type f -name '[0-9]*' -printf '%f\\n' 2>/dev/null | awk -F '[._]' '$1 >= 16384 { found = 1; exit } END { exit !found }' && tables=yes
  echo "cluster=$(stat -c %u "$cluster") $readable $(cat "$cluster/PG_VERSION" 2>/dev/null || echo -) $control $tables $(du -sm "$cluster/base" 2>/dev/null | awk '{ print $1 + 0 }' | grep . || echo 0) $cluster"
done
echo end=yes
`;

/** @param roomProgram text of room.awk */
export async function readVolumeFiles(database: Database, target: Target, roomProgram: string): Promise<VolumeFiles> {
  const { dataDirectory, volume } = target;
  const result = await database.command(['sh', '-c', script, 'sh', dataDirectory, volume.mountPath, roomProgram]);
  const rows = result.stdout
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const);
  const all = (name: string) => rows.filter(([key]) => key === name).map(([, value]) => value);
  const one = (name: string) => all(name)[0] ?? '';
  const room = (name: string): Room => {
    const [kilobytes = NaN, inodes = NaN] = one(name).split(' ').map(Number);
    return { kilobytes, inodes };
  };
  // A running server has databases and WAL: without them, find has failed. A number that awk did not print is not 0.
  const counts = [one('freeKilobytes'), one('databases'), one('segment')];
  const pairs = ['room-link', 'room-clone', 'room-copy', 'room-data'].map(one);
  const wereCounted =
    counts.every((count) => /^\d+$/.test(count)) &&
    one('databases') !== '0' &&
    pairs.every((pair) => /^\d+ \d+$/.test(pair));
  if (one('end') !== 'yes' || !wereCounted)
    throw new ClusterError(
      'volume-unreadable',
      `The volume can't be read in pod ${target.podName}: ${result.stderr.trim() || 'no answer'}`,
      'Make sure that the pod runs, and that its image has a shell.',
    );
  const data = room('room-data');
  return {
    userId: Number(one('userId')),
    dataOwner: Number(one('dataOwner')),
    dataMode: one('dataMode'),
    dataVersion: one('dataVersion'),
    sameFilesystem: one('sameFilesystem') === 'yes',
    filesystem: one('filesystem'),
    totalBytes: Number(one('totalKilobytes')) * 1024,
    freeBytes: Number(one('freeKilobytes')) * 1024,
    freeInodes: freeInodes(one('inodes')),
    data: { kilobytes: data.kilobytes, files: data.inodes },
    room: { link: room('room-link'), clone: room('room-clone'), copy: room('room-copy') },
    entries: [...new Set(all('entry'))].sort(),
    foreignFiles: all('foreignFile'),
    walLink: all('walLink')[0],
    strayTablespaces: all('strayTablespace'),
    clusters: all('cluster').map(parseCluster),
  };
}

/** A line of the script: owner, readable, version or -, pg_control's name, tables, megabytes, path. */
function parseCluster(line: string): FoundCluster {
  const [owner = '', readable, version = '-', control, tables, megabytes = '', ...path] = line.split(' ');
  return {
    path: path.join(' '),
    owner: Number(owner),
    readable: readable === 'yes',
    version: version === '-' ? '' : version,
    control: control === 'pg_control' || control === 'pg_control.old' ? control : 'none',
    hasTables: tables === 'yes',
    megabytes: Number(megabytes),
  };
}

/** The free inodes of `all free`, as df prints them; a file system without a limit has 0 in all. */
function freeInodes(text: string): number | undefined {
  const [all = 0, free = 0] = text.split(' ').map(Number);
  return all > 0 ? free : undefined;
}

import { upgrade } from '../common/versions.ts';
import { ClusterError } from '../common/errors.ts';
import type { Database } from '../database/database.ts';
import type { ExecResult } from '../ports/cluster.ts';
import type { Deps } from '../ports/context.ts';
import { waitFor } from '../ports/wait.ts';
import type { Target } from '../target/target.ts';
import { oldFilesScript } from './old-files-script.ts';

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
  /** Directories of PostgreSQL 12 in tablespaces whose paths have a line end or a tab: none of them is removed. */
  readonly odd: readonly string[];
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
  return ['sh', '-c', oldFilesScript, 'sh', dataDirectory, volume.mountPath, String(from), String(to), command, ...ids];
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
  const odd = rows.flatMap(([name, hex = '']) => (name === 'odd' ? [pathOf(hex)] : []));
  return { directories: found, odd, transfer: transfer ?? '', run: run ?? '', isRemoving: removing !== '', outside };
}

function pathOf(hex: string): string {
  return new TextDecoder().decode(Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)));
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

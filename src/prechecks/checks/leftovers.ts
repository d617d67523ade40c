import type { Target } from '../../target/target.ts';
import { type Answer, copyable, failed, shell } from '../../findings/finding.ts';
import type { FoundCluster } from '../../database/volume-files.ts';

/**
 * Judges the clusters beside the running one, after a failed upgrade by another way. The vendor's Job renames `data` to `data-12` first, and restores
 * nothing. The server's image then creates an empty cluster in `data`, which must never be upgraded instead of the real one.
 * @returns undefined when there is none beside it
 */
export function judgeClusters(clusters: readonly FoundCluster[], target: Target): Answer | undefined {
  const serving = clusters.find((cluster) => cluster.path === target.dataDirectory);
  const others = clusters.filter((cluster) => cluster !== serving);
  if (serving === undefined || others.length === 0) return undefined;
  const evidence = [serving, ...others].map(describe);
  const data = target.dataDirectory;
  const nested = others.find((cluster) => cluster.path.startsWith(`${data}/`));
  if (nested !== undefined) {
    return failed(
      'Stop the applications now, and delete nothing. An earlier upgrade moved its new cluster into a data directory that had appeared meanwhile. docs/recovery.md says which one is right.',
      `the new cluster of an earlier upgrade is nested in the data directory: ${nested.path}`,
      ...evidence,
    );
  }
  const real = others.find((cluster) => isOld(cluster, data) && (cluster.hasTables || !cluster.readable));
  if (real !== undefined && !serving.hasTables) {
    return failed(
      `Stop the applications and the server, and delete nothing: the data is in ${real.path}. ${byHand(target)}: ${copyable(swapIn(real, target))}`,
      `the server runs on an EMPTY cluster in ${data}; the data is in ${real.path}`,
      ...evidence,
    );
  }
  const old = others.find((cluster) => isOld(cluster, data));
  if (old !== undefined) {
    return failed(
      `Find out which cluster has the right data before you do anything else, and delete nothing. If the running one has it, move the other one aside (${byHand(target)}: ${copyable(shell`mv ${old.path} ${`${old.path}.aside`}`)}).`,
      ...evidence,
    );
  }
  return failed(
    `${byHand(target)}: ${copyable(shell`mv ${`${data}-14`} ${`${data}-14.aside`}`)} (a failed try left it). Remove it once the upgrade is done.`,
    ...evidence,
  );
}

function isOld({ path }: FoundCluster, data: string): boolean {
  return path === `${data}-12` || path === `${data}-12.preupgrade`;
}

/** Moves the empty cluster aside, and the real one to its place. */
function swapIn({ path, control }: FoundCluster, { dataDirectory: data, userId }: Target): string {
  const [empty, linked, owner] = [`${data}.empty`, `${path}/global/pg_control`, String(userId)];
  return control === 'pg_control.old'
    ? shell`mv ${data} ${empty} && rm -rf ${`${data}-14`} && mv ${`${linked}.old`} ${linked} && mv ${path} ${data} && chown -R ${owner} ${data}`
    : shell`mv ${data} ${empty} && mv ${path} ${data} && chown -R ${owner} ${data}`;
}

function byHand({ statefulSet, volume, userId }: Target): string {
  return `With StatefulSet ${statefulSet.metadata?.name ?? ''} at 0 replicas, in a pod that mounts ${volume.claimName} (docs/recovery.md has such a pod; what belongs to another user needs chown as root first, the rest runs as UID ${String(userId)})`;
}

function describe({ path, owner, readable, version, control, hasTables, megabytes }: FoundCluster): string {
  const what = readable
    ? `PostgreSQL ${version === '' ? 'without a version' : version}, ${control === 'none' ? 'no pg_control' : control}, ${hasTables ? `with tables, ${String(megabytes)} MiB` : 'EMPTY: no tables but those of initdb'}`
    : "the server can't read it";
  return `left over: ${path} (UID ${String(owner)}): ${what}`;
}

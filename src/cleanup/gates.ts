import { upgrade } from '../common/versions.ts';
import type { Known, Unknown } from '../common/known.ts';
import { sentence } from '../common/errors.ts';
import { jobName } from '../objects/upgrade-job.ts';
import { journalName } from '../objects/journal-name.ts';
import { hasGate } from '../objects/scheduling-gate.ts';
import { grantRemedy } from '../permissions/grants.ts';
import { needed, permissionName } from '../permissions/permissions.ts';
import { serverNames } from '../target/server-names.ts';
import { volumeUsersAmong } from '../target/volume-users.ts';
import { copyable } from '../text/commands.ts';
import { remedyOf, remedyText, shellRemedy, type Remedy } from '../text/remedy.ts';
import { shell } from '../text/shell.ts';
import type { CleanupFacts } from './facts.ts';
import { healthySince, never } from './health.ts';
import type { Inventory } from './inventory.ts';
import { hasJobName, isAtWork } from './ours.ts';

/** One condition without which nothing is removed. */
export interface Gate {
  readonly id: string;
  readonly title: string;
  readonly status: 'met' | 'unmet' | 'unknown';
  /** What was seen. */
  readonly said: string;
  /** What to do; there unless it is met. */
  readonly remedy?: Remedy;
}

type Answer = Pick<Gate, 'status' | 'said' | 'remedy'>;

function met(said: string): Answer {
  return { status: 'met', said };
}

function unmet(said: string, remedy: string | Remedy): Answer {
  return { status: 'unmet', said, remedy: remedyOf(remedy) };
}

const again = 'Look at what the message says, then run again.';

/** What can't be read is never taken for met. */
function ifKnown<T>(fact: Known<T>, judge: (value: T) => Answer): Answer {
  return fact.known ? judge(fact.value) : notRead(fact);
}

function notRead({ reason, remedy }: Unknown): Answer {
  return { status: 'unknown', said: reason, remedy: remedy ?? { text: again } };
}

const to = String(upgrade.to);

interface Row {
  readonly id: string;
  readonly title: string;
  readonly judge: (facts: CleanupFacts, inventory: Inventory) => Answer;
}

/** In the order in which they are told. */
const rows: readonly Row[] = [
  { id: 'rights', title: 'Rights of the account', judge: rights },
  { id: 'journal', title: 'No open upgrade', judge: ended },
  { id: 'version', title: `PostgreSQL ${to} serves`, judge: version },
  { id: 'ready', title: 'The server is ready', judge: ready },
  { id: 'healthy', title: `PostgreSQL ${to} has been healthy for long enough`, judge: healthy },
  { id: 'at-work', title: 'Nothing is at work on the volume', judge: atWork },
  { id: 'directories', title: 'No use of the old directories', judge: directoryUse },
  { id: 'removable', title: "The server's user can remove them", judge: removable },
  { id: 'objects', title: 'No use of snapshots, claims and volumes', judge: objectUse },
  { id: 'backup', title: `A backup of PostgreSQL ${to}`, judge: backup },
];

/** Judges each condition by the facts alone. */
export function judgeGates(facts: CleanupFacts, inventory: Inventory): Gate[] {
  return rows.map(({ id, title, judge }) => ({ id, title, ...judge(facts, inventory) }));
}

function rights({ missing, target }: CleanupFacts): Answer {
  return ifKnown(missing, (all) => {
    const lacking = needed(all);
    if (lacking.length === 0) return met('the account has each right that a cleanup needs');
    return unmet(
      `the account lacks ${lacking.map(permissionName).join(', ')}`,
      grantRemedy('cleanup', lacking, serverNames(target), ''),
    );
  });
}

function ended({ history, target }: CleanupFacts): Answer {
  if (!history.known) {
    const remove = shell`kubectl -n ${target.namespace} delete configmap ${journalName}`;
    const text = history.remedy === undefined ? again : remedyText(history.remedy);
    return {
      status: 'unknown',
      said: history.reason,
      remedy: {
        text: `${sentence(text)} If you know that the upgrade has ended, and nobody needs its journal, delete the journal: ${copyable(remove)}. The cleanup then goes by what Kubernetes says of PostgreSQL's pod.`,
      },
    };
  }
  const { value } = history;
  if (value === undefined) return met('there is no journal of an upgrade');
  return value.outcome === undefined
    ? unmet('an upgrade has not ended', 'Run "mode: upgrade" with the same inputs: it resumes that upgrade.')
    : met(`the last upgrade has ended as ${value.outcome}`);
}

function version({ server }: CleanupFacts): Answer {
  return ifKnown(server, ({ version: serves, versionNumber, inRecovery }) => {
    if (Math.floor(versionNumber / 10_000) !== upgrade.to)
      return unmet(`PostgreSQL ${serves} serves`, `Upgrade to PostgreSQL ${to} first.`);
    return inRecovery
      ? unmet(`PostgreSQL ${serves} is in recovery`, 'Wait until it has ended its recovery, then run again.')
      : met(`PostgreSQL ${serves} serves`);
  });
}

function ready({ target }: CleanupFacts): Answer {
  const { pod, podName, namespace, replicas, statefulSet } = target;
  const look = shellRemedy(
    'Find out why the server is not ready. Then run again.',
    shell`kubectl -n ${namespace} describe pod ${podName}`,
  );
  if (replicas !== 1 || hasGate(statefulSet.spec?.template.spec))
    return unmet(`the StatefulSet has ${String(replicas)} replicas, or is kept from starting`, look);
  if (pod === undefined) return unmet(`there is no pod ${podName}`, look);
  const isReady = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
  if (pod.metadata?.deletionTimestamp !== undefined) return unmet(`pod ${podName} is being deleted`, look);
  return isReady ? met(`pod ${podName} is ready`) : unmet(`pod ${podName} is not ready`, look);
}

function healthy(facts: CleanupFacts): Answer {
  const found = healthySince(facts);
  const { now, inputs } = facts;
  if (found === undefined)
    return {
      status: 'unknown',
      said: "neither a journal nor the pod's status says since when the server runs",
      remedy: { text: 'Run again when the server is ready.' },
    };
  const { since, why } = found;
  const hours = `${String(inputs.healthyFor / 3_600_000)} h`;
  if (since.getTime() === never.getTime())
    return unmet(
      `it is not known since when: ${why}`,
      'Run again when PostgreSQL has a new pod that has run long enough.',
    );
  const then = new Date(since.getTime() + inputs.healthyFor);
  return now >= then
    ? met(`since ${since.toISOString()}: ${why}`)
    : unmet(
        `since ${since.toISOString()} only: ${why}. It has to be ${hours}`,
        `Run again after ${then.toISOString()}.`,
      );
}

function atWork({ jobs, pods, target }: CleanupFacts): Answer {
  return ifKnown(jobs, (all) =>
    ifKnown(pods, (running) => {
      const names = all.filter((job) => hasJobName(job) && isAtWork(job)).map(({ metadata }) => metadata?.name ?? '');
      const users = volumeUsersAmong(running, target);
      if (names.length === 0 && users.length === 0)
        return met(`no Job ${jobName} is at work, and no other pod uses the volume`);
      const found = [
        ...names.map((name) => `Job ${name} is at work`),
        ...users.map((pod) => `pod ${pod} uses the volume`),
      ];
      return unmet(found.join('; '), 'Wait until they have ended, then run again.');
    }),
  );
}

function directoryUse({ files, settings }: CleanupFacts): Answer {
  return ifKnown(files, ({ directories }) =>
    ifKnown(settings, (names) => {
      const used = directories.filter(({ obstacle }) => obstacle?.is === 'used');
      const said = [
        ...used.map(({ path, obstacle }) => `${path}: ${obstacle?.why ?? ''}`),
        ...names.map((name) => `the setting ${name} of the server names the old data directory`),
      ];
      if (said.length === 0) return met('nothing uses a directory that an upgrade left');
      return unmet(
        said.join('; '),
        'Find out what uses it. If it is not what the upgrade left, move it elsewhere. Then run again.',
      );
    }),
  );
}

function removable({ files, target }: CleanupFacts): Answer {
  return ifKnown(files, ({ directories }) => {
    const stuck = directories.filter(({ obstacle }) => obstacle?.is === 'stuck');
    if (stuck.length === 0) return met(`UID ${String(target.userId)} can remove each of them`);
    return unmet(
      stuck.map(({ path, obstacle }) => `${path}: ${obstacle?.why ?? ''}`).join('; '),
      ownerRemedy(
        target,
        stuck.map(({ path }) => path),
      ),
    );
  });
}

/**
 * The action never runs as root. A container of a person's own in the server's pod reaches the volume through the root directory of the server's process: no second pod mounts the
 * volume of a running server.
 */
function ownerRemedy(
  { namespace, podName, container, userId }: CleanupFacts['target'],
  paths: readonly string[],
): Remedy {
  const profile = JSON.stringify({ securityContext: { runAsUser: 0, runAsNonRoot: false } });
  const inside = paths.map((path) => `/proc/1/root${path}`);
  return shellRemedy(
    `Give them to the server's user. Only this needs root, and the namespace has to admit it. Without --target, no container reaches the volume. Then run again.`,
    shell`echo ${profile} >as-root.json`,
    shell`kubectl -n ${namespace} debug ${podName} -it --target ${container.name} --image ${container.image ?? ''} --profile general --custom as-root.json -- chown -R ${String(userId)} ${inside}`,
  );
}

function objectUse(facts: CleanupFacts, { uses, left }: Inventory): Answer {
  const lists = ['claims', 'snapshots', 'contents', 'volumes', 'attachments', 'pods'] as const;
  const [unread] = lists.flatMap((name) => (facts[name].known ? [] : [facts[name]]));
  if (unread !== undefined) return notRead(unread);
  if (uses.length > 0)
    return unmet(uses.join('; '), 'Wait until nothing uses them, or remove what uses them. Then run again.');
  return met(
    left.length === 0 ? 'nothing uses them' : `nothing uses them; ${String(left.length)} others are left alone`,
  );
}

function backup({ inputs, snapshotClass, target }: CleanupFacts): Answer {
  const external = `Make a backup of PostgreSQL ${to} outside of the cluster. Then set "backup: external" and "confirm-external-backup: ${target.namespace}".`;
  if (inputs.backup === 'external') return met('outside of the cluster, as "confirm-external-backup" says');
  if (inputs.backup !== 'snapshot')
    return unmet(
      `a cleanup takes no backup of the kind "${inputs.backup}", since the server runs meanwhile`,
      `Set "backup: snapshot". If the storage has no snapshots: ${external}`,
    );
  return ifKnown(snapshotClass, ({ driver, chosen, candidates }) => {
    if (chosen !== undefined)
      return met(`the cleanup takes a VolumeSnapshot of class ${chosen.metadata.name} before it removes anything`);
    return unmet(
      driver === undefined
        ? 'the volume has no CSI driver, so that the storage takes no snapshots'
        : `no VolumeSnapshotClass fits driver ${driver}${candidates.length > 1 ? ` alone: ${candidates.join(', ')}` : ''}`,
      `${candidates.length > 1 ? 'Set "volume-snapshot-class". ' : ''}${external}`,
    );
  });
}

/** The conditions that are not met. */
export function unmetGates(gates: readonly Gate[]): Gate[] {
  return gates.filter(({ status }) => status !== 'met');
}

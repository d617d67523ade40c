import { upgrade } from '../common/versions.ts';
import { sentence } from '../common/errors.ts';
import { jobName } from '../objects/upgrade-job.ts';
import { journalName } from '../objects/journal-name.ts';
import { hasGate } from '../objects/scheduling-gate.ts';
import { grantRemedy } from '../permissions/grants.ts';
import { needed, permissionName } from '../permissions/permissions.ts';
import { serverNames } from '../target/server-names.ts';
import { volumeUsersAmong } from '../target/volume-users.ts';
import { copyable } from '../text/commands.ts';
import { remedyText, shellRemedy } from '../text/remedy.ts';
import { shell } from '../text/shell.ts';
import { again, ifKnown, met, notRead, unmet, type Answer, type Gate } from './answer.ts';
import { directoryUse, removable } from './directory-gates.ts';
import { isUpgradeOf, saysUpgraded, type CleanupFacts } from './facts.ts';
import { healthySince, never } from './health.ts';
import type { Inventory } from './inventory.ts';
import { hasJobName, isAtWork } from './ours.ts';

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

function ended(facts: CleanupFacts): Answer {
  const { history, target, files } = facts;
  const without = withoutJournal(target);
  if (!history.known) {
    const text = history.remedy === undefined ? again : remedyText(history.remedy);
    return { status: 'unknown', said: history.reason, remedy: { text: `${sentence(text)} ${without}` } };
  }
  const { value } = history;
  if (value === undefined) return met('there is no journal of an upgrade');
  if (saysUpgraded(facts) && !files.known) return notRead(files);
  if (saysUpgraded(facts) && !isUpgradeOf(facts))
    return {
      status: 'unknown',
      said: 'the journal says `upgraded`, but the data directory, claim or volume that serves is not the one of that upgrade',
      remedy: {
        text: `Find out where the data of that upgrade is, and which data PostgreSQL ${to} serves. Remove nothing before that is clear. ${without}`,
      },
    };
  return value.outcome === undefined
    ? unmet('an upgrade has not ended', 'Run "mode: upgrade" with the same inputs: it resumes that upgrade.')
    : met(`the last upgrade has ended as ${value.outcome}`);
}

/** How to go on where the journal is in the way. */
function withoutJournal({ namespace }: CleanupFacts['target']): string {
  const remove = copyable(shell`kubectl -n ${namespace} delete configmap ${journalName}`);
  return `If you know that the upgrade has ended, and nobody needs its journal, delete the journal: ${remove}. The cleanup then goes by what Kubernetes says of PostgreSQL's pod, and by what is on the volume.`;
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
  const { pod, podName, namespace, replicas, statefulSet, volume } = target;
  const look = shellRemedy(
    'Find out why the server is not ready. Then run again.',
    shell`kubectl -n ${namespace} describe pod ${podName}`,
  );
  if (volume.claim.metadata?.deletionTimestamp !== undefined)
    return unmet(
      `PersistentVolumeClaim ${volume.claimName} is being deleted`,
      'Find out who deleted the claim. Its volume must keep the policy Retain. Give it to a new claim of that name before PostgreSQL is started again.',
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
  const { now, inputs, target } = facts;
  if (found === undefined && isUpgradeOf(facts))
    return {
      status: 'unknown',
      said: 'the journal does not say when the upgrade restarted the applications',
      remedy: { text: withoutJournal(target) },
    };
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

function atWork({ jobs, pods, files, target }: CleanupFacts): Answer {
  return ifKnown(jobs, (all) =>
    ifKnown(pods, (running) => {
      const names = all.filter((job) => hasJobName(job) && isAtWork(job)).map(({ metadata }) => metadata?.name ?? '');
      const users = volumeUsersAmong(running, target);
      const found = [
        ...(files.known && files.value.isRemoving
          ? [`an earlier cleanup removes directories in pod ${target.podName}`]
          : []),
        ...names.map((name) => `Job ${name} is at work`),
        ...users.map((pod) => `pod ${pod} uses the volume`),
      ];
      if (found.length === 0) return met(`no Job ${jobName} is at work, and no other pod uses the volume`);
      return unmet(found.join('; '), 'Wait until they have ended, then run again.');
    }),
  );
}

function objectUse(facts: CleanupFacts, { uses, left }: Inventory): Answer {
  const lists = ['claims', 'snapshots', 'contents', 'volumes', 'attachments', 'pods', 'rehearsals'] as const;
  const [unread] = lists.flatMap((name) => (facts[name].known ? [] : [facts[name]]));
  if (unread !== undefined) return notRead(unread);
  if (uses.length > 0)
    return unmet(uses.join('; '), 'Wait until nothing uses them, or remove what uses them. Then run again.');
  return met(
    left.length === 0 ? 'nothing uses them' : `nothing uses them; ${String(left.length)} others are left alone`,
  );
}

function backup({ inputs, snapshotClass, files, target }: CleanupFacts): Answer {
  const external = `Make a backup of PostgreSQL ${to} outside of the cluster. Then set "backup: external" and "confirm-external-backup: ${target.namespace}".`;
  if (inputs.backup === 'external') return met('outside of the cluster, as "confirm-external-backup" says');
  if (inputs.backup !== 'snapshot')
    return unmet(
      `a cleanup takes no backup of the kind "${inputs.backup}", since the server runs meanwhile`,
      `Set "backup: snapshot". If the storage has no snapshots: ${external}`,
    );
  const outside = files.known ? files.value.outside : [];
  if (outside.length > 0)
    return unmet(`a VolumeSnapshot of the server's volume does not hold ${outside.join(', ')}`, external);
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

import { backUpNew } from '../cleanup/backup.ts';
import { readCleanupFacts, type CleanupFacts } from '../cleanup/facts.ts';
import { judgeGates, unmetGates, type Gate } from '../cleanup/gates.ts';
import { healthySince, never } from '../cleanup/health.ts';
import { inventoryOf, type Inventory } from '../cleanup/inventory.ts';
import { removeItems } from '../cleanup/remove.ts';
import { bytesText } from '../common/bytes.ts';
import { CancelledError, PrecheckError } from '../common/errors.ts';
import { missingPermissions } from '../permissions/permissions.ts';
import type { ClusterReader, LeasedCluster } from '../ports/cluster.ts';
import { chooseSnapshotClass } from '../prechecks/facts/gather.ts';
import { gateLine, itemLine, leftLine } from '../report/cleanup-lines.ts';
import type { CleanupReport } from '../report/report-shape.ts';
import { fencingTokenOf } from '../objects/fencing-token.ts';
import { discover } from '../target/discover.ts';
import { serverNames } from '../target/server-names.ts';
import { volumeName, type Target } from '../target/target.ts';
import type { Remedy } from '../text/remedy.ts';
import { awaitNoHolder, expectNoHolder, findHolding } from '../lock/lease.ts';
import { withUpgradeLease } from '../lock/upgrade-lease.ts';
import { findServer, type FoundServer } from './check-server.ts';
import type { ClusterModeContext } from './mode.ts';

/** What a cleanup has seen, and what it would do. */
interface Survey {
  readonly facts: CleanupFacts;
  readonly inventory: Inventory;
  readonly gates: readonly Gate[];
}

/**
 * Removes what the upgrade kept as the way back to PostgreSQL 12, once nobody needs it. Lists first what it would remove, and removes nothing where one condition is not met.
 * A dry run ends with the list.
 * Decision: docs/decisions/0032-cleanup.md
 * @throws PrecheckError `cleanup-blocked`
 */
export async function cleanup(given: ClusterModeContext): Promise<void> {
  const { namespace, dryRun } = given.inputs;
  // Before anything is read: a run that lives still changes it.
  if (dryRun) await expectNoHolder(given.cluster, namespace);
  else await awaitNoHolder(given, namespace);
  const { context, server } = await findServer(given);
  const { log, progress, signal, runId } = context;
  const first = await look(context, server, context.cluster.interruptedBy(signal), server.target);
  progress.cleanup = reportOf(first);
  await tell(context, first);
  const { target } = server;
  const lease = { namespace, statefulSet: target.name, applications: [], volume: volumeName(target) ?? '' };
  if (isNothingLeft(first)) {
    if (!dryRun && (await isHeldByDead(context, target)))
      await withUpgradeLease(context, lease, runId, () => Promise.resolve());
    progress.verdict = 'cleaned-up';
    log.annotate('notice', 'cleaned up', 'There is nothing to remove. Nothing was changed.');
    return;
  }
  expectMet(first.gates);
  const total = `${String(first.inventory.items.length)} items, ${bytesText(totalBytes(first))} by their sizes`;
  if (dryRun) {
    progress.verdict = 'passed';
    log.annotate('notice', 'dry run', `The cleanup would remove ${total}. Nothing was changed.`);
    return;
  }
  if (signal.aborted) throw new CancelledError('the cleanup had removed nothing');
  await withUpgradeLease(context, lease, runId, (cluster) => removeAll(context, server, cluster));
  const freed = bytesText(progress.cleanup.freedBytes ?? 0);
  progress.verdict = 'cleaned-up';
  log.annotate(
    'notice',
    'cleaned up',
    `Removed ${total}. The server's volume has ${freed} more free, as measured. PostgreSQL 12 can't be restored any more.`,
  );
}

/** Whether a run that died at its very end has left its Lease, or its label on the server's objects. */
async function isHeldByDead(
  { cluster, inputs }: ClusterModeContext,
  { statefulSet, volume }: Target,
): Promise<boolean> {
  const isLabelled = [statefulSet, volume.persistentVolume].some((object) => fencingTokenOf(object) !== undefined);
  return isLabelled || (await findHolding(cluster, inputs.namespace)) !== undefined;
}

/** Under the Lease, so that the server and what is listed are as no other run leaves them. */
async function removeAll(context: ClusterModeContext, server: FoundServer, leased: LeasedCluster): Promise<void> {
  const { log, progress, inputs, signal, timeline } = context;
  const cluster = leased.interruptedBy(signal);
  const before = await look(context, server, cluster, await discover(cluster, inputs));
  expectMet(before.gates);
  const database = server.database.over(cluster);
  const removed = new Set<string>();
  const removal = {
    ...{ clock: context.clock, log, signal, cluster, database, inputs, target: before.facts.target },
    onRemoved: ({ id }: { readonly id: string }) => removed.add(id),
  };
  const title = 'Back up PostgreSQL 14';
  const backup = await log.group(title, () =>
    timeline.phase('cleanup-backup', title, () => backUpNew(removal, before.facts)),
  );
  // The storage may have taken its time.
  const now = await look(context, server, cluster, await discover(cluster, inputs));
  expectMet(now.gates);
  const given = { ...removal, target: now.facts.target };
  const removing = 'Remove what the upgrade kept';
  let freedBytes: number | undefined;
  try {
    await log.group(removing, () =>
      timeline.phase('cleanup-remove', removing, async () => {
        freedBytes = await removeItems(given, now.inventory.items);
      }),
    );
  } finally {
    progress.cleanup = { ...reportOf(now, removed), backup: backup && `VolumeSnapshot ${backup}`, freedBytes };
  }
}

async function look(
  { cluster: unleased, inputs, log, timeline }: ClusterModeContext,
  { database, seal }: FoundServer,
  cluster: ClusterReader,
  target: Target,
): Promise<Survey> {
  const title = 'Look at what the upgrade kept';
  const facts = await log.group(title, () =>
    timeline.phase('cleanup-look', title, () =>
      readCleanupFacts({
        ...{ cluster, target, seal, inputs },
        database: database.over(cluster),
        readSnapshotClass: () => chooseSnapshotClass(cluster, target, inputs.volumeSnapshotClass),
        readMissing: () => missingPermissions(unleased, serverNames(target), 'cleanup'),
      }),
    ),
  );
  const inventory = inventoryOf(facts);
  return { facts, inventory, gates: judgeGates(facts, inventory) };
}

/** All that could be there was read, and nothing of it is. */
function isNothingLeft({ facts, inventory, gates }: Survey): boolean {
  const isMet = (id: string) => gates.find((gate) => gate.id === id)?.status === 'met';
  const isRead = [facts.files, facts.jobs, facts.history].every((fact) => fact.known);
  return inventory.items.length === 0 && isRead && isMet('journal') && isMet('objects');
}

function expectMet(gates: readonly Gate[]): void {
  const unmet = unmetGates(gates);
  if (unmet.length === 0) return;
  const commands = unmet.flatMap(({ remedy }) => remedy?.commands ?? []);
  const remedy: Remedy = {
    text: unmet.map(({ title, remedy: one }) => `${title}: ${one?.text ?? ''}`).join(' '),
    ...(commands.length === 0 ? {} : { commands }),
  };
  throw new PrecheckError(
    'cleanup-blocked',
    `${unmet.length === 1 ? 'A condition' : `${String(unmet.length)} conditions`} of the cleanup ${unmet.length === 1 ? 'is' : 'are'} not met: ${unmet.map(({ title, said }) => `${title}: ${said}`).join('; ')}. Nothing was removed.`,
    remedy,
  );
}

async function tell({ log }: ClusterModeContext, survey: Survey): Promise<void> {
  const { gates, items, left } = reportOf(survey);
  await log.group(`What a cleanup removes: ${String(items.length)}`, () => {
    for (const item of items) log.info(itemLine(item));
    for (const one of left) log.info(leftLine(one));
    return Promise.resolve();
  });
  await log.group('Conditions of the cleanup', () => {
    for (const gate of gates) log.info(gateLine(gate));
    return Promise.resolve();
  });
}

function datedHealth(facts: CleanupFacts): Date | undefined {
  const since = healthySince(facts)?.since;
  return since?.getTime() === never.getTime() ? undefined : since;
}

function totalBytes({ inventory }: Survey): number {
  return inventory.items.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
}

/** @param removed ids of the items that were seen to be gone */
function reportOf({ facts, inventory, gates }: Survey, removed: ReadonlySet<string> = new Set()): CleanupReport {
  return {
    healthySince: datedHealth(facts)?.toISOString(),
    gates: gates.map(({ id, title, status, said }) => ({ id, title, status, said })),
    items: inventory.items.map(({ id, kind, name, bytes, why }) => ({
      kind,
      name,
      bytes,
      why,
      isRemoved: removed.has(id),
    })),
    left: [...inventory.left],
    areSizesUpperBounds: facts.files.known && facts.files.value.transfer === 'clone',
  };
}

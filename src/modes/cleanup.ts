import { backUpNew } from '../cleanup/backup.ts';
import { readCleanupFacts, type CleanupFacts } from '../cleanup/facts.ts';
import type { Gate } from '../cleanup/answer.ts';
import { judgeGates, unmetGates } from '../cleanup/gates.ts';
import { healthySince, never } from '../cleanup/health.ts';
import { inventoryOf, type Inventory } from '../cleanup/inventory.ts';
import { removeItems } from '../cleanup/remove.ts';
import { bytesText } from '../common/bytes.ts';
import { CancelledError, PrecheckError, UpgradeError } from '../common/errors.ts';
import { missingPermissions } from '../permissions/permissions.ts';
import type { ClusterReader, LeasedCluster } from '../ports/cluster.ts';
import { chooseSnapshotClass } from '../prechecks/facts/gather.ts';
import { awaitDeadRehearsal, readLeftovers, removeLeftovers } from '../rehearsal/leftovers.ts';
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
  else {
    await awaitNoHolder(given, namespace);
    await awaitDeadRehearsal(given, namespace);
  }
  const { context, server } = await findServer(given);
  const { log, progress, signal, runId } = context;
  const looking = lookingAt(context, server);
  const first = await look(looking, context.cluster.interruptedBy(signal), server.target);
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
  if (dryRun) {
    progress.verdict = 'passed';
    const listed = totalOf(progress.cleanup.items);
    log.annotate('notice', 'dry run', `The cleanup would remove ${listed}. Nothing was changed.`);
    return;
  }
  if (signal.aborted) throw new CancelledError('the cleanup had removed nothing');
  await withUpgradeLease(context, lease, runId, (cluster) => removeAll(looking, cluster));
  const { items, freedBytes } = progress.cleanup;
  const total = totalOf(items.filter(({ isRemoved }) => isRemoved));
  const freed =
    freedBytes === undefined ? '' : ` The server's volume has ${bytesText(freedBytes)} more free, as measured.`;
  progress.verdict = 'cleaned-up';
  log.annotate('notice', 'cleaned up', `Removed ${total}.${freed} PostgreSQL 12 can't be restored any more.`);
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
async function removeAll(looking: Looking, leased: LeasedCluster): Promise<void> {
  const { context, server } = looking;
  const { log, progress, inputs, signal, timeline } = context;
  const cluster = leased.interruptedBy(signal);
  const database = server.database.over(cluster);
  const removed = new Set<string>();
  let latest: readonly Gate[] = [];
  let freedBytes: number | undefined;
  const before = await look(looking, cluster, await discover(cluster, inputs));
  progress.cleanup = reportOf(before);
  expectMet(before.gates);
  const removal = {
    ...{ clock: context.clock, log, signal, cluster, database, inputs, target: before.facts.target },
    onRemoved: ({ id }: { readonly id: string }) => {
      removed.add(id);
    },
    onFreed: (bytes: number) => {
      freedBytes = bytes;
    },
    lookAgain: async () => {
      // Nothing of what the upgrade kept is judged by what rehearsals have left.
      const rehearsals = () => Promise.resolve({ items: [], left: [] });
      const { inventory, gates } = await survey(looking, cluster, await discover(cluster, inputs), rehearsals);
      latest = gates;
      const { what, remedy } = unmetText(gates) ?? {};
      if (what !== undefined && remedy !== undefined)
        throw new UpgradeError('cleanup-stopped', `The cleanup stopped, and removed nothing more: ${what}.`, remedy);
      return inventory.items;
    },
  };
  const title = 'Back up PostgreSQL 14';
  // What rehearsals have left is no way back to anything.
  const needsBackup = before.inventory.items.length > 0;
  const takeBackup = () => timeline.phase('cleanup-backup', title, () => backUpNew(removal, before.facts));
  const backup = needsBackup ? await log.group(title, takeBackup) : undefined;
  // The storage may have taken its time.
  const now = await look(looking, cluster, await discover(cluster, inputs));
  latest = now.gates;
  const report = () => {
    const seen = reportOf({ ...now, gates: latest }, removed);
    progress.cleanup = { ...seen, backup: backup && `VolumeSnapshot ${backup}`, freedBytes };
  };
  report();
  expectMet(latest);
  const given = { ...removal, target: now.facts.target };
  const removing = 'Remove what the upgrade kept';
  try {
    await log.group(removing, () =>
      timeline.phase('cleanup-remove', removing, async () => {
        await removeItems(given, now.inventory.items);
        if (now.inventory.ofRehearsals.length > 0)
          await removeLeftovers(context, context.runId, { ...given, seal: server.seal });
      }),
    );
  } finally {
    report();
  }
}

/** What each look works with. The rights of the account are asked for once. */
interface Looking {
  readonly context: ClusterModeContext;
  readonly server: FoundServer;
  readonly readMissing: () => ReturnType<typeof missingPermissions>;
}

function lookingAt(context: ClusterModeContext, server: FoundServer): Looking {
  let asked: ReturnType<typeof missingPermissions> | undefined;
  const readMissing = () => (asked ??= missingPermissions(context.cluster, serverNames(server.target), 'cleanup'));
  return { context, server, readMissing };
}

async function look(looking: Looking, cluster: ClusterReader, target: Target): Promise<Survey> {
  const { log, timeline } = looking.context;
  const title = 'Look at what the upgrade kept';
  return await log.group(title, () => timeline.phase('cleanup-look', title, () => survey(looking, cluster, target)));
}

async function survey(
  { context, server, readMissing }: Looking,
  cluster: ClusterReader,
  target: Target,
  readRehearsals: () => ReturnType<typeof readLeftovers> = () => readLeftovers(cluster, { target, seal: server.seal }),
): Promise<Survey> {
  const { inputs } = context;
  const { database, seal } = server;
  const facts = await readCleanupFacts({
    ...{ cluster, target, seal, inputs },
    database: database.over(cluster),
    readSnapshotClass: () => chooseSnapshotClass(cluster, target, inputs.volumeSnapshotClass),
    readMissing,
    readRehearsals,
  });
  const inventory = inventoryOf(facts);
  return { facts, inventory, gates: judgeGates(facts, inventory) };
}

/** All that could be there was read, and nothing of it is. */
function isNothingLeft({ facts, inventory, gates }: Survey): boolean {
  const isMet = (id: string) => gates.find((gate) => gate.id === id)?.status === 'met';
  const isRead = [facts.files, facts.jobs, facts.history].every((fact) => fact.known);
  const { items, ofRehearsals } = inventory;
  return items.length + ofRehearsals.length === 0 && isRead && isMet('journal') && isMet('objects');
}

function expectMet(gates: readonly Gate[]): void {
  const { what, remedy } = unmetText(gates) ?? {};
  if (what === undefined || remedy === undefined) return;
  throw new PrecheckError(
    'cleanup-blocked',
    `Conditions of the cleanup are not met: ${what}. Nothing was removed.`,
    remedy,
  );
}

/** Which conditions are not met, and what to do; undefined where all are. */
function unmetText(gates: readonly Gate[]): { readonly what: string; readonly remedy: Remedy } | undefined {
  const unmet = unmetGates(gates);
  if (unmet.length === 0) return undefined;
  const commands = unmet.flatMap(({ remedy }) => remedy?.commands ?? []);
  const text = unmet.map(({ title, remedy }) => `${title}: ${remedy?.text ?? ''}`).join(' ');
  return {
    what: unmet.map(({ title, said }) => `${title}: ${said}`).join('; '),
    remedy: { text, ...(commands.length === 0 ? {} : { commands }) },
  };
}

async function tell({ log }: ClusterModeContext, seen: Survey): Promise<void> {
  const { gates, items, left } = reportOf(seen);
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

function totalOf(items: readonly { readonly bytes?: number | undefined }[]): string {
  const bytes = items.reduce((sum, item) => sum + (item.bytes ?? 0), 0);
  return `${String(items.length)} items, ${bytesText(bytes)} by their sizes`;
}

/** @param removed ids of the items that were seen to be gone */
function reportOf({ facts, inventory, gates }: Survey, removed: ReadonlySet<string> = new Set()): CleanupReport {
  return {
    healthySince: datedHealth(facts)?.toISOString(),
    gates: gates.map(({ id, title, status, said }) => ({ id, title, status, said })),
    items: [...inventory.items, ...inventory.ofRehearsals].map(({ id, kind, name, bytes, why }) => ({
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

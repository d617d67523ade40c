import { describe, WaitError } from '../../common/errors.ts';
import type { Context, Step, PlanContext } from '../contract/step.ts';
import { timeToCome, type Move } from '../../report/planned-step.ts';
import { boot, freeNames, makeCopy, planBoot, removeCopy } from './copy.ts';
import { planTrial, tryCopy } from './cold-copy.ts';
import { copyClaim, copyName } from '../../objects/copy.ts';
import { sourceOf, type Backup, type Source } from '../../objects/backup.ts';
import type { RehearsalProof } from '../../facts/facts.ts';
import { awaitSnapshot } from '../../storage/await-snapshot.ts';
import { afterLateCut, cutTiming, writeMark } from '../../storage/cut-timing.ts';
import { stateBeforeJob } from './backup-ready.ts';
import { askForSnapshot, planSnapshot, removeSnapshot } from './snapshot.ts';
import { snapshotName } from '../../objects/snapshot.ts';
import { secondsSince } from '../../ports/clock.ts';

/**
 * Tests backup and restore once before the downtime, while the server
 * runs: takes a snapshot (or clone), makes a volume from it, starts PostgreSQL 12 on that. A copy is of a stopped server only: its room is tried.
 * So whatever the storage can't do is found when it costs nothing, and the
 * snapshot in the downtime stores the difference only. Where a rehearsal has restored such a copy, only the snapshot is taken.
 * Decision: docs/decisions/0005-backup.md
 */
export const proveBackup: Step = {
  id: 'prove-backup',
  title: 'Prove that a backup of the volume can be restored',
  undoTitle: 'Remove what proved the backup',

  plan(draft) {
    const { record, inputs, rehearsal } = draft;
    const { kind } = record.backup;
    if (kind === 'external') return [];
    if (kind === 'copy') return inputs.verifyBackup ? planTrial(draft) : [];
    const { moves, name } = live[kind].plan(draft);
    if (rehearsal !== undefined) return [planRehearsed(rehearsal), ...moves];
    if (!inputs.verifyBackup) return moves;
    return [...moves, ...(kind === 'snapshot' ? [planMark] : []), ...planProof(draft, sourceOf({ kind, name }))];
  },

  async run(context) {
    const { journal } = context;
    const { kind } = journal.record.backup;
    // In a downtime that another run began, it would only prolong the downtime.
    if (kind === 'external' || journal.noted.downSince !== undefined) return;
    if (kind === 'copy') {
      if (context.inputs.verifyBackup) await tryCopy(context);
      return;
    }
    const isProved = await isRehearsed(context);
    // A restore needs them, whoever has proved that it works.
    if (isProved) await freeNames(context);
    const name = await live[kind].make(context);
    if (isProved || !context.inputs.verifyBackup) {
      expectWait(context);
      return;
    }
    const { clock, timeline } = context;
    const begun = clock.monotonic();
    try {
      await start(context, sourceOf({ kind, name }));
      // The backup is a clone of the volume on which PostgreSQL 12 is started, too.
      if (kind === 'clone') timeline.expect({ backup: secondsSince(clock, begun) });
    } catch (error) {
      if (!(error instanceof WaitError)) throw error;
      context.results.warnings.push(
        `PostgreSQL 12 did not start on a copy of the volume within "verify-backup-timeout", so the backup is not proved: ${describe(error)}`,
      );
      await removeCopy(context);
    }
  },

  async undo(context) {
    await removeProof(context);
  },
};

interface Live {
  plan(draft: PlanContext): { readonly moves: Move[]; readonly name: string };
  /** Makes it, if something has to be made. @returns its name */
  make(context: Context): Promise<string>;
}

/** The source for the proof of each kind of backup: a snapshot of the running server, or its claim, which is cloned. */
const live: Readonly<Record<Exclude<Backup['kind'], 'copy'>, Live>> = {
  snapshot: {
    plan: (draft) => ({
      moves: [planSnapshot(draft, 'live', 'the end of the upgrade')],
      name: snapshotName(draft.target, 'live', timeToCome),
    }),
    make: liveSnapshot,
  },
  clone: {
    plan: ({ target }) => ({ moves: [], name: target.volume.claimName }),
    make: ({ target }) => Promise.resolve(target.volume.claimName),
  },
};

function planProof(draft: PlanContext, source: Source): Move[] {
  const until = 'the backup is proved';
  const claim = copyClaim(draft.target, copyName(draft.target), source);
  return [
    { does: 'create', resource: 'persistentvolumeclaims', object: claim, until },
    ...planBoot(draft, copyName(draft.target), until),
  ];
}

function planRehearsed({ run, at }: RehearsalProof): Move {
  return {
    does: 'run',
    what: `The backup was proved by the rehearsal of ${at} (${run}): no copy is made, and PostgreSQL 12 is not started on one.`,
  };
}

/** What `writeMark` will do. */
const planMark: Move = {
  does: 'run',
  what: 'In the server: write 8 KiB into the WAL (pg_logical_emit_message) and switch its file (pg_switch_wal). That shows whether the snapshot was cut before.',
};

/** Whether a rehearsal has proved the backup. A run that resumes goes by what the journal says of that: the rehearsal may be too old by then. */
async function isRehearsed({ journal, rehearsal, results, log }: Context): Promise<boolean> {
  if (rehearsal !== undefined) {
    const { run, at, cuts } = rehearsal;
    await journal.noteAll({ rehearsal: { run, at }, ...(cuts === undefined ? {} : { cuts }) });
  }
  const { rehearsal: noted, cuts } = journal.noted;
  if (noted === undefined) return false;
  const which = `the rehearsal of ${noted.at} (${noted.run})`;
  results.backupProof = { by: 'rehearsal', ...noted };
  log.info(`The backup is proved by ${which}: no copy is made, and PostgreSQL 12 is not started on one`);
  if (cuts === 'late')
    results.warnings.push(`In ${which} the storage cut the snapshot later than it said. ${afterLateCut}`);
  return true;
}

/** Where the backup must be ready before pg_upgrade, the cut does not predict it, and there is nothing to wait for afterwards. */
function expectWait(context: Context): void {
  const { journal, timeline } = context;
  if (journal.record.backup.kind === 'snapshot' && stateBeforeJob(context) === 'ready')
    timeline.expect({ backup: undefined, 'backup-ready': 0 });
}

/** What it takes until it is ready predicts it for the backup. One that an earlier run asked for is no measure of that, and was cut some time ago. */
async function liveSnapshot(context: Context): Promise<string> {
  const { clock, inputs, journal, timeline } = context;
  const asked = clock.monotonic();
  const { name, isNew } = await askForSnapshot(context, 'live');
  const isRehearsed = journal.noted.rehearsal !== undefined;
  if (isNew && (isRehearsed || inputs.verifyBackup)) {
    await awaitSnapshot(context, name, 'cut');
    timeline.expect({ backup: secondsSince(clock, asked) });
    if (!isRehearsed) await writeMark(context, (position) => journal.note('mark', { snapshot: name, position }));
  }
  await awaitSnapshot(context, name, 'ready');
  const seconds = (clock.monotonic() - asked - (timeline.expectedTime('upgrade-job') ?? 0)) / 1000;
  // Where nothing waits for it in the downtime, however long it takes is none of it.
  if (isNew && timeline.expectedTime('backup-ready') !== 0)
    timeline.expect({ 'backup-ready': Math.max(0, Math.round(seconds)) });
  return name;
}

async function start(context: Context, source: Source): Promise<void> {
  const limit = context.inputs.verifyBackupTimeout;
  await makeCopy(context, source);
  const { message, walEnd } = await boot(context, copyName(context.target), {
    ...{ jobStartTimeout: limit, jobTimeout: limit },
  });
  context.log.info(message);
  context.results.backupProof = { by: 'upgrade' };
  if (source.kind === 'VolumeSnapshot') await judgeCut(context, source.name, walEnd);
  expectWait(context);
  await removeCopy(context);
  context.log.info('Removed the copy');
}

/**
 * Notes whether the snapshot was cut in time.
 * @param walEnd where PostgreSQL 12 on a copy of the snapshot ended its recovery
 */
async function judgeCut(
  { journal, results, log }: Context,
  snapshot: string,
  walEnd: string | undefined,
): Promise<void> {
  const { mark } = journal.noted;
  const timing = cutTiming(snapshot, mark?.snapshot === snapshot ? mark.position : undefined, walEnd);
  if (timing === undefined) {
    log.info(
      'It is unknown whether the storage cuts snapshots in time. The action waits for the backup before pg_upgrade',
    );
    return;
  }
  const { cuts, seen } = timing;
  await journal.note('cuts', cuts);
  if (cuts === 'in-time') log.info(seen);
  else results.warnings.push(`${seen} ${afterLateCut}`);
}

/** Removes what the proof left, once the backup itself exists or is not needed. */
export async function removeProof(context: Context): Promise<void> {
  const { live: snapshot, copy, exchange } = context.journal.noted;
  // After the exchange the copy's volume is the server's.
  if (copy !== undefined && exchange === undefined) await removeCopy(context);
  if (snapshot === undefined) {
    context.log.info('No VolumeSnapshot of the running server is left');
    return;
  }
  await removeSnapshot(context, snapshot);
  context.log.info(`Deleted VolumeSnapshot ${snapshot} of the running server`);
}

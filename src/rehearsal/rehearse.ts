import { CancelledError, describe, isLeaseLost, isRunError, sentence } from '../common/errors.ts';
import { digestsIn, type Digests } from '../database/digests.ts';
import { blocks, passed, unknown, warning, type Answer } from '../findings/finding.ts';
import type { Restored } from './backup-proof.ts';
import type { RehearsalContext } from './context.ts';
import { removeRecord } from './record.ts';
import type { Memory, Stage } from './stage.ts';
import { extensions, pages, sortOrder, statistics } from './stages/after-start.ts';
import { copy } from './stages/copy.ts';
import { isolation } from './stages/isolation.ts';
import { pgUpgrade, recovery } from './stages/jobs.ts';
import { data, measurement, start } from './stages/servers.ts';
import { sweep } from './sweep.ts';

/** In their order; one that does not pass keeps the later ones from running. */
const stages: readonly Stage[] = [
  ...[isolation, copy, recovery, measurement],
  ...[pgUpgrade, start, data],
  ...[extensions, statistics, sortOrder, pages],
];

/** What a stage has found. */
export interface RehearsalFinding extends Answer {
  readonly id: string;
  readonly title: string;
}

const notRun = 'Did not run, because of';

/** Whether the stage ran: others only follow from the one that kept them from it. */
export function hasRun({ evidence }: RehearsalFinding): boolean {
  return evidence[0]?.startsWith(notRun) !== true;
}

/** What came of a rehearsal. */
export interface Rehearsal {
  readonly findings: readonly RehearsalFinding[];
  /** Of the copy; undefined where they could not be read. */
  readonly databases: Digests | undefined;
  /** imageIDs of the upgrade Job and of PostgreSQL 14, as their pods had them; undefined for one that did not run. */
  readonly images: readonly [string | undefined, string | undefined];
  /** What stages measured besides their own time, by ids. */
  readonly seconds: Readonly<Record<string, number>>;
  /** Undefined where PostgreSQL 12 did not start on the copy. */
  readonly restored: Restored | undefined;
}

/**
 * The whole upgrade on a copy of the volume, while production serves. Removes first what an earlier rehearsal left, also its result, and at the end all that it made.
 * Decision: docs/decisions/0034-rehearsal.md
 * @returns a finding for each stage, unknown for one that did not run; and what it is valid for
 * @throws CancelledError; UpgradeError `lease-lost` when an upgrade began meanwhile; ClusterError `rehearsal-foreign` where something of its names is not a rehearsal's
 */
export async function rehearse(context: RehearsalContext): Promise<Rehearsal> {
  const { log, cluster, target } = context;
  const earlier = await sweep(context);
  for (const name of earlier.removed) log.info(`Removed ${name}, which an earlier rehearsal had left`);
  if (earlier.late !== undefined)
    log.annotate('warning', 'rehearsal', `${sentence(earlier.late.what)} ${earlier.late.remedy}`);
  await removeRecord(cluster, target.namespace);
  const memory: Memory = { seconds: {} };
  let findings: RehearsalFinding[];
  try {
    findings = await runStages(context, memory);
  } catch (error) {
    await removeAll(context);
    throw error;
  }
  const databases = memory.before && digestsIn(memory.before.answers);
  const images = [memory.upgradeImage, memory.servingImage] as const;
  const { cuts, seconds } = memory;
  const restored = hasRestored(findings) ? { copying: context.copying, cuts } : undefined;
  return { findings: [...findings, await removeAll(context)], databases, images, seconds, restored };
}

function hasRestored(findings: readonly RehearsalFinding[]): boolean {
  const status = findings.find(({ id }) => id === recovery.id)?.status;
  return status === 'passed' || status === 'warning';
}

async function runStages(context: RehearsalContext, memory: Memory): Promise<RehearsalFinding[]> {
  const { log, timeline, signal } = context;
  const findings: RehearsalFinding[] = [];
  let stopped: string | undefined;
  for (const stage of stages) {
    const { id, title } = stage;
    if (stopped !== undefined) {
      findings.push({ id, title, ...unknown(`See "${stopped}".`, `${notRun} "${stopped}"`) });
      continue;
    }
    if (signal.aborted) throw new CancelledError(title);
    const answer = await log.group(title, () => timeline.phase(id, title, () => answerOf(stage, context, memory)));
    findings.push({ id, title, ...answer });
    if (blocks(answer, 'failed')) stopped = title;
  }
  return findings;
}

/** What could not be seen is unknown. A loss of the Lease and a cancellation end the rehearsal. */
async function answerOf(stage: Stage, context: RehearsalContext, memory: Memory): Promise<Answer> {
  try {
    return await stage.run(context, memory);
  } catch (error) {
    if (error instanceof CancelledError || isLeaseLost(error) || !isRunError(error)) throw error;
    return unknown(error.remedy, describe(error));
  }
}

/**
 * Whatever happened; a cancellation does not cut it short. Who has taken the Lease removes all of it, and refuses this run's removals.
 * @returns the finding about it
 */
async function removeAll(context: RehearsalContext): Promise<RehearsalFinding> {
  const { log, timeline } = context;
  const about = { id: 'rehearsal-removal', title: 'Removal of what the rehearsal made' };
  return await log.group(about.title, () =>
    timeline.phase(about.id, about.title, async () => {
      try {
        const { removed, late } = await sweep({ ...context, signal: new AbortController().signal });
        const evidence = removed.length === 0 ? 'Nothing was there' : `Removed ${removed.join(', ')}`;
        return { ...about, ...(late === undefined ? passed(evidence) : warning(late.remedy, late.what, evidence)) };
      } catch (error) {
        if (!isRunError(error)) throw error;
        const left = warning(error.remedy, `Not all was removed: ${describe(error)}`);
        if (!isLeaseLost(error)) log.annotate('warning', about.id, left.evidence.join(' '));
        return { ...about, ...left };
      }
    }),
  );
}

import { rehearsedCut, rehearsedReady } from '../../facts/facts.ts';
import { passed } from '../../findings/finding.ts';
import type { Source } from '../../objects/backup.ts';
import { rehearsalClaim, rehearsalName, rehearsalSnapshot } from '../../objects/rehearsal.ts';
import { secondsSince } from '../../ports/clock.ts';
import { awaitSnapshot } from '../../storage/await-snapshot.ts';
import { writeMark } from '../../storage/cut-timing.ts';
import type { RehearsalContext } from '../context.ts';
import type { Memory, Stage } from '../stage.ts';

/** A volume of its own, from a snapshot of the running server or as a clone of its volume. */
export const copy: Stage = {
  id: 'rehearsal-copy',
  title: 'Copy of the volume',

  async run(context, memory) {
    const { cluster, target, mark } = context;
    const { source, evidence } = await sourceOfCopy(context, memory);
    await cluster.create('persistentvolumeclaims', rehearsalClaim(target, source, mark), {
      namespace: target.namespace,
    });
    return passed(
      ...evidence,
      `PersistentVolumeClaim ${rehearsalName(target)} is made from ${source.kind} ${source.name}`,
      `The copy may take up to ${sizeOf(target)} in the same storage until it is removed. Where volumes share a pool, a full pool would stop PostgreSQL`,
    );
  },
};

function sizeOf({ volume: { claim, persistentVolume } }: RehearsalContext['target']): string {
  return persistentVolume?.spec?.capacity?.['storage'] ?? claim.spec?.resources?.requests?.['storage'] ?? 'its size';
}

async function sourceOfCopy(
  context: RehearsalContext,
  memory: Memory,
): Promise<{ source: Source; evidence: string[] }> {
  const { cluster, target, copying, mark, clock } = context;
  if (copying.kind === 'clone')
    return { source: { kind: 'PersistentVolumeClaim', name: target.volume.claimName }, evidence: [] };
  const name = rehearsalName(target);
  const asked = clock.monotonic();
  await cluster.create('volumesnapshots', rehearsalSnapshot(target, copying.className, mark), {
    namespace: target.namespace,
  });
  await awaitSnapshot(context, name, 'cut');
  const cut = secondsSince(clock, asked);
  // As the proof of the backup does it.
  await writeMark(context, (position) => {
    memory.mark = position;
  });
  await awaitSnapshot(context, name, 'ready');
  const ready = secondsSince(clock, asked);
  Object.assign(memory.seconds, { [rehearsedCut]: cut, [rehearsedReady]: ready });
  return {
    source: { kind: 'VolumeSnapshot', name },
    evidence: [`VolumeSnapshot ${name} was cut after ${String(cut)} s, and ready after ${String(ready)} s`],
  };
}

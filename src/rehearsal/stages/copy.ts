import { passed } from '../../findings/finding.ts';
import type { Source } from '../../objects/backup.ts';
import { rehearsalClaim, rehearsalName, rehearsalSnapshot } from '../../objects/rehearsal.ts';
import { secondsSince } from '../../ports/clock.ts';
import { awaitSnapshot } from '../../storage/await-snapshot.ts';
import type { RehearsalContext } from '../context.ts';
import type { Stage } from '../stage.ts';

/** A volume of its own, from a snapshot of the running server or as a clone of its volume. */
export const copy: Stage = {
  id: 'rehearsal-copy',
  title: 'Copy of the volume',

  async run(context) {
    const { cluster, target, mark } = context;
    const { source, evidence } = await sourceOfCopy(context);
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

async function sourceOfCopy(context: RehearsalContext): Promise<{ source: Source; evidence: string[] }> {
  const { cluster, target, copying, mark, clock } = context;
  if (copying.kind === 'clone')
    return { source: { kind: 'PersistentVolumeClaim', name: target.volume.claimName }, evidence: [] };
  const name = rehearsalName(target);
  const asked = clock.monotonic();
  const since = () => String(secondsSince(clock, asked));
  await cluster.create('volumesnapshots', rehearsalSnapshot(target, copying.className, mark), {
    namespace: target.namespace,
  });
  await awaitSnapshot(context, name, 'cut');
  const cut = since();
  await awaitSnapshot(context, name, 'ready');
  return {
    source: { kind: 'VolumeSnapshot', name },
    evidence: [`VolumeSnapshot ${name} was cut after ${cut} s, and ready after ${since()} s`],
  };
}

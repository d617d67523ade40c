import { expect } from '@jest/globals';
import { namespace, newImage, oldImage } from '../../unit/objects.ts';
import { ending, revertName, served } from '../../unit/upgrade/job-controller.ts';
import { endsOf, makeWorld, putBack, type Live, type Moment } from './world.ts';

export const claimName = 'data-postgresql-0';
const nothing = ending(0, { command: 'revert', outcome: 'nothing-to-revert', message: 'data is PostgreSQL 12' });

export interface Stage {
  readonly world: Live;
  /** PersistentVolumes on which PostgreSQL 14 has served: their linked files are its own. */
  readonly served: Set<string>;
}

/** A world whose Job for the way back tells the truth about the volume that the server's claim has. */
export async function stage(given: Readonly<Record<string, string>> = {}): Promise<Stage> {
  const onVolumes = new Set<string>();
  const made: { world?: Live } = {};
  const volume = () => made.world?.cluster.look('persistentvolumeclaims', claimName, namespace)?.spec?.volumeName ?? '';
  const ends = {
    ...endsOf('link'),
    get [revertName]() {
      return onVolumes.has(volume()) ? served('link') : nothing;
    },
  };
  const world = await makeWorld(ends, given);
  made.world = world;
  const { cluster } = world;
  cluster.hooks.push(() => {
    const { spec } = cluster.look('statefulsets', 'postgresql', namespace) ?? {};
    const isServing = spec?.replicas === 1 && spec.template.spec?.schedulingGates === undefined;
    if (isServing && spec.template.spec?.containers[0]?.image === newImage) onVolumes.add(volume());
  });
  return { world, served: onVolumes };
}

/** Brings the world back to a moment; with another journal than it had then. */
export function enter(
  { world, served: onVolumes }: Stage,
  scene: { readonly moment: Moment; readonly served: readonly string[] },
  data: Readonly<Record<string, string>>,
): void {
  putBack(world, scene.moment, data);
  onVolumes.clear();
  for (const volume of scene.served) onVolumes.add(volume);
}

/** PostgreSQL is there with this image and with a volume of its own, and no volume on which PostgreSQL 14 has served is gone. */
function expectServer({ world: { cluster }, served: onVolumes }: Stage, image: string): string {
  const { spec } = cluster.look('statefulsets', 'postgresql', namespace) ?? {};
  expect(spec?.template.spec?.containers[0]?.image).toBe(image);
  expect(spec?.template.spec?.schedulingGates).toBeUndefined();
  expect(spec?.replicas).toBe(1);
  const claim = cluster.look('persistentvolumeclaims', claimName, namespace);
  const { volumeName = '' } = claim?.spec ?? {};
  expect(cluster.look('persistentvolumes', volumeName)?.spec?.claimRef?.uid).toBe(claim?.metadata?.uid);
  for (const volume of onVolumes) expect(cluster.look('persistentvolumes', volume)).toBeDefined();
  return volumeName;
}

/** PostgreSQL 12 serves its own data, and what 14 had is kept. */
export function expectTwelve(setting: Stage): void {
  expect([...setting.served]).not.toContain(expectServer(setting, oldImage));
}

/** PostgreSQL 14 serves, and the volume is the one that PostgreSQL 12 had. */
export function expectFourteen(setting: Stage): void {
  expect(expectServer(setting, newImage)).toBe('pv-1');
}

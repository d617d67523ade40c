import { journalName } from '../../../src/objects/journal-name.ts';
import { namespace } from '../../unit/objects.ts';
import { makeWorld, momentOf, runMode, type Live, type Moment } from './world.ts';

/** All moments of an upgrade that ends well, one after each change of the journal, and those of its rollback. */
export async function momentsOfUpgrade(): Promise<{ readonly upgrade: Moment[]; readonly rollback: Moment[] }> {
  const world = await makeWorld();
  const upgrade = await collect(world, async () => {
    await world.begin();
  });
  const rollback = await collect(world, async () => {
    await runMode(world, 'rollback');
  });
  return { upgrade, rollback };
}

async function collect(world: Live, work: () => Promise<void>): Promise<Moment[]> {
  const moments: Moment[] = [];
  const look = () => {
    const counter = world.cluster.look('configmaps', journalName, namespace)?.data?.['counter'];
    if (counter === moments.at(-1)?.data['counter']) return;
    const moment = momentOf(world);
    if (moment !== undefined) moments.push(moment);
  };
  world.cluster.hooks.push(look);
  await work();
  look();
  world.cluster.hooks.splice(world.cluster.hooks.indexOf(look), 1);
  return moments;
}

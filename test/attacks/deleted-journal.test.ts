// A neighbour may delete the journal. No mode takes that for "no upgrade is open", and an upgrade that goes well is never taken for one without its journal.
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { openAnnotation } from '../../src/journal/counter.ts';
import { journalName } from '../../src/objects/journal-name.ts';
import { schedulingGate } from '../../src/objects/scheduling-gate.ts';
import { namespace, oldImage } from '../unit/objects.ts';
import { momentsOfUpgrade } from './journal/moments.ts';
import { endsOf, makeWorld, momentOf, putBack, runMode, type Live, type Mode, type Moment } from './journal/world.ts';

jest.setTimeout(600_000);

let world: Live;
let upgrade: readonly Moment[];
let rollback: readonly Moment[];

beforeAll(async () => {
  ({ upgrade, rollback } = await momentsOfUpgrade());
  world = await makeWorld();
});

function deleteJournal(moment: Moment, from = world): void {
  putBack(from, moment, moment.data);
  from.cluster.remove('configmaps', journalName, namespace);
  from.cluster.calls.length = 0;
}

/** What people are told is in these outputs. */
async function ended(mode: Mode, more: Readonly<Record<string, string>> = {}, of = world) {
  of.cluster.calls.length = 0;
  const { code, remedy, runner } = await runMode(of, mode, more);
  return { code, remedy, outputs: runner.outputs };
}

const claimOf = () => world.cluster.peek('persistentvolumeclaims', 'data-postgresql-0', namespace);

describe('a journal that is deleted in the middle', () => {
  test('never makes an upgrade one that is not open, at any moment', async () => {
    // Both begin with a journal that is not counted on the volume yet: nothing was changed by then.
    const open = [upgrade, rollback].flatMap((all) => all.filter(({ data }) => data['outcome'] === undefined).slice(1));
    expect(open.length).toBeGreaterThan(20);
    for (const moment of open) {
      deleteJournal(moment);
      // In the middle of an exchange of volumes there is no claim, so that the volume is not known.
      const codes = claimOf() === undefined ? ['pvc-not-found', 'claim-missing'] : ['journal-gone'];
      for (const mode of ['upgrade', 'rollback'] as const) {
        const { code, outputs } = await ended(mode);
        expect(codes).toContain(code);
        expect(outputs['verdict']).not.toBe('already-upgraded');
        expect(world.cluster.writes).toEqual([]);
      }
      if (claimOf() === undefined) continue;
      const status = await ended('status');
      expect([status.code, status.outputs['verdict']]).toEqual([undefined, 'unfinished']);
      expect(status.outputs['next']).toContain(`confirm: ${namespace} without the journal`);
    }
  });

  test('is told by the scheduling gate where the volume says nothing', async () => {
    const gated = upgrade.find(({ data }) => data['step'] === 'upgrade-job');
    if (gated === undefined) throw new Error('no such moment');
    deleteJournal(gated);
    const gates = world.cluster.peek('statefulsets', 'postgresql', namespace)?.spec?.template.spec?.schedulingGates;
    expect(gates).toEqual([{ name: schedulingGate }]);
    closeOnVolume();
    expect((await ended('upgrade')).code).toBe('journal-gone');
    expect((await ended('status')).outputs['verdict']).toBe('unfinished');
  });

  test('still lets PostgreSQL 12 come back, as the remedy says', async () => {
    const served = upgrade.findLast(({ data }) => data['step'] === 'activate');
    if (served === undefined) throw new Error('no such moment');
    const cloned = await makeWorld(endsOf('clone'));
    deleteJournal(served, cloned);
    const { remedy } = await ended('rollback', {}, cloned);
    const [, confirm = ''] = /"confirm: ([^"]*)"/.exec(remedy) ?? [];
    const { code, outputs } = await ended('rollback', { confirm }, cloned);
    expect([code, outputs['verdict']]).toEqual([undefined, 'rolled-back']);
    const spec = cloned.cluster.peek('statefulsets', 'postgresql', namespace)?.spec;
    expect([spec?.replicas, spec?.template.spec?.containers[0]?.image]).toEqual([1, oldImage]);
    expect((await ended('status', {}, cloned)).outputs['verdict']).toBe('not-started');
  });

  test('still lets PostgreSQL 14 stay, as the remedy says', async () => {
    const validated = upgrade.findLast(({ data }) => data['validated'] !== undefined && data['outcome'] === undefined);
    if (validated === undefined) throw new Error('no such moment');
    deleteJournal(validated);
    const { remedy } = await ended('upgrade');
    expect(remedy).toContain(`\`kubectl annotate persistentvolume pv-1 ${openAnnotation}-\``);
    closeOnVolume();
    const { code, outputs } = await ended('upgrade');
    expect([code, outputs['verdict']]).toEqual([undefined, 'already-upgraded']);
    expect((await ended('status')).outputs['verdict']).toBe('upgraded');
  });
});

/** What the command of the remedy does. */
function closeOnVolume(): void {
  for (const volume of world.cluster.all('persistentvolumes')) {
    const annotations = { ...volume.metadata?.annotations };
    Reflect.deleteProperty(annotations, openAnnotation);
    world.cluster.put('persistentvolumes', { ...volume, metadata: { ...volume.metadata, annotations } });
  }
}

describe('no journal is missed', () => {
  test('where an administrator removes it after the end of an upgrade, or of its rollback', async () => {
    const over = await makeWorld();
    const { cluster } = over;
    await over.begin();
    const journal = cluster.peek('configmaps', journalName, namespace);
    cluster.remove('configmaps', journalName, namespace);
    expect((await ended('status', {}, over)).outputs['verdict']).toBe('upgraded');
    expect((await ended('upgrade', {}, over)).outputs['verdict']).toBe('already-upgraded');
    expect((await ended('rollback', {}, over)).code).toBe('nothing-to-roll-back');
    if (journal !== undefined) cluster.put('configmaps', journal);
    expect((await ended('rollback', {}, over)).outputs['verdict']).toBe('rolled-back');
    expect(cluster.peek('persistentvolumeclaims', 'data-postgresql-0', namespace)?.spec?.volumeName).not.toBe('pv-1');
    cluster.remove('configmaps', journalName, namespace);
    expect((await ended('status', {}, over)).outputs['verdict']).toBe('not-started');
    const volumes = cluster.all('persistentvolumes').map(({ metadata }) => metadata?.annotations?.[openAnnotation]);
    expect(volumes.filter((open) => open !== undefined)).toEqual(['false', 'false']);
  });

  test('at any moment of an upgrade and its rollback', async () => {
    const running = await makeWorld();
    const seen = new Map<string, Moment>();
    const look = () => {
      const { cluster, state } = running;
      const data = cluster.peek('configmaps', journalName, namespace)?.data;
      const said = cluster.all('persistentvolumes').map(({ metadata }) => metadata?.annotations);
      const objects = momentOf(running)?.objects;
      if (objects === undefined) return;
      const { version, versionNumber } = state;
      seen.set(JSON.stringify([data, said]), { objects, version, versionNumber, data: data ?? {} });
    };
    running.cluster.hooks.push(look);
    await running.begin();
    await runMode(running, 'rollback');
    expect(seen.size).toBeGreaterThan(50);
    for (const moment of seen.values()) {
      putBack(world, moment, moment.data);
      const status = await runMode(world, 'status');
      expect([status.code, status.text]).toEqual([undefined, expect.not.stringContaining('is missing')]);
    }
  });
});

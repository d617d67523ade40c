import { describe, expect, test } from '@jest/globals';
import { planRehearsal } from '../../../src/rehearsal/plan.ts';
import { inputs, snapshotClass, statefulSet, storageClass, target } from '../objects.ts';
import { facts, known, server, unread } from '../prechecks/facts.ts';
import { thrownBy } from '../thrown.ts';

const mark = { runId: 'run-1', begunAt: new Date(Date.UTC(2026, 0, 2)) };
const chosen = known({ driver: 'csi.example.com', chosen: snapshotClass('csi-class'), candidates: ['csi-class'] });

describe('a rehearsal is planned', () => {
  test('by a snapshot of the class that the upgrade takes, with a Job of its own', async () => {
    const plan = planRehearsal(await facts({ snapshotClass: chosen }), mark);
    expect(plan.copying).toEqual({ kind: 'snapshot', className: 'csi-class' });
    expect(plan.settings.runId).toBe('run-1@2026-01-02T00:00:00.000Z');
  });

  const ofClass = (volumeBindingMode: string) =>
    known({ name: 'standard', found: { ...storageClass(), volumeBindingMode } });

  test.each([
    ['a class that waits for a pod', { storageClass: ofClass('WaitForFirstConsumer') }, true],
    ['a class that makes the volume at once', { storageClass: ofClass('Immediate') }, false],
    ['a class that nobody may read', { storageClass: unread('forbidden') }, true],
    ['a clone', { storageClass: ofClass('Immediate'), inputs: inputs({ backup: 'clone' }) }, true],
  ])('with pods where the volume of the server is, or where the copy is: %s', async (_what, more, followsServer) => {
    const plan = planRehearsal(await facts({ snapshotClass: chosen, ...more }), mark);
    expect(plan.followsServer).toBe(followsServer);
  });

  test('by a clone where the backup is one', async () => {
    const all = await facts({ inputs: inputs({ backup: 'clone' }) });
    expect(planRehearsal(all, mark).copying).toEqual({ kind: 'clone' });
  });
});

describe('a rehearsal is refused, with the reason,', () => {
  test.each([['copy'], ['external']])('of a volume whose backup is "%s"', async (backup) => {
    const all = await facts({ inputs: inputs({ backup }) });
    const error = await thrownBy(() => planRehearsal(all, mark));
    expect([error.code, error.message]).toEqual(['rehearsal-refused', expect.stringContaining(`"backup: ${backup}"`)]);
  });

  test('of a snapshot without a class', async () => {
    const none = known({ driver: 'csi.example.com', chosen: undefined, candidates: [] });
    const all = await facts({ snapshotClass: none });
    const error = await thrownBy(() => planRehearsal(all, mark));
    expect([error.code, error.message]).toEqual(['rehearsal-refused', expect.stringContaining('VolumeSnapshotClass')]);
  });

  test('of a server that archives', async () => {
    const all = await facts({ snapshotClass: chosen, server: known({ ...server, archiveMode: 'on' }) });
    const error = await thrownBy(() => planRehearsal(all, mark));
    expect([error.code, error.message]).toEqual(['rehearsal-refused', expect.stringContaining('archive_mode is on')]);
  });

  test('of a server with an init container that nobody knows', async () => {
    const initContainers = [{ name: 'restore', image: 'restore' }];
    const all = await facts({ snapshotClass: chosen, target: await target(statefulSet({ initContainers })) });
    const error = await thrownBy(() => planRehearsal(all, mark));
    expect([error.code, error.message]).toEqual(['rehearsal-refused', expect.stringContaining('restore')]);
  });

  test('of a server of which facts are unknown', async () => {
    const error = await thrownBy(async () => planRehearsal(await facts({ databases: unread('forbidden') }), mark));
    expect(error.code).toBe('facts-missing');
  });
});

import { describe, expect, test } from '@jest/globals';
import { endWith } from '../../../src/common/errors.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { ofRehearsal } from '../../../src/journal/seal.ts';
import type { LeasedCluster } from '../../../src/ports/cluster.ts';
import { seenBy } from '../../../src/facts/job-of.ts';
import { proofOf } from '../../../src/rehearsal/backup-proof.ts';
import { identityOf, writeRecord } from '../../../src/rehearsal/record.ts';
import { settingsDigest } from '../../../src/rehearsal/settings-digest.ts';
import { expectRehearsed } from '../../../src/rehearsal/valid.ts';
import { digestsOf, fakeDatabase, serverState } from '../fake-database.ts';
import { FakeLog } from '../fake-runner.ts';
import { cluster as namespaceWithServer, inputs, namespace, statefulSet, target } from '../objects.ts';
import { facts, known, servingProbe, unread, upgradeProbe } from '../prechecks/facts.ts';
import { thrownBy } from '../thrown.ts';
import { recordOf } from '../upgrade/context.ts';
import { seal } from '../upgrade/sealed.ts';

type Notes = Parameters<Journal<LeasedCluster>['noteAll']>[0];

const endedAt = '2026-01-02T03:04:05.000Z';

/** A server that was rehearsed as it is, or never. */
async function rehearsed(rehearsal: string, was = true, asBefore = false) {
  const cluster = namespaceWithServer();
  const state = serverState();
  const seen = (imageId: string) => ({ seen: { imageId, node: 'node-1' } });
  const all = await facts({
    inputs: inputs({ mode: 'upgrade', rehearsal }),
    upgradeProbe: known({
      ...upgradeProbe,
      ...seen(`${upgradeProbe.image.replace(/:[^:]*$/, '')}@sha256:${'1'.repeat(64)}`),
    }),
    servingProbe: known({ ...servingProbe, ...seen('serving@sha256:2') }),
  });
  const log = new FakeLog();
  const databases = Object.fromEntries(
    ['circle', 'postgres', 'template1'].map((name) => [name, digestsOf(state)] as const),
  );
  const server = identityOf(all.target, databases);
  const scripts = { job: { 'upgrade.sh': 'echo upgrade' } };
  const settings = settingsDigest(all, { version: '1.0.0', scripts });
  if (server === undefined || settings === undefined) throw new Error('The server is not known.');
  const images = [all.upgradeProbe, all.servingProbe].map((probe) => seenBy(probe)?.imageId ?? '');
  const record = {
    ...{ runId: 'run-1', passed: true, seconds: { 'rehearsal-upgrade': 7 }, endedAt },
    rehearsed: { server, settings, images: [images[0] ?? '', images[1] ?? ''] as [string, string], databases },
  };
  const proof = proofOf(all, { copying: { kind: 'snapshot', className: 'csi-class' }, cuts: 'in-time' });
  if (was)
    await writeRecord(
      cluster,
      namespace,
      seal.for(ofRehearsal),
      asBefore ? { ...record, schema: 1 } : { ...record, schema: 2, ...(proof === undefined ? {} : { proof }) },
    );
  cluster.calls.length = 0;
  const run = (more: Partial<typeof all> = {}, script = 'echo upgrade', version = '1.0.0', earlier?: Journal) =>
    expectRehearsed({
      ...{ cluster, log, seal, earlier, facts: { ...all, ...more } },
      ...{ scripts: { job: { 'upgrade.sh': script } }, version },
      database: fakeDatabase(cluster, all.target, state),
    });
  return { run, log, state, cluster };
}

describe('an upgrade that requires a rehearsal', () => {
  test('begins after one of the same server', async () => {
    const { run, log } = await rehearsed('required');
    await run();
    expect(log.text).toContain('The last rehearsal of this server passed');
  });

  test('begins whatever that one looked at with amcheck', async () => {
    const { run } = await rehearsed('required');
    const given = { mode: 'upgrade', rehearsal: 'required', 'amcheck-budget': '0s' };
    await run({ inputs: inputs(given) });
  });

  test('is refused without one', async () => {
    const { run } = await rehearsed('required', false);
    const error = await thrownBy(run);
    expect([error.code, error.message]).toEqual(['rehearsal-missing', expect.stringContaining('there was none')]);
    // Whatever the checks have said.
    expect(endWith(error).verdict).toBe('failed');
  });

  test('is refused once the schema has changed', async () => {
    const { run, state } = await rehearsed('required');
    state.schema = 'b'.repeat(32);
    expect((await thrownBy(run)).message).toContain('the schema, the roles or the settings have changed (circle');
  });

  test('is refused once the server is another one', async () => {
    const { run, state } = await rehearsed('required');
    state.systemIdentifier = '7000000000000000002';
    expect((await thrownBy(run)).message).toContain('was of another server or of another volume');
  });

  test.each<[string, (run: Awaited<ReturnType<typeof rehearsed>>['run']) => Promise<unknown>]>([
    ['transfer', (run) => run({ inputs: inputs({ mode: 'upgrade', rehearsal: 'required', transfer: 'copy' }) })],
    ['backup', (run) => run({ inputs: inputs({ mode: 'upgrade', rehearsal: 'required', backup: 'clone' }) })],
    ['script of the Job', (run) => run({}, 'echo another')],
    ['version of the action', (run) => run({}, 'echo upgrade', '1.0.1')],
    [
      'pod template',
      async (run) => {
        await run({ target: await target(statefulSet({ nodeSelector: { disktype: 'ssd' } })) });
      },
    ],
  ])('is refused with another %s', async (_name, again) => {
    const { run } = await rehearsed('required');
    expect((await thrownBy(() => again(run))).message).toContain('the inputs of the upgrade, the pod template');
  });

  test('is refused where nobody knows which images it runs, or what the schema is', async () => {
    const { run, state } = await rehearsed('required');
    expect((await thrownBy(() => run({ servingProbe: unread('no rights') }))).message).toContain('which images');
    state.refuse = [{ statement: /schemaDigest/, message: 'out of shared memory' }];
    expect((await thrownBy(run)).message).toContain('could not be read');
  });
});

describe('an upgrade that requires none', () => {
  test('says whether one counts, and begins', async () => {
    const { run, log } = await rehearsed('auto', false);
    await run();
    expect(log.text).toContain('No rehearsal counts for this upgrade: there was none');
  });

  test('is predicted by what one that counts took, and by no other', async () => {
    const { run, state } = await rehearsed('auto');
    expect((await run()).rehearsed).toEqual({ 'rehearsal-upgrade': 7 });
    state.schema = 'b'.repeat(32);
    expect(await run()).toEqual({});
  });

  test('has its backup proved by one that counts, and by no other', async () => {
    const { run, state } = await rehearsed('auto');
    expect((await run()).rehearsalProof).toEqual({ run: 'run-1', at: endedAt, cuts: 'in-time' });
    state.schema = 'b'.repeat(32);
    expect((await run()).rehearsalProof).toBeUndefined();
  });

  test.each<[string, boolean, Parameters<Awaited<ReturnType<typeof rehearsed>>['run']>[0], string]>([
    ['of before, whose record has no proof', true, {}, 'does not say that a copy was restored'],
    ['whose storage can not be compared', false, { storageClass: unread('forbidden') }, 'could not be read'],
  ])('is predicted by one %s, and proves its backup by itself', async (_which, asBefore, more, why) => {
    const { run, log } = await rehearsed('required', true, asBefore);
    expect(await run(more)).toEqual({ rehearsed: { 'rehearsal-upgrade': 7 } });
    expect(log.text).toContain(`That rehearsal does not prove the backup: `);
    expect(log.text).toContain(why);
  });

  test.each<[string, Notes, string, boolean]>([
    ['that ended at the proof of its backup', { step: 'prove-backup', back: 'It does not start.' }, '04:00', false],
    ['that did so, by a clock that is slow', { step: 'prove-backup', back: 'It does not start.' }, '03:00', false],
    ['that did so before', { step: 'prove-backup', back: 'It does not start.' }, '02:00', true],
    ['that ended later', { step: 'quiesce', back: 'Clients stay.' }, '04:00', true],
  ])('after an upgrade %s', async (_which, noted, time, isProved) => {
    const { run, cluster, log } = await rehearsed('auto');
    const record = { ...recordOf(await target()), startedAt: `2026-01-02T${time}:00.000Z` };
    const journal = await Journal.begin(cluster, namespace, seal, record);
    await journal.noteAll({ ...noted, outcome: 'reverted' });
    const { rehearsed: seconds, rehearsalProof: proof } = await run({}, undefined, undefined, journal);
    expect([seconds, proof !== undefined]).toEqual([{ 'rehearsal-upgrade': 7 }, isProved]);
    expect(log.text.includes('has ended at the proof of its backup')).toBe(!isProved);
  });

  test('does not ask with "off"', async () => {
    const { run, cluster } = await rehearsed('off');
    expect(await run()).toEqual({});
    expect(cluster.calls).toEqual([]);
  });
});

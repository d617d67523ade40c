import { expect, test } from '@jest/globals';
import { jobName, upgradeJob } from '../../../src/objects/upgrade-job.ts';
import { ownerLabel } from '../../../src/objects/pod.ts';
import { statusOf, type Seen } from '../../../src/upgrade/status.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { job, namespace, newImage, serverContainer, statefulSet, target } from '../objects.ts';
import { recordOf } from './context.ts';
import { seal } from './sealed.ts';

async function seen(more: Partial<Seen> = {}): Promise<Seen> {
  return { target: await target(), journal: undefined, holding: undefined, jobs: [], newImage, ...more };
}

async function journal(notes: Parameters<Journal['note']>[] = []): Promise<Journal> {
  const begun = await Journal.begin(new FakeCluster(), namespace, seal, recordOf(await target()));
  for (const [name, value] of notes) await begun.note(name, value);
  return begun;
}

test('a server on PostgreSQL 12 without a journal is not started', async () => {
  const status = statusOf(await seen());
  expect(status.state).toBe('not-started');
  expect(status.next.text).toContain('"mode: precheck"');
  expect(status.evidence).toEqual([expect.stringContaining('1 replicas'), 'pod postgresql-0: ready']);
});

test('a server on PostgreSQL 14 whose journal is closed is upgraded, and the journal says by whom', async () => {
  const on14 = await target(statefulSet({ containers: [serverContainer({ image: newImage })] }));
  const status = statusOf(await seen({ target: on14, journal: await journal([['outcome', 'upgraded']]) }));
  expect(status.state).toBe('upgraded');
  expect(status.evidence.at(-1)).toContain('(run-1) and ended as upgraded');
});

test.each<[string, Parameters<Journal['note']>[]]>([
  ['rolled back', [['rollback', 'People asked for it.']]],
  ['reverted', [['back', 'The disk is full.']]],
])('a server that is on PostgreSQL 12 once more says that the last upgrade was %s', async (word, notes) => {
  const status = statusOf(await seen({ journal: await journal([...notes, ['outcome', 'reverted']]) }));
  expect(status.state).toBe('not-started');
  expect(status.evidence.at(-1)).toMatch(new RegExp(`ended as ${word}$`));
});

test('an open journal is unfinished, with the step, the snapshot and how everything was', async () => {
  const open = await journal([
    ['step', 'backup'],
    ['backup', 'snap-1'],
  ]);
  const status = statusOf(await seen({ journal: open }));
  expect(status).toMatchObject({ state: 'unfinished', step: 'backup' });
  expect(status.next.text).toContain('it resumes');
  expect(status.safe).toContain('Do not scale PostgreSQL');
  const text = status.evidence.join('\n');
  expect(text).toContain('VolumeSnapshot snap-1');
  expect(text).toContain('deployments/frontend: had 3 replicas');
  expect(text).toContain('cronjobs/paused: was suspended');
});

test('an upgrade whose statistics are not complete is told so, with the run that completes them', async () => {
  const open = await journal([
    ['step', 'restore-applications'],
    ['statistics', 'pending'],
  ]);
  const status = statusOf(await seen({ journal: open }));
  expect(status).toMatchObject({ state: 'unfinished', step: 'restore-applications' });
  expect(status.evidence.join('\n')).toContain('some tables may have no full statistics yet');
  expect(status.safe).toContain('PostgreSQL 14 serves with the same data');
  expect(status.next.text).toContain(
    'it restarts the applications that are still stopped, and completes the statistics',
  );
});

test.each([
  ['back', 'it resumes this upgrade'],
  ['rollback', 'it resumes this rollback'],
] as const)('a way back that has begun (%s) says nothing of statistics', async (note, next) => {
  const open = await journal([
    ['step', 'restore-applications'],
    ['statistics', 'pending'],
    [note, 'It was asked for.'],
  ]);
  const status = statusOf(await seen({ journal: open }));
  expect(status.evidence.join('\n')).not.toContain('statistics');
  expect(status.next.text).toContain(next);
});

test.each([
  ['pending', 'run `ANALYZE;` in each database'],
  ['complete', 'ended as upgraded'],
] as const)('an upgrade that ended with its statistics %s is told as such', async (statistics, last) => {
  const on14 = await target(statefulSet({ containers: [serverContainer({ image: newImage })] }));
  const ended = await journal([
    ['statistics', statistics],
    ['outcome', 'upgraded'],
  ]);
  const status = statusOf(await seen({ target: on14, journal: ended }));
  expect(status.state).toBe('upgraded');
  expect(status.evidence.at(-1)).toContain(last);
});

test.each([
  ['is at work', { active: 1 }],
  ['counts as failed, while its pod is not gone yet', { failed: 1, terminating: 1 }],
])('a Job that %s is to be waited for', async (_how, jobStatus) => {
  const status = statusOf(await seen({ journal: await journal(), jobs: [{ ...job(jobName, 1), status: jobStatus }] }));
  expect(status.evidence).toContain(`Job ${jobName} is at work on the volume`);
  expect(status.safe).toContain('Do not delete the Job');
});

test.each([
  ['12', undefined],
  ['14', newImage],
])('a Job at work is told also where no upgrade is open, on %s', async (_version, image) => {
  const on = await target(image === undefined ? undefined : statefulSet({ containers: [serverContainer({ image })] }));
  const status = statusOf(await seen({ target: on, jobs: [{ ...job(jobName, 1), status: { active: 1 } }] }));
  expect(status.evidence).toContain(`Job ${jobName} is at work on the volume`);
  expect([status.safe, status.next.text]).toEqual([
    expect.stringMatching(/^Wait\. /),
    expect.stringContaining('Wait until'),
  ]);
});

test.each([
  ['of the documented way, and the server does not run, warns of starting it', {}, false, true],
  ['of the documented way, and the server is ready, says nothing', {}, true, false],
  ['of the documented way that somebody labelled as ours warns too', ownerLabel, false, true],
  ['of this action says nothing', {}, false, false],
])('a failed Job %s', async (what, labels, running, warns) => {
  const found = await target();
  const settings = { ...recordOf(found).job, runId: 'run-1' };
  const failed = what.includes('this action')
    ? { ...upgradeJob(found, settings, 'upgrade', {}), status: { failed: 1 } }
    : job(jobName, 0);
  const status = statusOf(
    await seen({
      target: running ? found : { ...found, pod: undefined },
      jobs: [{ ...failed, metadata: { ...failed.metadata, labels } }],
    }),
  );
  expect(status.safe.startsWith('Do not start PostgreSQL')).toBe(warns);
  expect(status.evidence.includes(`Job ${jobName}, which this action did not create, failed`)).toBe(warns);
});

const holding = {
  holder: 'https://github.example/run/7',
  since: new Date('2026-01-02T03:04:05Z'),
  renewed: new Date('2026-01-02T03:05:05Z'),
  expires: new Date('2026-01-02T03:06:05Z'),
};

test('a living holder is named and waited for; a dead one is gone on with', async () => {
  const open = await journal([['step', 'upgrade-job']]);
  const living = statusOf(await seen({ journal: open, holding: { ...holding, isExpired: false } }));
  expect(living.holder).toBe(holding.holder);
  expect(living.next.text).toBe('Wait until https://github.example/run/7 has ended.');
  expect(living.safe).toContain('Wait.');
  const dead = statusOf(await seen({ journal: open, holding: { ...holding, isExpired: true } }));
  expect(dead.evidence[0]).toContain('has not renewed its Lease since 2026-01-02T03:05:05.000Z');
  expect(dead.next.text).toContain('it resumes');
});

test('a way back that has begun is told with its reason', async () => {
  const status = statusOf(
    await seen({
      journal: await journal([
        ['back', 'The disk is full.'],
        ['undone', 'activate'],
      ]),
    }),
  );
  expect(status.evidence.join('\n')).toContain('undoing the steps (last undone: activate), because: The disk is full.');
});

import { describe, expect, test } from '@jest/globals';
import type { Facts, FactsWithRehearsal } from '../../../src/facts/facts.ts';
import { expectedSeconds, spreadOf } from '../../../src/upgrade/expected-seconds.ts';
import { upgradePermissions } from '../../../src/permissions/upgrade-permissions.ts';
import { claim, inputs, namespace, target } from '../objects.ts';
import { stepsOfDowntime } from './planned.ts';
import { facts, known, unread } from '../prechecks/facts.ts';

async function expected(step: string, { rehearsed, rehearsalProof, ...more }: Partial<FactsWithRehearsal> = {}) {
  const { seconds, basis } = expectedSeconds(step, { ...(await facts(more)), rehearsed, rehearsalProof }) ?? {};
  return [seconds, basis];
}

const works = { works: true, said: '' };
const fails = { works: false, said: 'no' };

describe('the wait for the backup is', () => {
  test.each<[string, Record<string, string>, Partial<Facts>]>([
    ['the files are linked', {}, {}],
    ['nobody has tried whether they can be', {}, { volumeTrial: unread('not tried') }],
    ['they shall be linked', { transfer: 'link' }, { volumeTrial: known({ clone: works, link: works }) }],
  ])('not predicted before the storage has copied anything, where %s', async (_what, given, more) => {
    expect(await expected('backup-ready', { inputs: inputs(given), ...more })).toEqual([
      undefined,
      expect.stringContaining('"prove-backup" measures it'),
    ]);
  });

  test.each<[string, Record<string, string>, Partial<Facts>]>([
    ['snapshot-gate is cut', { 'snapshot-gate': 'cut' }, {}],
    ['the volume makes reflinks', {}, { volumeTrial: known({ clone: works, link: works }) }],
    ['the files are copied', {}, { volumeTrial: known({ clone: fails, link: fails }) }],
    ['the backup is no snapshot', { backup: 'clone' }, {}],
    ['the snapshot is ready before', { 'verify-backup': 'false' }, {}],
  ])('none, where %s', async (_what, given, more) => {
    const [seconds, basis] = await expected('backup-ready', { inputs: inputs(given), ...more });
    expect([seconds, basis]).toEqual([0, expect.stringMatching(/^no /)]);
  });
});

describe('the backup is', () => {
  test('a cut snapshot, nothing, or not predicted', async () => {
    const of = (given: Record<string, string>) => expected('backup', { inputs: inputs(given) });
    expect(await of({})).toEqual([1, expect.stringContaining('"prove-backup"')]);
    expect(await of({ backup: 'external', 'confirm-external-backup': namespace })).toEqual([0, 'no backup is taken']);
    expect(await of({ backup: 'clone' })).toEqual([undefined, expect.stringContaining('"prove-backup"')]);
    expect(await of({ 'verify-backup': 'false' })).toEqual([undefined, expect.stringContaining('is ready')]);
  });
});

describe('what moves the volume is', () => {
  test.each(['stop-postgresql', 'upgrade-job', 'activate'])(
    'not predicted where nothing keeps it attached: %s',
    async (step) => {
      expect(await expected(step)).toEqual([expect.any(Number), expect.any(String)]);
      const { volume } = await target();
      const spec = { ...claim().spec, accessModes: ['ReadWriteOncePod'] };
      const alone = await target(undefined, { volume: { ...volume, claim: { ...claim(), spec } } });
      expect(await expected(step, { target: alone })).toEqual([undefined, expect.stringContaining('attached')]);
    },
  );
});

describe('the restart of the applications is', () => {
  test('what the slowest of them took at its last start', async () => {
    expect(await expected('restore-applications')).toEqual([13.3, expect.stringContaining('last start')]);
  });

  test.each([known(undefined), unread('pods is forbidden')])('not predicted where no pod shows it', async (fact) => {
    const [seconds, basis] = await expected('restore-applications', { applicationStart: fact });
    expect([seconds, basis]).toEqual([undefined, expect.stringContaining('no pod')]);
  });
});

describe('the Job', () => {
  test('copies the data where the volume can do nothing else', async () => {
    const neither = known({ clone: fails, link: fails });
    const [linked] = await expected('upgrade-job');
    const [copied, basis] = await expected('upgrade-job', { volumeTrial: neither });
    expect(Number(copied)).toBeGreaterThanOrEqual(Number(linked));
    expect(basis).toContain('copying');
    expect((await expected('upgrade-job', { volumeTrial: unread('no') }))[1]).toContain('copies all data besides');
  });

  test('is not predicted without a restore test', async () => {
    expect(await expected('upgrade-job', { restoreTest: unread('no') })).toEqual([
      undefined,
      expect.stringContaining('restore test'),
    ]);
  });
});

describe('the wait until PostgreSQL 14 is ready', () => {
  test.each([
    [5, 3],
    [undefined, 0.5],
  ])(
    'depends on when its readiness probe asks first: %s s after the start of the container',
    async (delay, seconds) => {
      const given = await target();
      const readinessProbe = { ...(delay === undefined ? {} : { initialDelaySeconds: delay }) };
      const with14 = { ...given, container: { ...given.container, readinessProbe } };
      expect(await expected('server-ready', { target: with14 })).toEqual([
        seconds,
        expect.stringContaining(`${String(delay ?? 0)} s after`),
      ]);
    },
  );
});

test('the wait until PostgreSQL 14 is ready has the period of its probe where nobody may have the kubelet asked', async () => {
  const given = await target();
  const readinessProbe = { initialDelaySeconds: 5, periodSeconds: 10 };
  const of14 = { ...given, container: { ...given.container, readinessProbe } };
  const missing = upgradePermissions.filter(({ verb, resource }) => verb === 'patch' && resource === 'pods');
  expect(missing).toHaveLength(1);
  expect(await expected('server-ready', { target: of14, missingPermissions: known(missing) })).toEqual([
    13,
    expect.stringContaining('patch pods'),
  ]);
});

describe('a prediction has a range', () => {
  const spreadOfStep = async (step: string, more: Partial<FactsWithRehearsal> = {}) =>
    expectedSeconds(step, { ...(await facts(more)), ...more })?.spread;

  test.each<[string, Partial<FactsWithRehearsal>]>([
    ['', {}],
    [' by a rehearsal', { rehearsed: { 'rehearsal-job': 6, 'rehearsal-data': 1, 'rehearsal-sort-order': 1 } }],
  ])('of at most 40 % to each side%s', async (_how, more) => {
    for (const step of stepsOfDowntime) {
      const { low, high } = (await spreadOfStep(step, more)) ?? { low: 1, high: 1 };
      expect([step, low >= 0.6 && low <= 1, high >= 1 && high <= 1.4]).toEqual([step, true, true]);
    }
  });

  test('that is wider for what is only assumed than for what the cluster shows, and than for what was measured', async () => {
    const width = async (step: string, more?: Partial<FactsWithRehearsal>) => {
      const { low, high } = (await spreadOfStep(step, more)) ?? { low: 1, high: 1 };
      return high - low;
    };
    const cloned = { inputs: inputs({ backup: 'clone' }), rehearsed: { 'rehearsal-job': 6 } };
    const [assumed, shown, measured] = [
      await width('activate'),
      await width('restore-applications'),
      await width('upgrade-job', cloned),
    ];
    expect(assumed).toBeGreaterThan(shown);
    expect(shown).toBeGreaterThan(measured);
  });

  test('but for what is nothing, and from nothing up to what is a limit', async () => {
    expect(await spreadOfStep('backup-ready', { inputs: inputs({ transfer: 'clone' }) })).toBeUndefined();
    const hooks = inputs({ 'before-applications': 'true' });
    expect(await spreadOfStep('before-applications', { inputs: hooks })).toEqual({ low: 0, high: 1 });
  });

  test('that is wider below for a copy which may load its data only when it is read', async () => {
    const rehearsed = { 'rehearsal-job': 6 };
    expect(await spreadOfStep('upgrade-job', { rehearsed })).toEqual({ low: 0.6, high: 1.25 });
    expect(spreadOf('backup-ready', await facts())).toEqual({ spread: { low: 0.75, high: 1.25 } });
  });
});

describe('a rehearsal that counts', () => {
  const rehearsed = {
    ...{ 'rehearsal-job': 6.1, 'rehearsal-upgrade': 40, 'rehearsal-data': 0.6, 'rehearsal-extensions': 0.3 },
    'rehearsal-sort-order': 2400,
  };

  test.each([
    ['upgrade-job', 9.1],
    ['verify', 2400.6],
    ['quiesce', 1.1],
    ['update-extensions', 0.3],
  ])('predicts what it did: %s', async (step, seconds) => {
    const upperBound =
      'what the rehearsal took on a copy: an upper bound where the storage loads a copy only when it is read';
    expect(await expected(step, { rehearsed })).toEqual([seconds, upperBound]);
    // A clone is told as it was measured.
    const cloning = { rehearsed, inputs: inputs({ backup: 'clone' }) };
    expect(await expected(step, cloning)).toEqual([seconds, 'what the rehearsal took']);
  });

  const rehearsalProof = { run: 'process 1', at: '2026-01-02T03:04:05Z', cuts: 'in-time' } as const;
  const ofCopy = {
    ...{ 'rehearsal-cut': 2.5, 'rehearsal-ready': 600, 'rehearsal-copy': 601, 'rehearsal-recovery': 40 },
    'rehearsal-job': 6,
  };

  test('predicts the backup that it proves, and no other', async () => {
    const of = (more: Partial<FactsWithRehearsal>) =>
      Promise.all(
        ['backup', 'backup-ready'].map(async (step) => (await expected(step, { rehearsed: ofCopy, ...more }))[0]),
      );
    expect(await of({ rehearsalProof })).toEqual([2.5, 591]);
    expect(await of({ rehearsalProof, inputs: inputs({ backup: 'clone' }) })).toEqual([641, 0]);
    expect(await of({ rehearsalProof, inputs: inputs({ transfer: 'clone' }) })).toEqual([2.5, 0]);
    expect(await of({ rehearsalProof: { ...rehearsalProof, cuts: 'late' } })).toEqual([undefined, 0]);
    expect(await of({})).toEqual([1, undefined]);
  });

  test('predicts nothing that it did not do, nor a Job that waits for its volume', async () => {
    expect(await expected('stop-postgresql', { rehearsed })).toEqual(await expected('stop-postgresql'));
    const { volume } = await target();
    const spec = { ...claim().spec, accessModes: ['ReadWriteOncePod'] };
    const alone = await target(undefined, { volume: { ...volume, claim: { ...claim(), spec } } });
    expect(await expected('upgrade-job', { rehearsed, target: alone })).toEqual(
      await expected('upgrade-job', { target: alone }),
    );
  });
});

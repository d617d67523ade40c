import { describe, expect, test } from '@jest/globals';
import { CancelledError } from '../../../src/common/errors.ts';
import { thrownBy } from '../thrown.ts';
import { newLease } from '../../../src/objects/lease.ts';
import { rehearsalClaim, rehearsalLeaseName, rehearsalName } from '../../../src/objects/rehearsal.ts';
import { rehearsalsOf, withRehearsalLease } from '../../../src/rehearsal/lease.ts';
import { namespace } from '../objects.ts';
import { recordOf } from '../upgrade/context.ts';
import { seal, sealedJournal } from '../upgrade/sealed.ts';
import { bootJob, left, podOf12, scene, upgradeJob, type Scene } from './scene.ts';

const upgrading = 'https://github.example/o/r/actions/runs/2/attempts/1';

/** The rehearsal of one run, under its Lease. */
function rehearsing(
  { cluster, clock, log, run, context }: Scene,
  runId = 'https://github.example/o/r/actions/runs/1/attempts/1',
) {
  return withRehearsalLease({ connection: cluster, clock, log }, { target: context.target, seal }, runId, {
    rehearse: (leased) => run(leased),
    keep: () => Promise.resolve(),
  });
}

function ofUpgrade({ cluster, clock, log, context }: Scene) {
  return rehearsalsOf({ connection: cluster, clock, log }, upgrading, context);
}

/** What an upgrade does before its first step. */
async function upgradeBegins(setting: Scene): Promise<void> {
  await ofUpgrade(setting).end();
}

describe('an upgrade that begins', () => {
  test('ends a rehearsal that is at work, and removes what it made', async () => {
    const setting = await scene();
    let begins: Promise<void> | undefined;
    setting.cluster.hooks.push((call) => {
      if (call.method === 'create' && call.name === upgradeJob) begins ??= upgradeBegins(setting);
    });
    const error = await thrownBy(() => rehearsing(setting));
    await begins;
    expect(begins).toBeDefined();
    expect([error.code, error.message]).toEqual(['rehearsal-ended', expect.stringContaining(upgrading)]);
    expect(left(setting)).toEqual([]);
    expect(setting.log.text).toContain('Removed what a rehearsal had made');
  });

  test.each([
    ['pods', podOf12],
    ['jobs', bootJob],
  ] as const)('ends one that waits for its %s, which then are no failure of a stage', async (resource, made) => {
    const setting = await scene();
    const { cluster } = setting;
    const find = cluster.find.bind(cluster);
    const list = cluster.list.bind(cluster);
    let hasBegun = false;
    const begin = async () => {
      if (hasBegun || cluster.look(resource, made, namespace) === undefined) return;
      hasBegun = true;
      await upgradeBegins(setting);
    };
    cluster.find = async (...given) => {
      await begin();
      return await find(...given);
    };
    cluster.list = async (...given) => {
      await begin();
      return await list(...given);
    };
    expect((await thrownBy(() => rehearsing(setting))).code).toBe('rehearsal-ended');
    expect([hasBegun, left(setting)]).toEqual([true, []]);
  });

  test('removes at its next look what was on its way when it took the Lease', async () => {
    const setting = await scene();
    const create = setting.cluster.create.bind(setting.cluster);
    const claim = rehearsalName(setting.context.target);
    setting.cluster.create = async (resource, object, options) => {
      if (resource === 'persistentvolumeclaims') await upgradeBegins(setting);
      return await create(resource, object, options);
    };
    expect((await thrownBy(() => rehearsing(setting))).code).toBe('rehearsal-ended');
    expect(left(setting)).toContain(claim);
    await ofUpgrade(setting).sweepAgain();
    expect(left(setting)).toEqual([]);
  });

  test('only reads where nothing was ever rehearsed', async () => {
    const setting = await scene();
    await upgradeBegins(setting);
    const calls = setting.cluster.calls.map(({ method, resource }) => `${method} ${resource}`);
    expect(new Set(calls)).toEqual(
      new Set(['leases', 'pods', 'jobs', 'persistentvolumeclaims', 'volumesnapshots'].map((kind) => `find ${kind}`)),
    );
    // The one of a storage without snapshots.
    setting.cluster.missing.add('volumesnapshots');
    await upgradeBegins(setting);
    expect([setting.cluster.writes, setting.log.annotations]).toEqual([[], []]);
  });

  test.each(['pods', 'jobs', 'persistentvolumeclaims', 'volumesnapshots'] as const)(
    'removes what is left of a rehearsal whose Lease somebody deleted: %s',
    async (kind) => {
      const setting = await scene();
      const { cluster } = setting;
      cluster.hooks.push(({ method, resource }) => {
        const isMade = cluster.lookAtAll(kind).some(({ metadata }) => metadata?.name?.includes('rehearsal') === true);
        if (method === 'find' && resource === kind && isMade) cluster.remove('leases', rehearsalLeaseName, namespace);
      });
      expect((await thrownBy(() => rehearsing(setting))).code).toBe('rehearsal-ended');
      expect(left(setting)).not.toEqual([]);
      cluster.hooks.pop();
      await upgradeBegins(setting);
      expect(left(setting)).toEqual([]);
    },
  );

  test('is cancelled in the removal, too', async () => {
    const setting = await scene();
    await rehearsing(setting);
    setting.cluster.hooks.push((call) => {
      if (call.method === 'find' && call.resource === 'pods') throw new CancelledError('the removal');
    });
    expect((await thrownBy(() => upgradeBegins(setting))).code).toBe('cancelled');
  });

  test('is not kept from it by what it can not remove', async () => {
    const setting = await scene();
    await rehearsing(setting);
    setting.cluster.put('pods', { metadata: { name: 'postgres-rehearsal-12', namespace }, spec: { containers: [] } });
    await upgradeBegins(setting);
    expect(JSON.stringify(setting.log.annotations)).toContain('No rehearsal made pod postgres-rehearsal-12');
  });
});

describe('the later looks of an upgrade', () => {
  const name = 'data-postgresql-0-rehearsal';

  /** A scene in which a rehearsal has left its claim. */
  async function leaving(metadata: object = {}) {
    const setting = await scene();
    await rehearsing(setting);
    const mark = { runId: upgrading, begunAt: setting.clock.now() };
    const wanted = rehearsalClaim(setting.context.target, { kind: 'VolumeSnapshot', name }, mark);
    setting.cluster.put('persistentvolumeclaims', { ...wanted, metadata: { ...wanted.metadata, ...metadata } });
    return setting;
  }

  test('wait for nothing that the storage does not delete, and tell it once', async () => {
    const setting = await leaving({ finalizers: ['example.com/held'] });
    const rehearsals = ofUpgrade(setting);
    await rehearsals.end();
    const [begun, told] = [setting.clock.monotonic(), setting.log.annotations.length];
    expect([begun > 60_000, told]).toEqual([true, 1]);
    await rehearsals.sweepAgain();
    await rehearsals.sweepAgain();
    expect([setting.clock.monotonic(), setting.log.annotations.length]).toEqual([begun, told]);
  });

  test('never throw, whatever is wrong', async () => {
    const setting = await leaving();
    setting.cluster.hooks.push((call) => {
      if (call.name === name) throw new TypeError('an odd object');
    });
    await ofUpgrade(setting).sweepAgain();
    expect(setting.log.annotations.at(-1)?.message).toContain('an odd object');
  });
});

describe('a rehearsal does not begin', () => {
  const writes = ({ cluster }: Scene) => cluster.writes.filter((write) => !write.includes(rehearsalLeaseName));

  test('beside an upgrade that took its Lease during the checks', async () => {
    const setting = await scene();
    setting.cluster.put('leases', newLease(namespace, upgrading, '1', setting.clock.now()));
    const error = await thrownBy(() => rehearsing(setting));
    expect([error.code, error.message]).toEqual(['upgrade-held', expect.stringContaining(upgrading)]);
    expect(writes(setting)).toEqual([]);
  });

  test('while an upgrade is not finished', async () => {
    const setting = await scene();
    setting.cluster.put('configmaps', await sealedJournal(recordOf(setting.context.target)));
    const error = await thrownBy(() => rehearsing(setting));
    expect(error.code).toBe('rehearsal-refused');
    expect(writes(setting)).toEqual([]);
  });
});

describe('a second rehearsal', () => {
  test('does not begin beside one that is at work', async () => {
    const setting = await scene();
    let second: Promise<{ code: string }> | undefined;
    setting.cluster.hooks.push((call) => {
      if (call.method === 'create' && call.name === upgradeJob)
        second ??= thrownBy(() => rehearsing(setting, 'https://github.example/o/r/actions/runs/3/attempts/1'));
    });
    await rehearsing(setting);
    expect((await second)?.code).toBe('upgrade-held');
    expect(left(setting)).toEqual([]);
  });

  test('takes the place of the first one once that has ended', async () => {
    const setting = await scene();
    await rehearsing(setting);
    expect(setting.cluster.peek('leases', rehearsalLeaseName, namespace)?.spec?.holderIdentity).toBe('');
    await rehearsing(setting);
    expect(left(setting)).toEqual([]);
  });
});

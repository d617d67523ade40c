import { describe, expect, test } from '@jest/globals';
import { jobName } from '../../../../src/objects/upgrade-job.ts';
import { startedOnFourteen } from '../../../../src/upgrade/server/external-start.ts';
import { discover } from '../../../../src/target/discover.ts';
import { Journal } from '../../../../src/journal/journal.ts';
import { resumeUpgrade } from '../../../../src/upgrade/resume.ts';
import { mayLose } from '../../../../src/upgrade/rollback.ts';
import { expectCompleted } from '../../../../src/upgrade/contract/ending.ts';
import { deployment, inputs, namespace, newImage, oldImage } from '../../objects.ts';
import { thrownBy } from '../../thrown.ts';
import { recordOf } from '../context.ts';
import { collectPods, ending, revertName, served } from '../job-controller.ts';
import { anotherRun, live } from '../live.ts';
import { seal } from '../sealed.ts';

type Live = Awaited<ReturnType<typeof live>>;

const reverted = ending(0, { command: 'revert', outcome: 'reverted', message: 'the old data directory is back' });

async function upgrade(revert = served('link')): Promise<Live> {
  const setting = await live({ [jobName]: ending(0), [revertName]: revert });
  collectPods(setting);
  return setting;
}

/** Somebody else acts once, when the cluster is in that state. */
function once({ cluster }: Live, isThen: () => boolean, act: () => void): void {
  let isDone = false;
  cluster.hooks.push(() => {
    if (isDone || !isThen()) return;
    isDone = true;
    act();
  });
}

/** What `helm upgrade` sets for an application. */
const startFrontend = ({ cluster }: Live, replicas = 3) => {
  cluster.put('deployments', deployment('frontend', replicas));
};

/** And for PostgreSQL. */
function setImage({ cluster }: Live, image: string): void {
  const now = cluster.peek('statefulsets', 'postgresql', namespace);
  const container = now?.spec?.template.spec?.containers[0];
  if (now === undefined || container === undefined) throw new Error('there is no server');
  container.image = image;
  cluster.put('statefulsets', now);
}

/** PostgreSQL 12 does not start on files of PostgreSQL 14, which the volume has once its Job has ended. */
function neverReadyOn14({ cluster }: Live): void {
  cluster.hooks.push(() => {
    const pod = cluster.peek('pods', 'postgresql-0', namespace);
    const isUpgraded = cluster.peek('jobs', jobName, namespace)?.status?.failed === 1;
    if (pod?.spec?.containers[0]?.image === oldImage && isUpgraded)
      cluster.put('pods', { ...pod, status: { phase: 'Running', conditions: [] } });
  });
}

const writesOn14 = ({ state }: Live) => {
  state.databases['circle']?.relations.splice(0, 1, ['public.builds', 'rows', '43']);
};

const is14 = ({ state }: Live) => state.version.startsWith('14.');

/** What the next run of "mode: upgrade" does. */
async function nextRun(setting: Live): Promise<readonly string[]> {
  const { cluster } = setting;
  const journal = await Journal.find(cluster, namespace, seal);
  if (journal === undefined || journal.isClosed) throw new Error('there is nothing to go on with');
  const target = await discover(cluster, inputs());
  const run = anotherRun(setting, cluster, target);
  expectCompleted(await resumeUpgrade(run, journal));
  return run.results.warnings;
}

describe('applications that somebody else starts', () => {
  test('while pg_upgrade is at work: PostgreSQL 12 comes back before PostgreSQL 14 has served anybody, and theirs stays as they set it', async () => {
    const setting = await upgrade(reverted);
    once(
      setting,
      () => setting.cluster.peek('jobs', jobName, namespace) !== undefined,
      () => {
        startFrontend(setting, 5);
      },
    );
    const error = await thrownBy(setting.begin);
    expect(error.code).toBe('reverted');
    expect(error.message).toContain('somebody else started deployments/frontend');
    expect(setting.image()).toBe(oldImage);
    expect(setting.replicas()).toBe(5);
    expect(setting.journal()).toMatchObject({ outcome: 'reverted' });
  });

  test('before pg_upgrade begins: it is not even made, since it would be for nothing', async () => {
    const setting = await upgrade(reverted);
    once(
      setting,
      () => setting.journal()?.['step'] === 'upgrade-job',
      () => {
        startFrontend(setting, 5);
      },
    );
    const error = await thrownBy(setting.begin);
    expect(error.message).toContain('somebody else started deployments/frontend');
    expect(setting.cluster.peek('jobs', jobName, namespace)).toBeUndefined();
    expect([error.code, setting.image(), setting.replicas()]).toEqual(['reverted', oldImage, 5]);
  });

  describe('when PostgreSQL 14 serves already, and that write to it', () => {
    async function letIn(): Promise<Live> {
      const setting = await upgrade();
      once(
        setting,
        () => is14(setting),
        () => {
          startFrontend(setting);
          writesOn14(setting);
        },
      );
      return setting;
    }

    test('are not taken back: what they wrote would be lost', async () => {
      const setting = await letIn();
      const error = await thrownBy(setting.begin);
      expect(error.code).toBe('let-in-by-others');
      expect(error.message).toContain('public.builds: 42 rows before, 43 rows after');
      expect(error.message).toContain('Somebody else started deployments/frontend at 2026-');
      expect(setting.image()).toBe(newImage);
      expect(setting.cluster.writes.filter((write) => write.includes(revertName))).toEqual([]);
      expect(setting.journal()).not.toHaveProperty('back');
      expect(setting.journal()).not.toHaveProperty('outcome');
    });

    test('are gone on with by the next run, which warns of what differs', async () => {
      const setting = await letIn();
      await thrownBy(setting.begin);
      const warnings = await nextRun(setting);
      expect(warnings).toEqual([expect.stringContaining('public.builds: 42 rows before, 43 rows after')]);
      expect(setting.image()).toBe(newImage);
      expect(setting.replicas()).toBe(3);
      expect(setting.journal()).toMatchObject({ outcome: 'upgraded' });
    });

    test('are rolled back only by who agrees to lose that', async () => {
      const setting = await letIn();
      await thrownBy(setting.begin);
      const journal = await Journal.find(setting.cluster, namespace, seal);
      expect(journal !== undefined && mayLose(journal)).toBe(true);
    });
  });

  test('together with an image of PostgreSQL 12 over the files of PostgreSQL 14 do not lead back either', async () => {
    const setting = await upgrade();
    once(
      setting,
      () => is14(setting),
      () => {
        startFrontend(setting);
        setImage(setting, oldImage);
      },
    );
    neverReadyOn14(setting);
    const error = await thrownBy(setting.begin);
    expect(error.code).toBe('let-in-by-others');
    expect(error.message).toContain(`set the image of PostgreSQL to ${oldImage}`);
    await nextRun(setting);
    expect(setting.image()).toBe(newImage);
    expect(setting.journal()).toMatchObject({ outcome: 'upgraded' });
  });
});

describe('an image of PostgreSQL 12 that somebody else sets', () => {
  test('before the applications are let in takes everything back', async () => {
    const setting = await upgrade();
    once(
      setting,
      () => setting.state.statements.some((statement) => statement.includes('pg_available_extensions')),
      () => {
        setImage(setting, oldImage);
      },
    );
    const error = await thrownBy(setting.begin);
    expect(error.code).toBe('reverted');
    expect(error.message).toContain('Wait until PostgreSQL 14 is ready: Somebody else set the image');
    expect(setting.image()).toBe(oldImage);
    expect(setting.replicas()).toBe(3);
  });

  test('after that is not called done: the next run sets that of PostgreSQL 14 again', async () => {
    const setting = await upgrade();
    once(
      setting,
      () => is14(setting) && setting.replicas() === 3,
      () => {
        setImage(setting, oldImage);
      },
    );
    const error = await thrownBy(setting.begin);
    expect(error.code).toBe('image-changed');
    expect(setting.journal()).not.toHaveProperty('outcome');
    await nextRun(setting);
    expect(setting.image()).toBe(newImage);
    expect(setting.journal()).toMatchObject({ outcome: 'upgraded' });
  });
});

describe('what a rollback of an upgrade that is not done asks first', () => {
  async function open(notes: Readonly<Record<string, unknown>>): Promise<() => Promise<string[]>> {
    const setting = await live();
    startFrontend(setting, 3);
    const { cluster, context } = setting;
    const { target } = context;
    const journal = await Journal.begin(cluster, namespace, seal, recordOf(target), notes);
    return () => startedOnFourteen({ cluster, target, journal });
  }

  test.each([
    ['the data of PostgreSQL 14 is validated', { validated: true, step: 'before-applications' }],
    ['PostgreSQL 14 was being started', { step: 'activate' }],
  ])('names the applications that run where %s', async (_what, notes) => {
    expect(await (await open(notes))()).toEqual(expect.arrayContaining([expect.stringContaining('frontend')]));
  });

  test.each([
    ['the applications were not stopped yet', { step: 'anchor' }],
    ['the upgrade went back already', { validated: true, back: 'a reason' }],
    ['the upgrade is done', { validated: true, outcome: 'upgraded' }],
  ])('names none where %s', async (_what, notes) => {
    expect(await (await open(notes))()).toEqual([]);
  });
});

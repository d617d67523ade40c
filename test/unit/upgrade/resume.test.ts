import type { AnyCluster } from '../any-cluster.ts';
import { describe, expect, jest, test } from '@jest/globals';
import { answerError } from '../../../src/adapters/api-error.ts';
import { isRunError } from '../../../src/common/errors.ts';
import { anchorName } from '../../../src/objects/anchor.ts';
import { copyJobName } from '../../../src/objects/copy-job.ts';
import type { FactsWithRehearsal } from '../../../src/facts/facts.ts';
import { bootJobName, jobName } from '../../../src/objects/upgrade-job.ts';
import type { RunCommands } from '../../../src/ports/commands.ts';
import { discover } from '../../../src/target/discover.ts';
import { serverImage } from '../../../src/target/target.ts';
import { claimInSwap } from '../../../src/upgrade/backup/volume-swap.ts';
import { Journal } from '../../../src/journal/journal.ts';
import { expectCompleted } from '../../../src/upgrade/contract/ending.ts';
import { resumeUpgrade } from '../../../src/upgrade/resume.ts';
import { runUpgrade } from '../../../src/upgrade/upgrade.ts';
import { choiceUpTo } from '../../choice.ts';
import { inputs, namespace, newImage, oldImage, scaledObject } from '../objects.ts';
import { facts } from '../prechecks/facts.ts';
import { full } from './anchored.ts';
import { collectPods, ending, revertName, served } from './job-controller.ts';
import { dyingAt, Killed } from './dying-cluster.ts';
import { anotherRun, live, loseRowOn14 } from './live.ts';
import { seal } from './sealed.ts';

// Each test is up to two hundred upgrades.
jest.setTimeout(180_000);

/** Calls at which `npm test` kills a run. */
const kills = 12;

type Live = Awaited<ReturnType<typeof live>>;
type End = 'upgraded' | 'reverted' | 'already-upgraded' | 'killed';

/** A server that is not there answers nothing. */
function silenceStopped({ cluster }: Live): void {
  cluster.hooks.push((call) => {
    if (call.method !== 'exec' || cluster.look('pods', call.name, namespace) !== undefined) return;
    throw answerError(
      `run a command in ${call.name}`,
      404,
      JSON.stringify({ message: `pods "${call.name}" not found` }),
    );
  });
}

/** Commands of the workflow, before and after which a run may be killed too. */
function commandsOver(cluster: AnyCluster, exitCode: number): RunCommands {
  return async () => {
    await cluster.now();
    await cluster.now();
    return { exitCode };
  };
}

/** What one run of the action does with what it finds, from the beginning, over a connection of its own. */
async function oneRun(setting: Live, cluster: AnyCluster, story: keyof typeof stories): Promise<End> {
  const wanted = givenIn(story);
  try {
    const journal = await Journal.find(cluster, namespace, seal);
    const target = await discover(cluster, inputs(wanted), () => Promise.resolve(claimInSwap(journal)));
    const runCommands = commandsOver(cluster, wanted['before-applications'] === failing ? 1 : 0);
    const given = { ...anotherRun(setting, cluster, target), inputs: inputs(wanted), runCommands };
    if (journal?.isClosed === false) expectCompleted(await resumeUpgrade(given, journal));
    else if (serverImage(target) === newImage) return 'already-upgraded';
    else
      expectCompleted(
        await runUpgrade({
          ...given,
          seal,
          facts: { ...(await facts({ target, inputs: given.inputs })), ...rehearsedIn(story) },
          runId: `run-${String(setting.cluster.calls.length)}`,
        }),
      );
    return 'upgraded';
  } catch (error) {
    // A killed process tells nobody; what it does after that here has no effect.
    if (error instanceof Killed || (isRunError(error) && /\bkilled\b/.test(error.message))) return 'killed';
    if (isRunError(error) && error.code === 'reverted') return 'reverted';
    throw error;
  }
}

/** Everything as it is to be, whichever of the two serves. */
function expectWhole({ cluster, image, replicas, journal }: Live, end: End): void {
  const server = cluster.peek('statefulsets', 'postgresql', namespace)?.spec;
  expect(image()).toBe(end === 'reverted' ? oldImage : newImage);
  expect(server?.replicas).toBe(1);
  expect(server?.template.spec).not.toHaveProperty('schedulingGates');
  expect(replicas()).toBe(3);
  expect(cluster.peek('deployments', 'insights', namespace)?.spec?.replicas).toBe(0);
  expect(cluster.peek('cronjobs', 'nightly', namespace)?.spec.suspend ?? false).toBe(false);
  expect(cluster.peek('cronjobs', 'paused', namespace)?.spec.suspend).toBe(true);
  const scaler = cluster.peek('scaledobjects', 'frontend-scaler', namespace)?.metadata;
  expect([scaler?.annotations ?? {}, scaler?.labels ?? {}]).toEqual([{}, {}]);
  expect(cluster.peek('jobs', anchorName, namespace)).toBeUndefined();
  expect(journal()?.['outcome']).toBe(end === 'reverted' ? 'reverted' : 'upgraded');
}

const failing = 'exit 1';
const hooks = {
  'before-applications-sql': 'CREATE TABLE IF NOT EXISTS public.done ();',
  'before-applications': 'true',
  'after-applications': 'true',
};
const reverted = ending(0, { command: 'revert', outcome: 'reverted', message: 'the old data directory is back' });
const stories = {
  'an upgrade that goes well': {
    states: { [jobName]: ending(0), [revertName]: reverted },
    end: ['upgraded', 'already-upgraded'],
  },
  'an upgrade whose backup is ready long after it is cut': {
    states: { [jobName]: ending(0), [revertName]: reverted },
    end: ['upgraded', 'already-upgraded'],
    readyAfter: 3000,
  },
  'an upgrade that waits for the backup at its end': {
    states: { [jobName]: ending(0, { transfer: 'clone' }), [revertName]: reverted },
    end: ['upgraded', 'already-upgraded'],
    readyAfter: 3000,
  },
  'an upgrade whose backup a rehearsal has proved': {
    states: { [jobName]: ending(0), [revertName]: reverted },
    end: ['upgraded', 'already-upgraded'],
    rehearsed: true,
  },
  'an upgrade whose linked data differs, and whose backup a rehearsal has proved': {
    states: { [jobName]: ending(0), [revertName]: served('link') },
    end: ['reverted'],
    loses: true,
    rehearsed: true,
  },
  'an upgrade whose backup is a copy': {
    states: { [jobName]: ending(0), [revertName]: reverted },
    end: ['upgraded', 'already-upgraded'],
    given: { backup: 'copy' },
  },
  'an upgrade whose copy finds no room beside the anchor': {
    states: { [jobName]: ending(0), [revertName]: reverted },
    end: ['upgraded', 'already-upgraded'],
    given: { backup: 'copy' },
    full: copyJobName,
  },
  'an upgrade whose Job fails after the volume was copied': {
    states: { [jobName]: ending(1), [revertName]: reverted },
    end: ['reverted'],
    given: { backup: 'copy' },
  },
  'an upgrade whose linked data differs, and whose backup is a copy': {
    states: { [jobName]: ending(0), [revertName]: served('link') },
    end: ['reverted'],
    loses: true,
    given: { backup: 'copy' },
  },
  'an upgrade whose Job fails': { states: { [jobName]: ending(1), [revertName]: reverted }, end: ['reverted'] },
  'an upgrade whose linked data differs': {
    states: { [jobName]: ending(0), [revertName]: served('link') },
    end: ['reverted'],
    loses: true,
  },
  'an upgrade whose cloned data differs': {
    states: {
      [jobName]: ending(0, { transfer: 'clone' }),
      [revertName]: served('clone'),
      [`${revertName} rollback`]: reverted,
    },
    end: ['reverted'],
    loses: true,
  },
  'an upgrade with hooks': {
    states: { [jobName]: ending(0), [revertName]: reverted },
    end: ['upgraded', 'already-upgraded'],
    given: hooks,
  },
  'an upgrade whose hook fails': {
    states: { [jobName]: ending(0), [revertName]: served('link') },
    end: ['reverted'],
    given: { ...hooks, 'before-applications': failing },
  },
} as const;

async function begin(story: keyof typeof stories): Promise<Live> {
  const told = stories[story];
  const readyAfter = 'readyAfter' in told ? told.readyAfter : 0;
  let cutAt: number | undefined;
  // Only the backup is slow: nothing of the proof is to be told.
  const setting = await live(told.states, {}, ({ clock }, snapshot) => {
    if (!snapshot.includes('-before-upgrade-')) return true;
    cutAt ??= clock.monotonic();
    return clock.monotonic() - cutAt >= readyAfter;
  });
  setting.cluster.put('scaledobjects', scaledObject('frontend-scaler', 'frontend'));
  silenceStopped(setting);
  collectPods(setting);
  if ('loses' in told) loseRowOn14(setting);
  if ('full' in told) full(setting, told.full);
  return setting;
}

function givenIn(story: keyof typeof stories): Readonly<Record<string, string>> {
  const told = stories[story];
  return 'given' in told ? told.given : {};
}

function rehearsedIn(story: keyof typeof stories): Pick<FactsWithRehearsal, 'rehearsalProof'> {
  return 'rehearsed' in stories[story]
    ? { rehearsalProof: { run: 'process 1', at: '2026-01-02T03:04:05.000Z', cuts: 'in-time' } }
    : {};
}

/** Where the journal has a rehearsal that proved the backup, no run has made a copy to prove it. */
function expectOneProof({ cluster, journal }: Live): void {
  if (journal()?.['rehearsal'] !== undefined) expect(cluster.writes).not.toContain(`create jobs/${bootJobName}`);
}

async function callsOf(story: keyof typeof stories): Promise<number> {
  const setting = await begin(story);
  const { cluster, count } = dyingAt(setting.cluster, Infinity, true);
  await oneRun(setting, cluster, story);
  return count();
}

describe.each(Object.keys(stories) as (keyof typeof stories)[])('%s', (story) => {
  test.each([
    ['before', false],
    ['after', true],
  ])(
    'and is killed %s the effect of any of its calls is brought to its end by one more run',
    async (_when, hasEffect) => {
      const calls = await callsOf(story);
      expect(calls).toBeGreaterThan(60);
      for (const last of choiceUpTo(calls, kills)) {
        const setting = await begin(story);
        await oneRun(setting, dyingAt(setting.cluster, last, hasEffect).cluster, story);
        const killedAt = JSON.stringify(setting.cluster.calls.at(-1) ?? 'no call').slice(0, 200);
        try {
          const second = await oneRun(setting, setting.cluster, story);
          expect(stories[story].end).toContain(second);
          expectWhole(setting, second);
          if (second !== 'reverted') expectOneProof(setting);
        } catch (error) {
          throw new Error(`killed at call ${String(last)} of ${String(calls)}, after ${killedAt}`, { cause: error });
        }
      }
    },
  );
});

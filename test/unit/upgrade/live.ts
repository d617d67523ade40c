import type { AnyCluster } from '../any-cluster.ts';
import { Database } from '../../../src/database/database.ts';
import { jobName } from '../../../src/objects/upgrade-job.ts';
import { Timeline } from '../../../src/report/timeline.ts';
import type { Target } from '../../../src/target/target.ts';
import { journalName } from '../../../src/objects/journal-name.ts';
import { expectCompleted } from '../../../src/upgrade/contract/ending.ts';
import { runUpgrade } from '../../../src/upgrade/upgrade.ts';
import { inputs, namespace, newImage, password } from '../objects.ts';
import { facts } from '../prechecks/facts.ts';
import { controlStatefulSet, setUp, type Setting } from './context.ts';
import { controlJobs, ending } from './job-controller.ts';
import { forgetJournal, seal } from './sealed.ts';
import { controlStorage } from './storage-controller.ts';

/** A cluster with its controllers, in which an upgrade can run from its first move to its last. */
export async function live(
  states: Parameters<typeof controlJobs>[1] = { [jobName]: ending(0) },
  given: Readonly<Record<string, string>> = {},
  isReady: (setting: Setting, snapshot: string) => boolean = () => true,
) {
  const setting = await setUp(undefined, given);
  const { cluster, context } = setting;
  forgetJournal(cluster);
  controlStatefulSet(setting);
  controlJobs(setting, states);
  cluster.hooks.push(() => {
    const now = cluster.look('deployments', 'frontend', namespace);
    const replicas = now?.spec?.replicas ?? 0;
    const { status } = now ?? {};
    if (now !== undefined && (status?.replicas !== replicas || status.readyReplicas !== replicas))
      cluster.put('deployments', { ...now, status: { observedGeneration: 1, replicas, readyReplicas: replicas } });
  });
  controlStorage(setting, (snapshot) => isReady(setting, snapshot));
  const begin = async (more: Parameters<typeof facts>[0] = {}) => {
    const given = { ...context, facts: await facts({ inputs: context.inputs, ...more }), runId: 'run-1', seal };
    expectCompleted(await runUpgrade(given));
    return context.results;
  };
  const image = () => cluster.look('statefulsets', 'postgresql', namespace)?.spec?.template.spec?.containers[0]?.image;
  const journal = () => cluster.peek('configmaps', journalName, namespace)?.data;
  const replicas = () => cluster.peek('deployments', 'frontend', namespace)?.spec?.replicas;
  return { ...setting, begin, image, journal, replicas };
}

/** What another run of the action works with, over a connection of its own. */
export function anotherRun({ context, clock }: Setting, cluster: AnyCluster, target: Target) {
  return {
    ...{ cluster, clock, target },
    log: context.log,
    signal: new AbortController().signal,
    inputs: inputs(),
    database: new Database(cluster, target, password, 'postgres'),
    scripts: context.scripts,
    timeline: new Timeline(clock),
    runCommands: context.runCommands,
    results: { warnings: [] },
  };
}

/** Wherever PostgreSQL 14 serves, a row is missing. */
export function loseRowOn14({ cluster, state, image }: Awaited<ReturnType<typeof live>>): void {
  cluster.hooks.push((call) => {
    const rows = image() === newImage ? '41' : '42';
    if (call.method === 'exec') state.databases['circle']?.relations.splice(0, 1, ['public.builds', 'rows', rows]);
  });
}

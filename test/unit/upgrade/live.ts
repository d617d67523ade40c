import { jobName } from '../../../src/job/manifest.ts';
import { journalName } from '../../../src/upgrade/journal.ts';
import { runUpgrade } from '../../../src/upgrade/upgrade.ts';
import { namespace } from '../objects.ts';
import { facts } from '../prechecks/facts.ts';
import { controlStatefulSet, setUp } from './context.ts';
import { controlJobs, ending } from './job-controller.ts';

/** A cluster with its controllers, in which an upgrade can run from its first move to its last. */
export async function live(states: Parameters<typeof controlJobs>[1] = { [jobName]: ending(0) }) {
  const setting = await setUp();
  const { cluster, context } = setting;
  cluster.remove('configmaps', journalName, namespace);
  controlStatefulSet(setting);
  controlJobs(setting, states);
  cluster.hooks.push(() => {
    const now = cluster.peek('deployments', 'frontend', namespace);
    const replicas = now?.spec?.replicas ?? 0;
    if (now !== undefined)
      cluster.put('deployments', { ...now, status: { observedGeneration: 1, replicas, readyReplicas: replicas } });
  });
  cluster.hooks.push((call) => {
    const found =
      call.resource === 'volumesnapshots' ? cluster.peek('volumesnapshots', call.name, namespace) : undefined;
    if (found !== undefined) cluster.put('volumesnapshots', { ...found, status: { readyToUse: true } });
  });
  const begin = async (more: Parameters<typeof facts>[0] = {}) =>
    runUpgrade({ ...context, facts: await facts(more), runId: 'run-1' });
  const image = () => cluster.peek('statefulsets', 'postgresql', namespace)?.spec?.template.spec?.containers[0]?.image;
  const journal = () => cluster.peek('configmaps', journalName, namespace)?.data;
  const replicas = () => cluster.peek('deployments', 'frontend', namespace)?.spec?.replicas;
  return { ...setting, begin, image, journal, replicas };
}

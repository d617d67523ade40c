import { ClusterError, describe, sentence } from '../../common/errors.ts';
import { jsonLines } from '../../database/script.ts';
import { databaseNames, listedDatabases } from '../../database/server.ts';
import { withHeartbeat } from '../../ports/heartbeat.ts';
import { matchesSelector } from '../../target/label-selector.ts';
import { isScaled, workloadName, type ScaledWorkload, type Workload } from '../../target/applications.ts';
import { shell } from '../../text/shell.ts';
import { waitFor } from '../../ports/wait.ts';
import { isStopped } from '../server/external-start.ts';
import { expectGatesMet, planGates } from './gates.ts';
import { autoscalersPaused, pauseAutoscaler, restoreAutoscaler } from './autoscalers.ts';
import type { Context, Step } from '../contract/step.ts';
import { planStart, planStop, startOperation, stopOperation, type Switched } from './workload-operations.ts';

/** Writes the data to disk while the applications serve. Then stops them, and waits until their pods have ended. */
export const stopApplications: Step = {
  id: 'stop-applications',
  title: 'Stop the applications',
  undoTitle: 'Restart the applications',

  plan: ({ record, inputs }) => [
    { does: 'run', what: 'Write the data to disk while the applications still serve: CHECKPOINT.' },
    ...planGates(inputs),
    ...record.applications.map(planStop),
  ],

  async run(context) {
    // Before anything is paused.
    if (context.journal.noted.downSince === undefined) await context.sweepRehearsals?.();
    const workloads = context.journal.record.applications;
    // First, since KEDA would scale up again what was just stopped. The applications still serve meanwhile.
    const autoscalers = workloads.filter(isAutoscaler);
    await everyOne(autoscalers, (w) => pauseAutoscaler(context, w));
    await autoscalersPaused(context, autoscalers);
    await checkpointAhead(context);
    await expectGatesMet(context);
    await beginDowntime(context);
    await everyOne(workloads, async (w) => {
      if (w.resource !== 'scaledobjects') await change(context, w, stopOperation(w));
    });
    await podsGone(context, workloads);
  },

  async undo(context) {
    if (context.journal.noted.downSince !== undefined) await startApplications(context);
    else await everyOne(context.journal.record.applications.filter(isAutoscaler), (w) => restoreAutoscaler(context, w));
  },
};

/**
 * So that the CHECKPOINT in the downtime finds little to write. The same session lists the databases, so that the first look at the server after its last client can ask in
 * all of them. Not where an earlier run began the downtime. If it fails, the one in the downtime only takes longer.
 */
async function checkpointAhead({ journal, database, inputs, clock, log, results }: Context): Promise<void> {
  if (journal.noted.downSince !== undefined) return;
  const limit = inputs.shutdownTimeout;
  const doing = 'writing the data to disk before the applications stop';
  try {
    const script = `CHECKPOINT;\n${databaseNames}`;
    const rows = await withHeartbeat({ doing, limit, clock, log }, () => database.write('template1', script, limit));
    const listed = listedDatabases.parse(jsonLines(rows));
    results.databases = listed.filter((d) => d.allowsConnections).map(({ name }) => name);
    log.info('Wrote the data to disk (CHECKPOINT) while the applications serve');
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    log.info(
      `Could not write the data to disk before the applications stop: ${sentence(describe(error))} The CHECKPOINT in the downtime may take longer`,
    );
  }
}

async function beginDowntime(context: Context): Promise<void> {
  const { journal, cluster, timeline } = context;
  if (journal.noted.downSince === undefined) {
    await journal.note('downSince', await cluster.now());
    timeline.split(stopApplications.id, {
      id: 'write-ahead',
      title: 'Write the data to disk while the applications serve',
    });
    timeline.downtimeBegins();
  }
  await countDowntime(context);
}

/** The downtime counts from the first run that stopped an application, whichever run ends it. It uses the API server's time, since runners have clocks of their own. */
async function countDowntime({ journal, cluster, timeline }: Context): Promise<void> {
  const { downSince } = journal.noted;
  if (downSince !== undefined) timeline.downtimeBegins((await cluster.now()).getTime() - downSince.getTime());
}

/** Restarts the applications exactly as recorded. */
export const restoreApplications: Step = {
  id: 'restore-applications',
  title: 'Restart the applications',

  plan: ({ record }) => record.applications.map(planStart),

  async run(context) {
    await countDowntime(context);
    await startApplications(context);
  },
};

/** Restarts every workload as recorded, and waits until all are ready. */
export async function startApplications(context: Context): Promise<void> {
  const workloads = context.journal.record.applications;
  await everyOne(workloads, async (w) => {
    if (w.resource !== 'scaledobjects') await startOne(context, w);
  });
  // Last, so that KEDA starts from the recorded replicas.
  await everyOne(workloads, async (w) => {
    if (w.resource === 'scaledobjects') await restoreAutoscaler(context, w);
  });
  const scaled = workloads.filter(isScaled);
  await waitFor(
    {
      what: 'the applications to be ready',
      limit: context.inputs.rolloutTimeout,
      limitInput: 'rollout-timeout',
      lookAt: shell`kubectl -n ${context.target.namespace} get pods`,
      ...context,
    },
    async () => {
      const missing = (await Promise.all(scaled.map((w) => missingReplicas(context, w)))).flat();
      return missing.length === 0 ? { done: undefined } : { pending: missing.join(', ') };
    },
  );
  context.timeline.downtimeEnds();
}

function isAutoscaler(workload: Workload): workload is Extract<Workload, { resource: 'scaledobjects' }> {
  return workload.resource === 'scaledobjects';
}

/** Waits for every change before it throws the first error: none may take effect after it was undone. */
async function everyOne<W extends Workload>(
  workloads: readonly W[],
  act: (workload: W) => Promise<void>,
): Promise<void> {
  const answers = await Promise.allSettled(workloads.map(act));
  const failed = answers.find((answer) => answer.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** A workload that somebody else has started meanwhile keeps what they set. */
async function startOne(context: Context, workload: Switched): Promise<void> {
  if (await isStopped(context.cluster, context.target.namespace, workload))
    await change(context, workload, startOperation(workload), ', as before');
  else context.log.info(`${workloadName(workload)}: somebody else has started it already`);
}

async function change(
  { cluster, target, log }: Context,
  workload: Switched,
  operation: ReturnType<typeof stopOperation>,
  note = '',
): Promise<void> {
  await cluster.patch(workload.resource, workload.name, target.namespace, [operation]);
  log.info(`Set ${workloadName(workload)}: ${operation.path.slice('/spec/'.length)} ${String(operation.value)}${note}`);
}

/** Waits for the pods that the workloads select, and those of Jobs that a CronJob started. */
async function podsGone(context: Context, workloads: readonly Workload[]): Promise<void> {
  const { cluster, target, inputs } = context;
  const selectors = workloads.filter(isScaled).map((w) => w.podSelector);
  const cronJobs = new Set(workloads.flatMap((w) => (w.resource === 'cronjobs' ? [w.name] : [])));
  await waitFor(
    {
      what: 'the pods of the applications to end',
      limit: inputs.applicationsTimeout,
      limitInput: 'applications-timeout',
      lookAt: shell`kubectl -n ${target.namespace} get pods`,
      ...context,
    },
    async () => {
      const [pods, jobs] = await Promise.all([
        cluster.list('pods', { namespace: target.namespace }),
        cluster.list('jobs', { namespace: target.namespace }),
      ]);
      const jobsOfCronJobs = new Set(
        jobs
          .filter((j) => j.metadata?.ownerReferences?.some((o) => o.kind === 'CronJob' && cronJobs.has(o.name)))
          .map((j) => j.metadata?.name),
      );
      const left = pods
        .filter((pod) => pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed')
        .filter((pod) => {
          const labels = pod.metadata?.labels ?? {};
          const ofJob =
            pod.metadata?.ownerReferences?.some((o) => o.kind === 'Job' && jobsOfCronJobs.has(o.name)) ?? false;
          return ofJob || selectors.some((selector) => matchesSelector(labels, selector));
        });
      return left.length === 0 ? { done: undefined } : { pending: left.map((pod) => pod.metadata?.name).join(', ') };
    },
  );
}

/** `deployments/frontend 1/2`; nothing if all wanted replicas are ready. An autoscaler may want another number than was recorded. */
async function missingReplicas({ cluster, target }: Context, workload: ScaledWorkload): Promise<string[]> {
  const now = await cluster.find(workload.resource, workload.name, target.namespace);
  const status = now?.status;
  const wanted = now?.spec?.replicas ?? workload.replicas;
  const seen = (status?.observedGeneration ?? 0) >= (now?.metadata?.generation ?? 0);
  const ready = status?.readyReplicas ?? 0;
  const isBack = wanted > 0 || workload.replicas === 0;
  return seen && isBack && ready === wanted && (status?.replicas ?? 0) === wanted
    ? []
    : [`${workloadName(workload)} ${String(ready)}/${String(wanted || workload.replicas)}`];
}

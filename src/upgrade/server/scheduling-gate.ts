import { UpgradeError } from '../../common/errors.ts';
import type { V1StatefulSet } from '@kubernetes/client-node';
import type { ClusterReader, PatchOperation } from '../../ports/cluster.ts';
import { schedulingGate, hasGate, isGated } from '../../objects/scheduling-gate.ts';
import { expectClaim } from './claim.ts';
import type { Context } from '../contract/step.ts';

/** What it takes to look at the StatefulSet. */
export type Looking = Pick<Context, 'target'> & { readonly cluster: ClusterReader };

const gatesPath = '/spec/template/spec/schedulingGates';

/**
 * Sets the scheduling gate and scales to 0 in one patch: alone, the gate would roll the pod.
 * Decision: docs/decisions/0004-scheduling-gate.md
 * @throws UpgradeError when the API server dropped the gate (Kubernetes before 1.27)
 */
export async function gateAndStop(context: Context): Promise<void> {
  const { cluster, target } = context;
  const now = await readStatefulSet(context);
  const operations: PatchOperation[] = [sameObject(now), ...gateOperations(now)];
  const changed = await cluster.patch('statefulsets', target.name, target.namespace, operations);
  if (!hasGate(changed.spec?.template.spec)) {
    throw new UpgradeError(
      'gate-dropped',
      'The API server dropped the scheduling gate, so anybody could start PostgreSQL during the upgrade.',
      'Use Kubernetes 1.27 or later.',
    );
  }
}

/** Sets the scheduling gate and replicas 0, in one patch. */
export function gateOperations({ spec }: V1StatefulSet): PatchOperation[] {
  const template = spec?.template.spec;
  const gates = [...(template?.schedulingGates ?? []), { name: schedulingGate }];
  return [
    { op: 'add', path: '/spec/replicas', value: 0 },
    ...(hasGate(template) ? [] : [{ op: 'add', path: gatesPath, value: gates } as const]),
  ];
}

/** Removes the scheduling gate, and sets image and replicas, in one patch. */
export function ungateOperations(
  { spec }: V1StatefulSet,
  container: string | undefined,
  image: string,
  replicas: number,
): PatchOperation[] {
  const template = spec?.template.spec;
  const index = template?.containers.findIndex((c) => c.name === container) ?? -1;
  const left = (template?.schedulingGates ?? []).filter((g) => g.name !== schedulingGate);
  const operations: PatchOperation[] = [];
  if (template?.containers[index]?.image !== image)
    operations.push({ op: 'replace', path: `/spec/template/spec/containers/${String(index)}/image`, value: image });
  // Setting an empty list may be repeated, removing the field may not; the API server stores neither.
  if (left.length !== (template?.schedulingGates ?? []).length)
    operations.push({ op: 'add', path: gatesPath, value: left });
  operations.push({ op: 'add', path: '/spec/replicas', value: replicas });
  return operations;
}

function sameObject({ metadata }: V1StatefulSet): PatchOperation {
  return { op: 'test', path: '/metadata/uid', value: metadata?.uid };
}

/** Whether the scheduling gate is set with replicas 0: then nobody has written since. */
export async function isStoppedByGate(context: Context): Promise<boolean> {
  const { spec } = await readStatefulSet(context);
  return spec?.replicas === 0 && hasGate(spec.template.spec);
}

/** Whether the scheduling gate is set, whatever the replicas: then nobody can start PostgreSQL. */
export async function isGateSet(context: Looking): Promise<boolean> {
  return hasGate((await readStatefulSet(context)).spec?.template.spec);
}

/** The image with which anybody may start PostgreSQL now; undefined while the scheduling gate is set. */
export async function ungatedImage(context: Context): Promise<string | undefined> {
  const spec = (await readStatefulSet(context)).spec?.template.spec;
  return hasGate(spec) ? undefined : spec?.containers.find((c) => c.name === context.target.container.name)?.image;
}

/**
 * Removes the scheduling gate and starts the server with this image, in one patch.
 * @throws UpgradeError when it would start without its data
 */
export async function ungateAndStart(context: Context, image: string): Promise<void> {
  const { cluster, target, journal } = context;
  const now = await readStatefulSet(context);
  const spec = now.spec?.template.spec;
  if (hasGate(spec) || now.spec?.replicas === 0) await expectClaim(context);
  const operations = [sameObject(now), ...ungateOperations(now, target.container.name, image, journal.record.replicas)];
  await cluster.patch('statefulsets', target.name, target.namespace, operations);
  await removeGatedPod(context);
}

/** A pod that was created while the scheduling gate was set keeps its gate. Once it is deleted, the StatefulSet creates another one. */
async function removeGatedPod({ cluster, target, log }: Context): Promise<void> {
  const pod = await cluster.find('pods', target.podName, target.namespace);
  if (pod === undefined || !isGated(pod)) return;
  log.info(
    `Deleting pod ${target.podName}: somebody else scaled PostgreSQL up meanwhile, and the scheduling gate kept the pod from starting`,
  );
  await cluster.delete('pods', target.podName, target.namespace);
}

async function readStatefulSet({ cluster, target }: Looking): Promise<V1StatefulSet> {
  const now = await cluster.find('statefulsets', target.name, target.namespace);
  if (now !== undefined) return now;
  throw new UpgradeError(
    'statefulset-gone',
    `StatefulSet ${target.name} no longer exists.`,
    'Find out who deleted it. The data is still on the volume.',
  );
}

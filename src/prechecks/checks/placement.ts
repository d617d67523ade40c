import type { V1NodeSelectorTerm, V1Node, V1PodDisruptionBudget, V1Taint, V1Toleration } from '@kubernetes/client-node';
import { matchesSelector } from '../../target/label-selector.ts';
import type { Target } from '../../target/target.ts';
import { copyable, failed, passed, shell, warning, type Answer } from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';

/** Taints which say that a node is about to be removed. */
const leaving: Readonly<Record<string, string>> = {
  ToBeDeletedByClusterAutoscaler: 'the cluster autoscaler is removing it',
  DeletionCandidateOfClusterAutoscaler: 'the cluster autoscaler removes it when its pods have ended',
  'karpenter.sh/disrupted': 'Karpenter is removing it',
  'karpenter.sh/disruption': 'Karpenter is removing it',
  'cloud.google.com/impending-node-termination': 'the cloud provider is about to terminate it',
  'node.cloudprovider.kubernetes.io/shutdown': 'it was switched off',
  'node.kubernetes.io/out-of-service': 'it was declared out of service',
};

export const placementChecks: readonly Check[] = [
  {
    id: 'placement',
    title: 'Nodes for the upgrade Job',
    expected: 'A node that can attach the volume accepts the upgrade Job, and is not about to be removed',
    subject: 'cluster',
    why: "The upgrade Job runs where the volume can be attached, with the server's node selector and tolerations. Where every such node is cordoned or tainted, the Job starts nowhere, and the downtime was for nothing. The drain of a node may wait for a PodDisruptionBudget of PostgreSQL. It goes on as soon as the upgrade has stopped PostgreSQL. Annotations ask autoscalers to leave the Job alone. A drain by hand evicts the Job's pod, and the action then restores PostgreSQL 12 on another node. With the applications at 0 replicas, an autoscaler may remove their nodes. The applications then restart only when there are new nodes. Where nodes and budgets may not be read, this only warns. The probes are placed by the same rules. A Job that starts nowhere, or is evicted, costs downtime but no data.",
    advice:
      "Let one of the nodes accept pods again (`kubectl uncordon NODE`), or add a node in the zone of the volume. Or give the server's pod matching tolerations and a matching node selector. Where the server's node is being drained, wait until PostgreSQL runs on another node. Or keep the node until the upgrade is done. Where nodes may not be read, grant the right ([permissions](permissions.md)), or look yourself.",
    run({ nodes, budgets, target }) {
      if (!nodes.known || !budgets.known) {
        const reasons = [nodes, budgets].flatMap((fact) => (fact.known ? [] : [fact.reason]));
        return warning(
          `Let the kubeconfig's user list nodes and PodDisruptionBudgets (docs/permissions.md). Or look yourself whether the node of ${target.podName} stays: ${copyable(shell`kubectl get node ${nodeOf(target)} -o wide`)}`,
          ...reasons,
        );
      }
      return judged(nodes.value, budgets.value, target);
    },
  },
];

function judged(nodes: readonly V1Node[], budgets: readonly V1PodDisruptionBudget[], target: Target): Answer {
  const reachable = nodes.filter((node) => isReached(node, target));
  const taking = reachable.filter((node) => obstacleOf(node, target) === undefined);
  const own = nodes.find(({ metadata }) => metadata?.name === nodeOf(target));
  const others = reachable.filter((node) => !taking.includes(node));
  const evidence = [
    `${String(taking.length)} of ${String(reachable.length)} nodes that can attach the volume accept the Job`,
    ...others.map((node) => `node ${node.metadata?.name ?? ''}: ${obstacleOf(node, target) ?? ''}`),
    ...budgets.filter((budget) => covers(budget, target)).map(describe),
  ];
  if (taking.length === 0)
    return failed(
      `Let one of the nodes accept pods again (${copyable('kubectl uncordon NODE')}), or add a node in the zone of the volume. Or give the server's pod matching tolerations and a matching node selector.`,
      ...(reachable.length === 0 ? ["no node matches the volume and the server's node selector"] : []),
      ...evidence,
    );
  const [mark] = own === undefined ? [] : marksOf(own);
  if (own === undefined || (taking.includes(own) && mark === undefined)) return passed(...evidence);
  const said = mark === undefined ? [] : [`node ${nodeOf(target)} of ${target.podName}: ${mark}`];
  return warning(
    `Wait until ${nodeOf(target)} is drained and PostgreSQL runs on another node. Or keep the node until the upgrade is done (${copyable(shell`kubectl uncordon ${nodeOf(target)}`)}). Otherwise the Job and PostgreSQL 14 start on another node. There the volume has to be attached and the images have to be pulled, which takes time.`,
    ...said,
    ...evidence,
  );
}

/** Signs that the node is about to be removed, the worst first. */
function marksOf({ spec }: V1Node): string[] {
  const taints = Object.entries(leaving).filter(([key]) => spec?.taints?.some((taint) => taint.key === key));
  return [...(spec?.unschedulable === true ? ['it is cordoned'] : []), ...taints.map(([, what]) => what)];
}

/** Why a node takes no pod with the server's tolerations; a taint of effect PreferNoSchedule is none. */
function obstacleOf(node: V1Node, { statefulSet }: Target): string | undefined {
  const tolerations = statefulSet.spec?.template.spec?.tolerations ?? [];
  const [mark] = marksOf(node);
  if (node.spec?.unschedulable === true) return mark;
  const hard = (node.spec?.taints ?? []).filter(
    (taint) => taint.effect !== 'PreferNoSchedule' && !tolerations.some((one) => tolerates(one, taint)),
  );
  const [taint] = hard;
  return taint === undefined ? undefined : (leaving[taint.key] ?? `taint ${taint.key}:${taint.effect}`);
}

/** By the rules of the scheduler (core/v1, Toleration). */
function tolerates({ key, operator = 'Equal', value, effect }: V1Toleration, taint: V1Taint): boolean {
  const isEffect = effect === undefined || effect === '' || effect === taint.effect;
  const isKey = key === undefined || key === '' ? operator === 'Exists' : key === taint.key;
  return isEffect && isKey && (operator === 'Exists' || (value ?? '') === (taint.value ?? ''));
}

/** Whether the volume and the server's node selector allow the node. */
function isReached(node: V1Node, { volume, statefulSet }: Target): boolean {
  const terms = volume.persistentVolume?.spec?.nodeAffinity?.required?.nodeSelectorTerms;
  const wanted = statefulSet.spec?.template.spec?.nodeSelector ?? {};
  const labels = node.metadata?.labels ?? {};
  const isSelected = Object.entries(wanted).every(([key, value]) => labels[key] === value);
  return isSelected && (terms === undefined || terms.some((term) => matchesTerm(node, term)));
}

/** Expressions about labels and fields; one without any matches nothing (core/v1, NodeSelectorTerm). */
function matchesTerm({ metadata }: V1Node, { matchExpressions = [], matchFields = [] }: V1NodeSelectorTerm): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  return (
    matchesSelector(metadata?.labels ?? {}, { matchExpressions }) &&
    matchesSelector({ 'metadata.name': metadata?.name ?? '' }, { matchExpressions: matchFields })
  );
}

function covers({ spec }: V1PodDisruptionBudget, { pod, statefulSet }: Target): boolean {
  const labels = pod?.metadata?.labels ?? statefulSet.spec?.template.metadata?.labels ?? {};
  return spec?.selector !== undefined && matchesSelector(labels, spec.selector);
}

function describe({ metadata, status }: V1PodDisruptionBudget): string {
  const allowed = status?.disruptionsAllowed ?? 0;
  return `PodDisruptionBudget ${metadata?.name ?? ''} ${allowed > 0 ? 'lets a drain evict' : 'makes a drain wait for'} the server's pod; it does not cover the Job's pod`;
}

function nodeOf({ pod }: Target): string {
  return pod?.spec?.nodeName ?? 'NODE';
}

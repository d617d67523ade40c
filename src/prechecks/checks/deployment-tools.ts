import type { HelmRevision } from '../../target/helm-releases.ts';
import type { Reconciler } from '../../target/reconcilers.ts';
import type { Target } from '../../target/target.ts';
import { copyable, failed, judgeFact, passed, shell, unknown } from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';

const releaseAnnotation = 'meta.helm.sh/release-name';

/** Tools that would undo the changes of the upgrade: Argo CD, Flux, KEDA, Helm and operators. */
export const deploymentToolChecks: readonly Check[] = [
  {
    id: 'gitops',
    title: 'Argo CD, Flux and KEDA',
    expected: 'Neither Argo CD, Flux nor KEDA changes PostgreSQL or the applications during the upgrade',
    subject: 'cluster',
    why: 'They would remove the scheduling gate, and start PostgreSQL and the applications in the middle of the upgrade. The check finds them by their labels, annotations and field managers. It reads from the Application, HelmRelease or Kustomization whether it is paused, where that may be read. `app.kubernetes.io/instance` alone is no evidence: Helm sets it too. The upgrade pauses ScaledObjects of KEDA, and has to see them for that. A HorizontalPodAutoscaler needs nothing, except one with a minReplicas of 0: Kubernetes suspends it while its target has 0 replicas.',
    advice:
      "Pause Argo CD or Flux until the upgrade is done. The check prints the command for what it found: `argocd app set APPLICATION --sync-policy none` or `flux suspend helmrelease NAME`. Merge the pull request for the values file before you resume. For ScaledObjects of KEDA, let the kubeconfig's user list, get and patch scaledobjects.keda.sh.",
    run: ({ reconcilers, target }) =>
      judgeFact(reconcilers, (all) => {
        const evidence = (r: Reconciler) => [r.seen, ...r.marks.map((mark) => `mark of ${toolOf(r)}: ${mark}`)];
        const acting = all.filter((r) => r.state === 'acts' || r.state === 'unknown');
        if (acting.length > 0)
          return failed(
            [...new Set(acting.map((r) => pause(r, target.namespace)))].join(' '),
            ...new Set(acting.flatMap(evidence)),
          );
        const unread = all.filter((r) => r.state === 'unread');
        if (unread.length > 0)
          return unknown(
            `${[...new Set(unread.map((r) => pause(r, target.namespace)))].join(' ')} Then let the kubeconfig's user read it (docs/permissions.md).`,
            ...new Set(unread.flatMap(evidence)),
          );
        if (target.unreadAutoscalers !== undefined)
          return unknown(
            `Let the kubeconfig's user list, get and patch scaledobjects.keda.sh in namespace ${target.namespace}. The upgrade pauses those that scale the applications, and restores their annotations afterwards.`,
            `KEDA is installed, and its ScaledObjects may not be read: ${target.unreadAutoscalers}`,
          );
        return all.length === 0
          ? passed('no mark of Argo CD or Flux is on PostgreSQL or the applications')
          : passed(...new Set(all.flatMap(evidence)));
      }),
  },
  {
    id: 'helm-release',
    title: 'State of the Helm release',
    expected: 'No change by Helm is under way',
    subject: 'cluster',
    why: 'A `helm upgrade` that is under way resets the StatefulSet and the applications to its values. One that died leaves its release pending, and Helm then refuses the deployment that follows the upgrade. The check reads the labels of the Secrets in which Helm keeps its revisions, and not what is in them.',
    advice:
      'Wait until Helm is done (`helm history RELEASE`). If nobody runs it any more, return to the last revision that was deployed: `helm rollback RELEASE`',
    run({ helmRevisions, target }) {
      const release = target.statefulSet.metadata?.annotations?.[releaseAnnotation];
      if (!helmRevisions.known && helmRevisions.code === 'forbidden')
        return unknown(
          `Let the kubeconfig's user list Secrets in namespace ${target.namespace} (docs/permissions.md). Or look yourself (${copyable(shell`helm -n ${target.namespace} status ${release ?? 'RELEASE'}`)}). If it says "deployed", add a line "helm-release: looked at by hand" to "ignore-checks".`,
          helmRevisions.reason,
        );
      return judgeFact(helmRevisions, (all) => {
        const own = ownRevisions(all, target);
        const pending = own.filter(({ status }) => status.startsWith('pending-') || status === 'uninstalling');
        const evidence = (one: HelmRevision) =>
          `release ${one.release}, revision ${String(one.revision)}: ${one.status}`;
        if (pending.length > 0)
          return failed(
            pending
              .map(
                (one) =>
                  `Wait until it is done (${copyable(shell`helm -n ${target.namespace} history ${one.release}`)}). If nobody runs it any more, return to the last revision that was deployed: ${copyable(shell`helm -n ${target.namespace} rollback ${one.release}`)}`,
              )
              .join('\n'),
            ...pending.map(evidence),
          );
        return passed(
          ...(own.length === 0 ? ['no Helm release keeps its revisions in Secrets here'] : own.map(evidence)),
        );
      });
    },
  },
  {
    id: 'operator',
    title: 'Operator of the StatefulSet',
    expected: 'No operator owns PostgreSQL',
    subject: 'cluster',
    why: 'A controller that owns the StatefulSet resets it to its own definition, and removes the scheduling gate.',
    advice: 'Upgrade PostgreSQL by means of its operator, as its documentation says.',
    run({ target }) {
      const owner = target.statefulSet.metadata?.ownerReferences?.find((o) => o.controller === true);
      if (owner === undefined) return passed(`StatefulSet ${target.name} has no owner that controls it`);
      const [group = ''] = owner.apiVersion.includes('/') ? owner.apiVersion.split('/') : [''];
      const kind = `${owner.kind.toLowerCase()}${group === '' ? '' : `.${group}`}`;
      return failed(
        `Upgrade PostgreSQL by means of its operator (${copyable(shell`kubectl -n ${target.namespace} get ${kind} ${owner.name} -o yaml`)} shows the object).`,
        `StatefulSet ${target.name} is controlled by ${owner.kind} ${owner.name} (${owner.apiVersion})`,
      );
    },
  },
];

/**
 * Those of the server's release: the one that the annotation names, and the one that the StatefulSet's selector names, which is immutable. All revisions, where
 * the annotation names no release that exists: whoever may annotate the StatefulSet can name any.
 */
function ownRevisions(all: readonly HelmRevision[], { statefulSet: { metadata, spec } }: Target): HelmRevision[] {
  const release = metadata?.annotations?.[releaseAnnotation];
  const names = [release, spec?.selector.matchLabels?.['app.kubernetes.io/instance']];
  const isKnown = all.some((one) => one.release === release);
  return all.filter((one) => !isKnown || names.includes(one.release));
}

function toolOf({ kind }: Reconciler): string {
  return kind === 'Application' ? 'Argo CD' : 'Flux';
}

/** How to pause it, and how to show that it is paused where the object can't be read. */
function pause({ kind, name, namespace, state, marks }: Reconciler, release: string): string {
  const object = name ?? 'APPLICATION';
  const suspended = kind === 'HelmRelease' ? 'helmrelease' : 'kustomization';
  const how =
    kind === 'Application'
      ? `Pause the sync until the upgrade is done: ${copyable(shell`argocd app set ${namespace === undefined ? object : `${namespace}/${object}`} --sync-policy none`)} (if an ApplicationSet or a parent Application creates it, change it there).`
      : `Suspend it until the upgrade is done: ${copyable(namespace === undefined ? shell`flux suspend ${suspended} ${object}` : shell`flux suspend ${suspended} ${object} --namespace ${namespace}`)}.`;
  if (state !== 'unknown') return how;
  const objects = [...new Set(marks.map((mark) => mark.split(' ')[0] ?? ''))];
  return `${how} Then let the kubeconfig's user read it. If it no longer exists, or is in another cluster, remove its marks (${copyable(shell`kubectl -n ${release} label ${objects} NAME-`)}, or "annotate"; for a field manager, remove its entry from metadata.managedFields).`;
}

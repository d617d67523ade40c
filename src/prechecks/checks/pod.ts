import type { V1Container } from '@kubernetes/client-node';
import type { Target } from '../../target/target.ts';
import { copyable, failed, judgeFact, passed, shell, shellRemedy, warning } from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';

/** Kubernetes' own, where the template names none. */
const defaultGrace = 30;
/** Files that a slow volume changes owners of in more than a minute. */
const manyFiles = 50_000;

const longerGrace =
  'Raise it with the helm value "postgresql.primary.terminationGracePeriodSeconds: 60", or with the command. Both restart PostgreSQL once.';
const rootMismatch =
  'Set the helm value "postgresql.primary.podSecurityContext.fsGroupChangePolicy" to OnRootMismatch, or use the command. Both restart PostgreSQL once.';

/** What the template of the server's pod does beside starting PostgreSQL. */
export const podChecks: readonly Check[] = [
  {
    id: 'pod-containers',
    title: "Other containers with the volume in the server's pod",
    expected: "No other container in the server's pod mounts the volume to write",
    subject: 'target',
    why: 'A container that mounts the volume beside PostgreSQL works on it again at the first start of PostgreSQL 14. Its rules were made for PostgreSQL 12. One that changes owners costs downtime. One that restores or backs up may take the new directory for a broken one. The upgrade Job has the volume to itself.',
    advice:
      'Look at what these containers do. Until the upgrade is done, remove those that restore, initialise or back up (helm values "postgresql.primary.initContainers", "sidecars", "backup"). One that only changes owners ("volumePermissions.enabled") may stay where fsGroup does that already.',
    run({ target }) {
      const spec = target.statefulSet.spec?.template.spec;
      const volume = dataVolume(target);
      const others = [
        ...(spec?.initContainers ?? []).map((one) => ({
          one,
          what: one.restartPolicy === 'Always' ? 'sidecar' : 'init container',
        })),
        ...(spec?.containers ?? [])
          .filter(({ name }) => name !== target.container.name)
          .map((one) => ({ one, what: 'sidecar' })),
      ];
      const writing = others.filter(({ one }) => writes(one, volume));
      if (writing.length === 0)
        return passed(
          others.length === 0
            ? 'the pod has one container'
            : `beside it: ${others.map(({ one, what }) => `${what} ${one.name}`).join(', ')}; none mounts the volume to write`,
        );
      return warning(
        `Look at what they do (${copyable(shell`kubectl -n ${target.namespace} get statefulset ${target.name} -o jsonpath='{.spec.template.spec}'`)}). Until the upgrade is done, remove those that restore, initialise or back up (helm values "postgresql.primary.initContainers", "sidecars", "backup"). One that only changes owners ("volumePermissions.enabled") may stay where fsGroup does that already.`,
        ...writing.map(
          ({ one, what }) =>
            `${what} ${one.name} (${one.image ?? 'no image'}) mounts ${target.volume.claimName} to write`,
        ),
      );
    },
  },
  {
    id: 'termination-grace',
    title: "Termination grace period of the server's pod",
    expected: 'PostgreSQL has enough time to shut down',
    subject: 'target',
    why: 'The kubelet kills the server when terminationGracePeriodSeconds are over, even in the middle of a clean shutdown. The upgrade writes a checkpoint right before, so that little is left to do. The action does not upgrade a server that was killed. Such a server has to recover first, and the downtime was for nothing.',
    advice: longerGrace,
    run({ target }) {
      const seconds = target.statefulSet.spec?.template.spec?.terminationGracePeriodSeconds ?? defaultGrace;
      const evidence = `terminationGracePeriodSeconds of StatefulSet ${target.name}: ${String(seconds)}`;
      const patch = JSON.stringify({ spec: { template: { spec: { terminationGracePeriodSeconds: 60 } } } });
      const how = shellRemedy(
        longerGrace,
        shell`kubectl -n ${target.namespace} patch statefulset ${target.name} -p ${patch}`,
      );
      if (seconds === 0) return failed(how, `${evidence}: the kubelet kills the server at once`);
      return seconds < defaultGrace ? warning(how, evidence) : passed(evidence);
    },
  },
  {
    id: 'fs-group',
    title: "fsGroupChangePolicy of the server's pod",
    expected: 'The kubelet mounts the volume without changing the owner of every file',
    subject: 'target',
    why: 'With fsGroup, and without fsGroupChangePolicy: OnRootMismatch, the kubelet goes through every file at each mount. That is downtime when PostgreSQL 14 starts. With few files it takes little time.',
    advice: rootMismatch,
    run: ({ target, files }) =>
      judgeFact(files, ({ data }) => {
        const context = target.statefulSet.spec?.template.spec?.securityContext;
        const policy = context?.fsGroupChangePolicy ?? 'Always';
        if (context?.fsGroup === undefined) return passed('the pod has no fsGroup');
        const evidence = `fsGroup ${String(context.fsGroup)}, fsGroupChangePolicy ${policy}, ${String(data.files)} files of tables and indexes`;
        if (policy !== 'Always' || data.files < manyFiles) return passed(evidence);
        const patch = JSON.stringify({
          spec: { template: { spec: { securityContext: { fsGroupChangePolicy: 'OnRootMismatch' } } } },
        });
        return warning(
          shellRemedy(rootMismatch, shell`kubectl -n ${target.namespace} patch statefulset ${target.name} -p ${patch}`),
          evidence,
        );
      }),
  },
];

/** The name by which the pod's containers mount the data. */
function dataVolume({ container, volume }: Target): string | undefined {
  return container.volumeMounts?.find(({ mountPath }) => mountPath === volume.mountPath)?.name;
}

function writes({ volumeMounts = [] }: V1Container, volume: string | undefined): boolean {
  return volumeMounts.some(({ name, readOnly }) => name === volume && readOnly !== true);
}

import { sourceOf, type Backup, type EarlierData, type KeptData } from '../objects/backup.ts';
import type { Image } from '../common/image.ts';
import type { Target } from '../target/target.ts';
import { codeSpan } from '../text/markdown.ts';
import { shellRemedy, type Remedy } from '../text/remedy.ts';
import { grantVolume } from '../target/volume-right.ts';
import { shell } from '../text/shell.ts';
import type { Verdict } from './report-shape.ts';

/** What a run that has come to its end knows of the server. */
export interface Ended {
  readonly verdict: Verdict;
  readonly target: Pick<Target, 'namespace' | 'podName' | 'container' | 'volume' | 'statefulSet'>;
  readonly backup: Backup | undefined;
  /** What holds the data of PostgreSQL 14, where the run has restored PostgreSQL 12 after PostgreSQL 14 had served. */
  readonly served: KeptData | undefined;
  /** The PersistentVolume that the server's claim has got by a restore. */
  readonly restored: string | undefined;
  /** The image that PostgreSQL runs now, where it is known by its parts. */
  readonly image: Image | undefined;
  /** Labels `helm.sh/chart` of PostgreSQL and the applications. */
  readonly charts: readonly string[];
  /** What earlier upgrades left in the storage. */
  readonly earlier: readonly EarlierData[];
  /** Path of the values file in the repository; '' where none is given. */
  readonly valuesFile: string;
}

/**
 * What is left to people when the run has ended well, or has restored PostgreSQL 12, in the order in which to do it: with the names of their server, in commands that
 * can be copied. After the checks alone: what earlier upgrades left in the storage. docs/day-after.md explains each.
 */
export function nextSteps(ended: Ended): Remedy[] {
  const { verdict } = ended;
  if (verdict === 'upgraded')
    return [
      trigger,
      helmUpgrade(ended, 14),
      removeOldDirectory(ended),
      ...removeBackup(
        ended,
        'After that, remove the backup of PostgreSQL 12. From then on `mode: rollback` can no longer restore it.',
      ),
      ...removeEarlier(ended),
    ];
  if (verdict === 'passed' || verdict === 'warning') return removeEarlier(ended);
  if (verdict !== 'reverted' && verdict !== 'rolled-back') return [];
  return [
    verdict === 'rolled-back' ? helmUpgrade(ended, 12) : again,
    ...grantRestored(ended),
    ...removeBackup(
      ended,
      'The backup is kept. It holds the data of PostgreSQL 12 from before the upgrade, and nothing newer. The next upgrade makes its own. Remove it when you no longer need it.',
    ),
    ...removeServed(ended),
    ...removeEarlier(ended),
  ];
}

const trigger: Remedy = {
  text: 'Trigger a workflow in CircleCI, and open a project. Both must work with the data of your users.',
};

const again: Remedy = {
  text: 'Do what the error says. Then run `mode: upgrade` again: it begins from the start.',
};

const releaseAnnotation = 'meta.helm.sh/release-name';
const chart = /^circleci-server-v?(\d+\.\d+\.\d+\S*)$/;

/** As the vendor's page has it, with what is known of the release. */
function helmUpgrade({ target, charts, valuesFile, image }: Ended, major: 12 | 14): Remedy {
  const release = target.statefulSet.metadata?.annotations?.[releaseAnnotation];
  const version = charts.map((label) => chart.exec(label)?.[1]).find((found) => found !== undefined);
  const parts =
    image &&
    ` (under \`postgresql.image\`: registry ${codeSpan(image.registry)}, repository ${codeSpan(image.repository)}, tag ${codeSpan(image.tag)})`;
  const text = `Run no \`helm upgrade\` before values.yaml names the image of PostgreSQL ${String(major)}${major === 12 ? ' again' : ''}${parts ?? ''}. Then your next one leaves PostgreSQL ${String(major)} as it is`;
  if (release === undefined) return { text: `${text}.` };
  const file = valuesFile === '' ? 'values.yaml' : valuesFile;
  const { namespace } = target;
  return shellRemedy(
    `${text}. With the vendor's chart and the login of its registry:`,
    shell`helm upgrade ${release} oci://cciserver.azurecr.io/circleci-server -n ${namespace}${{ option: '--version', value: version }} -f ${file} --username "$USERNAME" --password "$PASSWORD"`,
  );
}

/** The roles of docs/permissions.md name the volume that the server had when they were granted. */
function grantRestored({ target: { namespace }, restored }: Ended): Remedy[] {
  if (restored === undefined) return [];
  return [
    shellRemedy(
      `The server has a new volume, PersistentVolume ${codeSpan(restored)}. The ClusterRole of the precheck still names the former one, so that each mode of the action is refused. As an administrator, run:`,
      grantVolume(namespace, restored),
    ),
  ];
}

/** By the script that the upgrade Job has written. */
function removeOldDirectory({ target }: Ended): Remedy {
  const { namespace, podName, container, volume } = target;
  return shellRemedy(
    'After 24 hours of healthy operation, `mode: cleanup` takes a backup of PostgreSQL 14 and removes what the upgrade kept. Run it with `dry-run: true` first. To do it by hand instead, make a backup of PostgreSQL 14. Then this command removes the old directory `data-12.preupgrade` from the volume:',
    shell`kubectl -n ${namespace} exec ${podName} -c ${container.name} -- bash ${volume.mountPath}/upgrade-logs/delete_old_cluster.sh`,
  );
}

function removeBackup({ target: { namespace }, backup }: Ended, text: string): Remedy[] {
  if (backup === undefined) return [];
  const { kind, name } = sourceOf(backup);
  return kind === 'PersistentVolumeClaim'
    ? [removeClaim(namespace, name, text)]
    : [removeSnapshot(namespace, name, text)];
}

function removeClaim(namespace: string, name: string, text: string): Remedy {
  return shellRemedy(text, shell`kubectl -n ${namespace} delete persistentvolumeclaim ${name}`);
}

/** What was written to PostgreSQL 14 is nowhere else. */
function removeServed({ target: { namespace }, served }: Ended): Remedy[] {
  if (served === undefined) return [];
  const { kind, name } = served;
  const text = (what: string) =>
    `${kind} ${codeSpan(name)} holds ${what}. Remove it when nobody needs any more what was written to PostgreSQL 14.`;
  if (kind === 'VolumeSnapshot')
    return [removeSnapshot(namespace, name, text('the data of PostgreSQL 14, and that of PostgreSQL 12 beside it'))];
  return [removeVolume(name, text('the data of PostgreSQL 14'))];
}

/** How many of them get commands, since each needs three, and how many are named. */
const mostRemoved = 3;
const mostNamed = 20;

function removeEarlier({ target: { namespace }, earlier }: Ended): Remedy[] {
  const more = earlier.slice(mostRemoved, mostNamed).map(({ kind, name }) => `${kind} ${codeSpan(name)}`);
  const unnamed = earlier.length > mostNamed ? ` and ${String(earlier.length - mostNamed)} more` : '';
  return [
    ...earlier.slice(0, mostRemoved).map(({ kind, name }) => {
      const text = (what: string) =>
        `${kind} ${codeSpan(name)} is ${what}. It costs storage. Remove it when nobody needs the data of that time any more.`;
      if (kind === 'VolumeSnapshot') return removeSnapshot(namespace, name, text('from an earlier upgrade'));
      if (kind === 'PersistentVolumeClaim') return removeClaim(namespace, name, text('from an earlier upgrade'));
      return removeVolume(name, text('the volume that the server had before a restore'));
    }),
    ...(more.length === 0
      ? []
      : [
          {
            text: `Earlier upgrades left more, which costs storage too. Remove it in the same way: ${more.join(', ')}${unnamed}.`,
          },
        ]),
  ];
}

/** The action has set that its storage stays (Retain). */
function removeVolume(name: string, text: string): Remedy {
  return shellRemedy(
    `${text} The first command must say Released. The second one deletes the volume with its storage:`,
    shell`kubectl get persistentvolume ${name}`,
    shell`kubectl patch persistentvolume ${name} --type merge -p '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}'`,
  );
}

/** With what the storage holds of it: the action has set that to stay (Retain). */
function removeSnapshot(namespace: string, name: string, text: string): Remedy {
  return shellRemedy(
    `${text} The action set its VolumeSnapshotContent to Retain. Set that to Delete first, or the storage keeps the snapshot:`,
    shell`content=$(kubectl -n ${namespace} get volumesnapshot ${name} -o jsonpath='{.status.boundVolumeSnapshotContentName}')`,
    `kubectl patch volumesnapshotcontent "$content" --type merge -p '{"spec":{"deletionPolicy":"Delete"}}'`,
    shell`kubectl -n ${namespace} delete volumesnapshot ${name}`,
  );
}

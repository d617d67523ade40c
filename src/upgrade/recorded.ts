import type { ClusterReader } from '../ports/cluster.ts';
import { confirmImage, confirmWithoutJournal } from '../inputs/consent.ts';
import { withServersImage } from '../inputs/inputs.ts';
import { UpgradeError } from '../common/errors.ts';
import { withoutDigest } from '../common/image.ts';
import { workloadName } from '../target/applications.ts';
import { serverImage, type Target } from '../target/target.ts';
import { expectOurVolume } from './backup/our-volume.ts';
import { expectClaim } from './server/claim.ts';
import { imageHistory } from './image-history.ts';
import type { Journal } from '../journal/journal.ts';
import { journalName } from '../objects/journal-name.ts';
import type { Context } from './contract/step.ts';

type Looking = Pick<Context, 'target' | 'inputs'> & { readonly cluster: ClusterReader; readonly journal: Journal };

/**
 * Expects that the cluster or the inputs confirm what the journal says, before anything of it is carried out: the seal shows who wrote it, not whether it is true.
 * Decision: docs/decisions/0008-journal.md
 * @throws UpgradeError for another server's journal, and for applications, a volume or an image that nothing else confirms
 */
export async function expectConfirmed(context: Looking): Promise<void> {
  const { cluster, target, journal } = context;
  await expectSameServer(context);
  expectOurVolume(await cluster.find('persistentvolumes', journal.record.volume), target);
  if (!journal.isClosed) await expectApplications(context);
  await expectImages(context);
}

/** By names and UIDs. A claim that was created again counts as the same while it has the volume. */
async function expectSameServer({ cluster, target, journal }: Looking): Promise<void> {
  const { statefulSet, claim, uids } = journal.record;
  const { uid } = target.volume.claim.metadata ?? {};
  if (statefulSet !== target.name || claim !== target.volume.claimName)
    throw foreign(
      `names StatefulSet ${statefulSet} with PersistentVolumeClaim ${claim}, but the action found ${target.name} with ${target.volume.claimName}`,
      'Set "statefulset" and "pvc-name" as in that upgrade, and run again.',
    );
  if (isOfFormerStatefulSet(journal, target))
    throw foreign(
      `belongs to a former StatefulSet ${statefulSet}: somebody created the StatefulSet again since then`,
      `The journal does not describe this server any more. If no upgrade is under way, delete it: kubectl -n ${target.namespace} delete configmap ${journalName}. If one is, "mode: rollback" with "confirm: ${confirmWithoutJournal(target.namespace)}" restores PostgreSQL 12 by what the cluster and the disk show.`,
    );
  if (uid !== undefined && uid !== uids.claim) await expectClaim({ cluster, target, journal });
}

/** Whether the StatefulSet of the same name was created again since. Then nothing that the journal says of it need be true any more. */
export function isOfFormerStatefulSet({ record }: Journal, target: Target): boolean {
  return record.statefulSet === target.name && record.uids.statefulSet !== (target.statefulSet.metadata?.uid ?? '');
}

async function expectApplications({ cluster, target, inputs, journal }: Looking): Promise<void> {
  const found = new Set(target.applications.map(workloadName));
  const others = journal.record.applications.filter((workload) => !found.has(workloadName(workload)));
  const there = await Promise.all(
    others.map(async ({ resource, name }) => (await cluster.find(resource, name, target.namespace)) !== undefined),
  );
  const foreigners = others.filter((_, index) => there[index]).map(workloadName);
  if (foreigners.length === 0) return;
  throw foreign(
    `names ${foreigners.join(', ')} among the applications, which "application-selector: ${inputs.applicationSelector}" does not select`,
    'Set "application-selector" as in that upgrade, and run again.',
  );
}

async function expectImages(context: Looking): Promise<void> {
  const { cluster, target, inputs, journal } = context;
  const { image, job, serving } = journal.record;
  // PostgreSQL 14 may come from another registry by now: what led to the Job's image was that of PostgreSQL 12, which has to be confirmed below.
  const ofJob = [withServersImage(inputs, image), inputs].map(({ upgradeImage }) => upgradeImage);
  // The journal has it by the digest that a probe saw.
  if (!ofJob.includes(job.image) && !ofJob.includes(withoutDigest(job.image)))
    throw unconfirmed(
      `${job.image} for the upgrade Job, but the inputs say ${[...new Set(ofJob)].join(' or ')}`,
      `If that image is right, set "upgrade-image: ${job.image}", and run again.`,
    );
  let known = [inputs.servingImage.reference, serverImage(target), inputs.consent?.image];
  // While it reverts, PostgreSQL 14 is not started any more.
  const isBack = journal.isClosed || journal.noted.back !== undefined || journal.noted.rollback !== undefined;
  const wanted = isBack ? [image] : [image, serving.reference];
  if (wanted.every((one) => known.includes(one))) return;
  known = [...known, ...(await imageHistory(cluster, target))];
  if (!known.includes(image))
    throw unconfirmed(
      `${image} for PostgreSQL 12, but neither the inputs nor the StatefulSet's history know it`,
      `If that is the image that PostgreSQL 12 had (values.yaml in Git has it), set "confirm: ${confirmImage(inputs.namespace, image)}", and run again.`,
    );
  if (!isBack && !known.includes(serving.reference))
    throw unconfirmed(
      `${serving.reference} for PostgreSQL 14, but the inputs say ${inputs.servingImage.reference}`,
      'If that image is right, set "image-repository" and "image-tag" to it, and run again.',
    );
}

function unconfirmed(what: string, remedy: string): UpgradeError {
  return new UpgradeError(
    'image-unconfirmed',
    `The journal, ConfigMap ${journalName}, names image ${what}. Nothing was changed.`,
    remedy,
  );
}

function foreign(what: string, remedy: string): UpgradeError {
  return new UpgradeError('journal-foreign', `ConfigMap ${journalName} ${what}. Nothing was changed.`, remedy);
}

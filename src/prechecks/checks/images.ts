import { type ImageFacts, majorOf, minorOf } from '../../probes/probe.ts';
import type { SeenImage } from '../../target/image-digests.ts';
import { upgrade } from '../../common/versions.ts';
import { failed, passed, remedyAfter, shell, shellRemedy, worst, type Answer } from '../../findings/finding.ts';
import { imagesToMirror, type MirroredImage } from '../../inputs/images.ts';
import type { Known, Unknown } from '../../common/known.ts';
import type { Check } from '../../facts/check.ts';
import { unaskedImage } from './not-probed.ts';

export const imageChecks: readonly Check[] = [
  {
    id: 'images',
    title: 'PostgreSQL versions of both images',
    expected: 'Both images can be pulled and hold the right versions of PostgreSQL',
    subject: 'images',
    why: 'A tag does not prove what an image holds, so the check asks the binaries. The probes also pull the images before the downtime. The serving image is pulled as the StatefulSet pulls it: with its pull secrets, service account and pull policy. "image-pull-secret" is not used for it. A node that has the image already may ask no registry. PostgreSQL 14.0 to 14.3 damage indexes that are built CONCURRENTLY (release notes of 14.4).',
    advice:
      'Set "upgrade-image" to an image that holds PostgreSQL 12 and PostgreSQL 14. Set "image-tag" to a tag of PostgreSQL 14.4 or later. Where a registry of your own lacks an image, copy it there ([list](registries.md#from-where-by-default)). Where the upgrade image can\'t be pulled, correct its reference or "image-pull-secret". Where the serving image can\'t be pulled, correct its reference. Or give the StatefulSet a pull secret of that registry ([pull secrets](registries.md#pull-secrets)).',
    run: ({ upgradeProbe, servingProbe, inputs }) => {
      const answer = ofBoth(judgeUpgrade(upgradeProbe), judgeServing(servingProbe));
      const { upgrade: ofJob, serving } = imagesToMirror(inputs);
      return withCopies(answer, inputs.imageSource, [
        ...(isUnusable(servingProbe) && serving !== undefined ? [serving] : []),
        ...(isUnusable(upgradeProbe) && ofJob !== undefined ? [ofJob] : []),
      ]);
    },
  },
];

const answerer = `The Job checks the upgrade image before it changes anything. If the serving image does not start PostgreSQL ${String(upgrade.to)}, the action restores PostgreSQL ${String(upgrade.from)}. Nothing in the upgrade detects a version older than ${String(upgrade.to)}.4 (${String(upgrade.to)}.3 or lower).`;

/** Where both fail, the remedy of each is needed, once. */
function ofBoth(a: Answer, b: Answer): Answer {
  const answer = worst(a, b);
  return a.status === b.status && a.remedy !== undefined && b.remedy !== undefined && a.remedy.text !== b.remedy.text
    ? { ...answer, remedy: remedyAfter(a.remedy.text, b.remedy) }
    : answer;
}

/** The copies that would bring the images into a registry of one's own. */
function withCopies(answer: Answer, source: string, copies: readonly MirroredImage[]): Answer {
  if (answer.remedy === undefined || copies.length === 0) return answer;
  const list = copies.map(({ source, destination }) => `${source} to ${destination}`).join(', and ');
  const instead =
    source === 'server' ? ' To take both images from the vendor\'s registry instead, set "image-source" to acr.' : '';
  const text = `If your registry does not have them yet, copy them with the commands below: ${list}. crane needs a network to both registries; docs/registries.md has other ways.${instead} ${answer.remedy.text}`;
  return {
    ...answer,
    remedy: shellRemedy(text, ...copies.map(({ source, destination }) => shell`crane copy ${source} ${destination}`)),
  };
}

function isUnusable(probe: Known<ImageFacts>): boolean {
  return !probe.known && probe.code === 'image-unusable';
}

function judgeUpgrade(probe: Known<ImageFacts>): Answer {
  if (!probe.known) return withoutProbe('upgrade image', probe);
  const { image, oldVersion, newVersion, pgUpgrade, seen: ran } = probe.value;
  const right =
    majorOf(oldVersion) === upgrade.from && majorOf(newVersion) === upgrade.to && majorOf(pgUpgrade) === upgrade.to;
  const seen = `upgrade image ${image}: ${oldVersion ?? 'nothing'}; ${newVersion}; ${pgUpgrade ?? 'no pg_upgrade'}; ${identityOf(ran)}`;
  return right
    ? passed(seen)
    : failed(
        `Set "upgrade-image" to an image that holds PostgreSQL ${String(upgrade.from)} and PostgreSQL ${String(upgrade.to)}.`,
        seen,
      );
}

function judgeServing(probe: Known<ImageFacts>): Answer {
  if (!probe.known) return withoutProbe('serving image', probe);
  const { image, newVersion, seen: ran } = probe.value;
  const seen = `serving image ${image}: ${newVersion}; ${identityOf(ran)}`;
  const isRight = majorOf(newVersion) === upgrade.to && (minorOf(newVersion) ?? 0) >= soundSince;
  return isRight
    ? passed(seen)
    : failed(`Set "image-tag" to a tag of PostgreSQL ${String(upgrade.to)}.${String(soundSince)} or later.`, seen);
}

/** An image that a node could not pull or start fails. The checks that wait for it are shown with this one. */
function withoutProbe(name: string, fact: Unknown): Answer {
  const answer = unaskedImage(name, fact, answerer);
  return isUnusable(fact) ? { ...answer, status: 'failed' } : answer;
}

/** What distinguishes the image from one that gets the same tag later. */
function identityOf(seen: SeenImage | undefined): string {
  return seen === undefined ? 'its node named no imageID' : `imageID ${seen.imageId}`;
}

/** The first minor version of PostgreSQL 14 whose CREATE INDEX CONCURRENTLY and REINDEX CONCURRENTLY make sound indexes. */
const soundSince = 4;

import { ConfigurationError } from '../common/errors.ts';
import { namesRegistry, parseReference, splitName, type Image } from '../common/image.ts';
import { isVendorsRegistry } from '../inputs/images.ts';
import type { Inputs } from '../inputs/inputs.ts';
import { checkImage } from '../values/image.ts';
import { editValues } from '../values/edit-values.ts';
import type { Path } from '../values/path.ts';
import type { Change, Edited, PullRequestSettings } from './settings.ts';

/**
 * The pull request for `values-file` as the inputs describe it; undefined when they ask for none.
 * @param runUrl address of the workflow run
 * @throws ConfigurationError for an image that no registry would take
 */
export function valuesUpdate(inputs: Inputs, image: Image, runUrl: string): PullRequestSettings | undefined {
  const file = inputs.valuesFile;
  if (file === '') return undefined;
  checkImage(partsOf(image));
  return {
    path: file,
    edit: (source) => {
      const edited = edit(source, file, inputs.valuesPath, image);
      if (isGuessed(inputs)) expectSameRegistry(file, edited.changes, image);
      return edited;
    },
    image: image.reference,
    tag: image.tag,
    namespace: inputs.namespace,
    base: inputs.pullRequestBase,
    branch: inputs.pullRequestBranch,
    labels: inputs.labels,
    assignees: inputs.assignees,
    reviewers: inputs.reviewers,
    teamReviewers: inputs.teamReviewers,
    draft: inputs.pullRequestDraft,
    runUrl,
  };
}

/** Whether the images come from the vendor's registry only because this mode does not see the server. */
function isGuessed({ mode, imagesGiven }: Inputs): boolean {
  return mode === 'values' && imagesGiven.imageSource === 'server' && imagesGiven.imageRepository === '';
}

/** @throws ConfigurationError where the file names a registry of the user's own: the server may reach no other */
function expectSameRegistry(file: string, changes: readonly Change[], image: Image): void {
  const other = changes
    .flatMap(({ path, before = '' }) => registryOf(path, before))
    .find((one) => !isVendorsRegistry(one));
  if (other === undefined) return;
  throw new ConfigurationError(
    'values-other-registry',
    `${file} names an image in ${other}, and this run, which does not see the server, would change that to ${image.reference}. Nothing was written.`,
    'Set "image-repository" to the repository from which PostgreSQL 14 comes, such as the one in the file. If the vendor\'s registry is right, set "image-source: acr".',
  );
}

/** The registry that a value of the file names, at the start of an image's name or alone; none or one. */
function registryOf(path: string, value: string): string[] {
  const key = path.slice(path.lastIndexOf('.') + 1);
  if (key === 'tag' || key === 'digest' || value === '') return [];
  if (key === 'registry') return [value.split('/')[0] ?? ''];
  const name = parseReference(value)?.name ?? '';
  return namesRegistry(name) ? [splitName(name).registry] : [];
}

/** The tag and its digest, each of which has its own key where the file has them. */
function partsOf({ registry, repository, tag: whole }: Image) {
  const [tag = '', digest] = whole.split('@');
  return { registry, repository, tag, ...(digest === undefined ? {} : { digest }) };
}

function edit(source: string, file: string, path: Path, image: Image): Edited {
  const { operation, text, changes, line, warnings } = editValues(source, {
    file,
    path,
    image: partsOf(image),
  });
  const [worst] = warnings;
  return {
    ...{ operation, text, changes, line: worst?.line ?? line },
    warnings: warnings.map((w) => `${file}, line ${String(w.line)}: ${w.message}`),
  };
}

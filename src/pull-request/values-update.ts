import type { Inputs } from '../inputs/inputs.ts';
import type { Image } from '../common/image.ts';
import { checkImage } from '../values/image.ts';
import { editValues } from '../values/edit-values.ts';
import type { Path } from '../values/path.ts';
import { type Edited, type PullRequestSettings } from './settings.ts';

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
    edit: (source) => edit(source, file, inputs.valuesPath, image),
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

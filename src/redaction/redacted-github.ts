import type { GitHub } from '../ports/github.ts';
import type { Redactor } from './redactor.ts';

/**
 * GitHub behind a redactor: every text for people that is written there. Bytes of files, names of branches, labels and people are what they are: they
 * come from the repository and from the inputs.
 */
export function redactedGitHub(github: GitHub, redactor: Redactor): GitHub {
  const redact = (text: string) => redactor.redact(text);
  const markdown = (text: string) => redactor.redactMarkdown(text);
  const texts = <T extends { readonly title?: string; readonly body?: string }>(request: T): T => ({
    ...request,
    ...(request.title === undefined ? {} : { title: redact(request.title) }),
    ...(request.body === undefined ? {} : { body: markdown(request.body) }),
  });
  return {
    ...github,
    createCommit: (message, tree, parents) => github.createCommit(redact(message), tree, parents),
    createPullRequest: (request) => github.createPullRequest(texts(request)),
    updatePullRequest: (number, change) => github.updatePullRequest(number, texts(change)),
    createIssue: (request) => github.createIssue(texts(request)),
    updateIssue: (number, change) => github.updateIssue(number, texts(change)),
    createComment: (number, body) => github.createComment(number, markdown(body)),
  };
}

import type { Access, GitHub } from '../ports/github.ts';
import { passed, warning, type Answer } from '../findings/finding.ts';

/** Rules by which GitHub can refuse our branch or our commit on it. Some tokens may pass them by, which nobody can read. */
const hindering: Readonly<Record<string, string>> = {
  creation: 'only some may create such a branch',
  update: 'only some may push to such a branch',
  pull_request: 'pushes to such a branch need a pull request of their own',
  required_signatures: 'commits must be signed, and GitHub signs only those of apps',
  branch_name_pattern: 'names of branches follow a pattern',
  commit_message_pattern: 'commit messages follow a pattern',
  commit_author_email_pattern: 'addresses of authors follow a pattern',
  committer_email_pattern: 'addresses of committers follow a pattern',
  file_path_restriction: 'some paths may not be changed',
};

export async function probeRules(github: GitHub, branch: string, access: Access): Promise<Answer> {
  const rules = await github.branchRules(branch);
  if (rules === undefined) return passed(`rules for branch ${branch} can't be read here`);
  const found = [...new Set(rules)].filter((rule) => rule in hindering);
  if (found.length === 0) return passed(`no rule stands against branch ${branch}`);
  return warning(
    `Let the token pass by these rules (${access.url}/rules), or set "pull-request-branch" to a name that they leave alone.`,
    ...found.map((rule) => `rule ${rule}: ${hindering[rule] ?? ''}`),
  );
}

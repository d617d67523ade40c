import type { ProbeFact } from '../../facts/probe-fact.ts';
import { unknown } from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';

/** Asked only where "values-file" is given. A check that was not asked is in no list, and never passed. */
export const valuesChecks: readonly Check[] = [
  check(
    'values-file',
    'Edit of the values file',
    'The values file can be edited',
    'The values file must name the image of PostgreSQL 14 after the upgrade. Otherwise the next deployment starts PostgreSQL 12 on data of PostgreSQL 14. The action computes and proves the edit before it stops anything, with the file of the base branch.',
    'Correct the file, "values-file" or "values-path", as the finding says. It names the line.',
  ),
  check(
    'values-branch',
    'Branch of the pull request',
    'The branch of the pull request does not exist, or holds only commits of this action',
    'The action leaves a branch with commits of others alone. It also leaves an open pull request into another base alone.',
    'Merge or close the pull request of the branch and delete the branch, or set "pull-request-branch" to another name.',
  ),
  check(
    'push-right',
    "The token's right to push",
    'The token may push',
    'The action pushes the branch after the upgrade, when it is too late to ask for permissions. The check sends GitHub a request that GitHub can only refuse.',
    'Give the job `permissions: { contents: write, pull-requests: write }`, or set "github-token" to a token that has these two permissions.',
  ),
  check(
    'branch-rules',
    'Rules of the repository for the branch',
    "The repository's rules allow the branch",
    'Rulesets may refuse new branches, or commits that GitHub signs for an app.',
    'Exempt the token from the rules that the finding names. Or set "pull-request-branch" to a name that no such rule covers.',
  ),
  check(
    'pull-request-right',
    "The token's right to open pull requests",
    'The token may open pull requests',
    'Opening pull requests is a permission of its own. Repositories and organizations may withhold it from the workflow token.',
    'Turn on "Allow GitHub Actions to create and approve pull requests" (Settings, Actions, General), in the organization first. Or set "github-token" to a token of a GitHub App.',
  ),
];

function check(id: ProbeFact['id'], title: string, expected: string, why: string, advice: string): Check {
  return {
    id,
    title,
    expected,
    subject: 'values',
    why,
    advice,
    applies: ({ pullRequest }) => pullRequest?.some((fact) => fact.id === id) === true,
    run({ pullRequest }) {
      const fact = pullRequest?.find((one) => one.id === id);
      if (fact === undefined) return unknown('Set "values-file".', 'GitHub was not asked');
      const { status, evidence, remedy, place } = fact;
      return {
        status,
        evidence,
        ...(remedy === undefined ? {} : { remedy }),
        ...(place === undefined ? {} : { place }),
      };
    },
  };
}

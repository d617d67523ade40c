import type { ProbeFact } from '../../facts/probe-fact.ts';
import { unknown } from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';

/** Asked only where "values-file" is given: what was not asked is in no list, and is never called passed. */
export const valuesChecks: readonly Check[] = [
  check(
    'values-file',
    'Edit of the values file',
    'The values file can be edited',
    'Git has to say 14 too, or the next deployment starts 12 on data of 14. The edit is computed and proved before anything is stopped, with the file as it is in the base branch.',
  ),
  check(
    'values-branch',
    'Branch of the pull request',
    "The pull request's branch is free or ours",
    'A branch with somebody else’s commits on it is left alone, and so is an open pull request into another base.',
  ),
  check(
    'push-right',
    "The token's right to push",
    'The token may push',
    'The branch is pushed after the upgrade, when it is too late to look for permissions. GitHub is asked by a request that it can only refuse.',
  ),
  check(
    'branch-rules',
    'Rules of the repository for the branch',
    "The repository's rules allow the branch",
    'Rulesets may refuse new branches or commits which GitHub signs for an app.',
  ),
  check(
    'pull-request-right',
    "The token's right to open pull requests",
    'The token may open pull requests',
    'Pull requests are a permission of their own, and repositories and organizations may forbid them to the workflow token.',
  ),
];

function check(id: ProbeFact['id'], title: string, expected: string, why: string): Check {
  return {
    id,
    title,
    expected,
    subject: 'values',
    why,
    applies: ({ pullRequest }) => pullRequest?.some((fact) => fact.id === id) === true,
    run({ pullRequest }) {
      const fact = pullRequest?.find((one) => one.id === id);
      if (fact === undefined) return unknown('Set "values-file".', 'it was not asked');
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

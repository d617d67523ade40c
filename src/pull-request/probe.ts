import type { ProbeFact } from '../facts/probe-fact.ts';
import { ConfigurationError, isRunError, type RunError } from '../common/errors.ts';
import type { GitHub, Access } from '../ports/github.ts';
import { type Answer, copyable, passed, shell, warning } from '../findings/finding.ts';
import { refuseForeignWork } from './ownership.ts';
import { openOf } from './publish.ts';
import { probePullRequestRight, probePushRight } from './rights.ts';
import type { Edited, PullRequestSettings } from './settings.ts';
import { survey, type Survey } from './survey.ts';

/**
 * Finds out, before anything is stopped, whether the pull request can be made
 * afterwards. Writes nothing.
 * Decision: docs/decisions/0022-pull-request.md
 */
export async function probePullRequest(github: GitHub, settings: PullRequestSettings): Promise<ProbeFact[]> {
  let found: Survey;
  try {
    found = await survey(github, settings);
  } catch (error) {
    return [{ id: 'values-file', ...answerOf(error) }];
  }
  const { edited, base, branchName, access } = found;
  const values: ProbeFact = {
    id: 'values-file',
    ...valuesAnswer(settings, found),
    ...(edited.line === undefined ? {} : { place: { file: settings.path, line: edited.line } }),
    names: namedNow(edited.changes, settings),
  };
  if (edited.operation === 'none') return [values];
  return [
    values,
    await fact('values-branch', () => branchAnswer(github, settings, found)),
    await fact('push-right', () => probePushRight(github, access, branchName)),
    await fact('branch-rules', () => probeRules(github, branchName, access)),
    await fact('pull-request-right', () => probePullRequestRight(github, access, base.name)),
  ];
}

function valuesAnswer({ path, image }: PullRequestSettings, { edited, base }: Survey): Answer {
  const seen =
    edited.operation === 'none'
      ? [`${path} on ${base.name} already names ${image}`]
      : edited.changes.map(
          (c) => `${path} on ${base.name}, line ${String(c.line)}: ${c.path} ${c.before ?? '(missing)'} → ${c.after}`,
        );
  return edited.warnings.length === 0
    ? { status: 'passed', evidence: seen }
    : {
        status: 'warning',
        evidence: [...edited.warnings, ...seen],
        remedy: {
          text: `Before you merge the pull request that the upgrade opens, look at each line that the finding names. ${copyable(shell`helm template RELEASE CHART -f ${path}`)} shows which image the chart renders.`,
        },
      };
}

/** What counts before the edit: a digest wins over a tag; a tag that is not changed is the wanted one. */
function namedNow(changes: Edited['changes'], { tag }: PullRequestSettings): string {
  const digest = changes.find(({ path, before }) => path.endsWith('.digest') && before !== undefined);
  const tagged = changes.find(({ after }) => after === tag || after.endsWith(`:${tag}`));
  return digest?.before ?? (tagged === undefined ? tag : (tagged.before ?? ''));
}

async function fact(id: ProbeFact['id'], ask: () => Answer | Promise<Answer>): Promise<ProbeFact> {
  try {
    return { id, ...(await ask()) };
  } catch (error) {
    return { id, ...answerOf(error) };
  }
}

function branchAnswer(github: GitHub, settings: PullRequestSettings, found: Survey): Answer {
  const { branch, branchName } = found;
  const open = openOf(found, settings);
  if (branch === undefined) return { status: 'passed', evidence: [`branch ${branchName} does not exist yet`] };
  refuseForeignWork(github, branchName, branch, settings.path);
  return {
    status: 'passed',
    evidence: [`branch ${branchName} holds only commits of this action`, ...(open === undefined ? [] : [open.url])],
  };
}

/** What is wrong fails; what could not be read is unknown. */
function answerOf(error: unknown): Answer {
  if (!isRunError(error) || error.code === 'cancelled') throw error;
  const wrong = error instanceof ConfigurationError || failures.includes(error.code);
  return {
    ...{ status: wrong ? 'failed' : 'unknown', evidence: [error.message], remedy: error.remedy },
    ...(error.place === undefined ? {} : { place: error.place }),
  };
}

const failures: readonly RunError['code'][] = [
  'branch-not-ours',
  'github-unauthorized',
  'github-forbidden',
  'github-permission-missing',
  'github-not-found',
];

/** Rules by which GitHub can refuse our branch or our commit on it. Some tokens may bypass them, which the API does not show. */
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

async function probeRules(github: GitHub, branch: string, access: Access): Promise<Answer> {
  const rules = await github.branchRules(branch);
  if (rules === undefined) return passed(`rules for branch ${branch} can't be read here`);
  const found = [...new Set(rules)].filter((rule) => rule in hindering);
  if (found.length === 0) return passed(`no rule blocks branch ${branch}`);
  return warning(
    `Let the token bypass these rules (${access.url}/rules), or set "pull-request-branch" to a name to which they do not apply.`,
    ...found.map((rule) => `rule ${rule}: ${hindering[rule] ?? ''}`),
  );
}

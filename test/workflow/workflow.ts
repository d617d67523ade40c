// Runs one of the example workflows, as an administrator copies it, against GitHub's API as the double has it.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { load } from 'js-yaml';
import { namespace, root } from '../cluster/bench.ts';
import { expectNoSecrets } from '../cluster/no-secrets.ts';
import type { GitHubDouble } from '../github/double.ts';
import { appToken, jobToken, type Token } from '../github/token.ts';
import { runByAct, type FinishedWorkflow, type Step } from './act.ts';

export interface Circumstances {
  readonly github: GitHubDouble;
  /** By name, as `workflow_dispatch` takes them; undefined for a schedule, which has none. */
  readonly inputs: Readonly<Record<string, string>> | undefined;
  /** The repository's, besides GITHUB_TOKEN. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Whether a GitHub App opens the pull request: the lines for it are in the file as comments. */
  readonly app?: boolean;
  /** Milliseconds after which the run is ended, and is red; without it the run ends by itself. */
  readonly limit?: number;
  /** Gets each line of the log when it is said. */
  readonly onLine?: (line: string) => void;
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

interface DispatchInput {
  readonly type?: string;
  readonly options?: readonly string[];
}

interface Workflow {
  readonly on: {
    readonly schedule?: unknown;
    readonly workflow_dispatch?: { readonly inputs?: Readonly<Record<string, DispatchInput>> } | null;
  };
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

/** What the workflow's own token is here; besides it the double takes only that of the App. */
const workflowToken = 'ghs_0123456789abcdef0123456789abcdef0123';
const installationToken = 'ghs_fedcba9876543210fedcba9876543210fedc';
/** What an administrator sets for the App. */
const appVariables = { UPGRADE_APP_CLIENT_ID: 'Iv23liExample' };
const appSecrets = {
  UPGRADE_APP_PRIVATE_KEY: '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n',
};

/**
 * Runs a file of .github/workflows/examples on the event workflow_dispatch, or on its schedule.
 * @throws Error when GitHub would not start it so, or the runner itself fails
 */
export async function runWorkflow(file: string, circumstances: Circumstances): Promise<FinishedWorkflow> {
  const { github, inputs, secrets, app = false, limit, onLine } = circumstances;
  const asItIs = readFileSync(path.join(root, '.github/workflows/examples', file), 'utf8');
  const installed = asItIs.replaceAll('circleci-server', namespace);
  const text = app ? withApp(installed) : installed;
  const workflow = load(text) as Workflow;
  expectStartable(workflow, inputs);
  const job = onlyJob(workflow);
  github.tokens.set(workflowToken, tokenFor(job.permissions ?? workflow.permissions, jobToken));
  github.tokens.set(installationToken, tokenFor(appPermissions(job), appToken));
  const { owner, name } = github.state.repository;
  const branch = github.state.git.defaultBranch();
  const end = await runByAct({
    ...{ file, text, limit, onLine, inputs: inputs ?? {} },
    event: inputs === undefined ? 'schedule' : 'workflow_dispatch',
    secrets: { GITHUB_TOKEN: workflowToken, ...secrets, ...(app ? appSecrets : {}) },
    variables: app ? appVariables : {},
    environment: {
      GITHUB_API_URL: github.apiUrl,
      GITHUB_SERVER_URL: github.serverUrl,
      GITHUB_REPOSITORY: `${owner}/${name}`,
      GITHUB_REPOSITORY_OWNER: owner,
      GITHUB_REF: `refs/heads/${branch}`,
      // What the runner takes for GITHUB_SHA.
      SHA_REF: github.state.git.head(branch) ?? '',
      // For the double of actions/create-github-app-token.
      ...(app ? { APP_TOKEN: installationToken } : {}),
    },
  });
  const kept = JSON.stringify([end.outputs, end.artifacts]);
  expectNoSecrets({ log: end.log, summary: end.summary, outputs: kept });
  return end;
}

/**
 * What GitHub asks of a start.
 * @throws Error for an event that does not start it, an input that it does not have, or none of the choices
 */
function expectStartable({ on }: Workflow, inputs: Circumstances['inputs']): void {
  if (inputs === undefined) {
    if (on.schedule === undefined) throw new Error('the workflow has no schedule');
    return;
  }
  if (on.workflow_dispatch === undefined) throw new Error('nobody can start the workflow by hand');
  for (const [name, value] of Object.entries(inputs)) {
    const input = on.workflow_dispatch?.inputs?.[name];
    if (input === undefined) throw new Error(`the workflow has no input ${name}`);
    const options = input.type === 'boolean' ? ['true', 'false'] : input.options;
    if (options?.includes(value) === false) throw new Error(`${value} is no choice of ${name}`);
  }
}

/** The file after an administrator has removed the "#" of what is for a GitHub App. */
function withApp(text: string): string {
  const changed = text.replace(/^( *)#(?=- | {2}|github-token:)/gm, '$1');
  if (changed === text) throw new Error('the file has no lines for a GitHub App');
  return changed;
}

/** The one job of an example. */
function onlyJob({ jobs }: Workflow): Job {
  const [job, ...others] = Object.values(jobs);
  if (job === undefined || others.length > 0) throw new Error('the workflow has not one job');
  return job;
}

/** What the step that gets the App's token asks for. */
function appPermissions({ steps }: Job): Readonly<Record<string, string>> {
  const inputs = steps.find(({ uses }) => uses?.startsWith('actions/create-github-app-token@') === true)?.with ?? {};
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, value]) => {
      const permission = /^permission-(.*)$/.exec(name)?.[1];
      return permission === undefined ? [] : [[permission, value]];
    }),
  );
}

/** What GitHub would let the token do: what the permissions name, nothing else. */
function tokenFor(permissions: Readonly<Record<string, string>>, of: Token): Token {
  const may = (permission: string) => (permissions[permission] === 'write' ? 'write' : 'read');
  const issues = may('issues') === 'write' ? 'write' : permissions['issues'] === 'read' ? 'read' : 'none';
  return { ...of, contents: may('contents'), pullRequests: may('pull-requests'), issues };
}

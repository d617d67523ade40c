// Who gets through: every event that GitHub documents, every mode, this repository and a fork, through the bundle.
import { chmodSync, existsSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { dump } from 'js-yaml';
import type { Circumstances } from '../bundle.ts';
import { choiceOf } from '../choice.ts';
import { Scenario } from '../scenario/scenario.ts';

/** https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows, with those that GitHub has given up. */
const documented = [
  'branch_protection_rule check_run check_suite create delete deployment deployment_status discussion discussion_comment',
  'fork gollum image_version issue_comment issues label merge_group milestone page_build project project_card project_column public',
  'pull_request pull_request_comment pull_request_review pull_request_review_comment pull_request_target push',
  'registry_package release repository_dispatch schedule status watch workflow_call workflow_dispatch workflow_run dynamic',
].flatMap((line) => line.split(' '));
/** What no event is called, and would be found where a table is an object. */
const invented = ['', 'constructor', '__proto__', 'WORKFLOW_DISPATCH', 'workflow_dispatch ', 'push\nworkflow_dispatch'];

const own = { full_name: 'admins/server' };
const strange = { full_name: 'stranger/server' };
const payloads: Readonly<Record<string, unknown>> = {
  'this repository': {
    repository: own,
    pull_request: { head: { repo: own } },
    workflow_run: { event: 'schedule', head_repository: own },
  },
  'a fork': {
    repository: own,
    pull_request: { head: { repo: strange } },
    workflow_run: { event: 'pull_request', head_repository: strange },
  },
};

const modes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  precheck: { mode: 'precheck', issue: 'true' },
  status: { mode: 'status' },
  'dry run': { mode: 'upgrade', 'dry-run': 'true' },
  rehearse: { mode: 'rehearse' },
  upgrade: { mode: 'upgrade', confirm: 'circleci-server' },
  rollback: { mode: 'rollback', confirm: 'circleci-server', 'accept-data-loss': 'true' },
  cleanup: { mode: 'cleanup', confirm: 'circleci-server' },
};

/** Whether the run reached for the cluster's credentials: the kubeconfig's program ran, or a connection was opened. */
async function getsThrough(mode: string, event: string, circumstances: Circumstances): Promise<boolean> {
  await using scenario = await Scenario.begin();
  scenario.api.objects.remove({ resource: 'namespaces', namespace: '', name: 'circleci-server' });
  const ran = scenario.file('directory', '').replace(/directory$/, 'ran');
  const program = scenario.file('login', `#!/bin/sh\ntouch ${ran}\nexit 1\n`);
  chmodSync(program, 0o700);
  const user = { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: program, interactiveMode: 'Never' } };
  const kubeconfig = dump(scenario.kubeconfig({ user }));
  const end = await scenario.run({ kubeconfig, ...modes[mode] }, { event, ...circumstances });
  const through = existsSync(ran) || scenario.api.connected > 0;
  expect(end.exitCode).toBe(1);
  if (!through) expect(end.report?.error?.code).toMatch(/^(event|fork)-(refused|unreadable)$/);
  return through;
}

/** The whole table is the guard's own test; here each event meets two modes, and each mode every kind of event, of which npm test takes a third. */
const all = [...documented, ...invented].flatMap((event) =>
  Object.keys(payloads)
    .filter((whose) => whose === 'this repository' || /^(pull_request|workflow_run|push|issue_comment)/.test(event))
    .flatMap((whose) =>
      Object.keys(modes)
        .filter(
          (mode) => ['precheck', 'upgrade'].includes(mode) || ['push', 'issue_comment', 'schedule'].includes(event),
        )
        .map((mode) => ({ event, whose, mode })),
    ),
);

test.concurrent.each(choiceOf(all, Math.ceil(all.length / 3)))(
  '$mode on "$event" of $whose',
  async ({ event, whose, mode }) => {
    const isChange = ['rehearse', 'upgrade', 'rollback', 'cleanup'].includes(mode);
    const may =
      ['workflow_dispatch', 'repository_dispatch', 'schedule'].includes(event) ||
      (!isChange && (event === 'push' || (event === 'workflow_run' && whose === 'this repository')));
    expect(await getsThrough(mode, event, { payload: payloads[whose] })).toBe(may);
  },
);

test.concurrent.each([undefined, '{', 'null', '[]', '"text"', '{"workflow_run": {}}'])(
  'a precheck on workflow_run does not get through with the payload %j',
  async (text) => {
    await using scenario = await Scenario.begin();
    const file = text === undefined ? '/nonexistent' : scenario.file('event', text);
    const environment = { GITHUB_EVENT_PATH: file };
    expect(await getsThrough('precheck', 'workflow_run', { environment })).toBe(false);
  },
);

test.concurrent.each(['GITHUB_ACTIONS', 'GITHUB_EVENT_NAME', 'GITHUB_RUN_ID'])(
  'taking %s away does not make it a run outside of GitHub',
  async (name) => {
    const event = name === 'GITHUB_EVENT_NAME' ? '' : 'issue_comment';
    expect(await getsThrough('upgrade', event, { environment: { [name]: undefined } })).toBe(false);
  },
);

test.concurrent('outside of GitHub Actions it runs, and says so', async () => {
  await using scenario = await Scenario.begin();
  const names = ['ACTIONS', 'EVENT_NAME', 'EVENT_PATH', 'RUN_ID', 'REPOSITORY', 'SERVER_URL', 'RUN_ATTEMPT'];
  const environment = Object.fromEntries(names.map((name) => [`GITHUB_${name}`, undefined]));
  const end = await scenario.run({ mode: 'status' }, { environment });
  expect(end.stdout).toContain('Started outside of GitHub Actions');
  expect(end.exitCode).toBe(0);
});

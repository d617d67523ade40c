/** @jest-environment ./test/cluster/bench-environment.ts */
// What an administrator does: the examples as they are, run by a workflow runner, against the bench and a double of
// GitHub over a real git repository.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { isWhole } from '../choice.ts';
import { AuditLog, callName, namespace, psql, reset } from '../cluster/bench.ts';
import { expectNothingLeft, expectProduction, production, storage } from '../cluster/rehearsed.ts';
import { limitedKubeconfig } from '../cluster/user.ts';
import { GitHubDouble } from '../github/double.ts';
import { mergePullRequest } from '../github/merge.ts';
import type { FinishedWorkflow } from './act.ts';
import { branchDiff, makeRepository } from './repository.ts';
import { reportShape, type Report } from '../../src/report/report-shape.ts';
import { runWorkflow, type Circumstances } from './workflow.ts';

jest.setTimeout(10 * 60_000);
/** Less, so that a run which hangs ends with its log. */
const limit = 9 * 60_000;

const image = 'cciserver.azurecr.io/server-postgres:14.22.4094-4922444';
const onlyTheTag = [
  "-    tag: 12.16.37-7629bfd    # as the chart's",
  "+    tag: 14.22.4094-4922444    # as the chart's",
];

let github: GitHubDouble;

async function openGitHub(): Promise<void> {
  github = await GitHubDouble.start(makeRepository(namespace));
}

async function closeGitHub(): Promise<void> {
  await github.stop();
  github.state.git.remove();
}

/** Runs an example, which has to keep to GitHub's description of its API; what it gave, and what it changed there. */
async function run(file: string, circumstances: Omit<Circumstances, 'github'>) {
  const [before, asked] = [github.writes.length, github.requests.length];
  const end = await runWorkflow(file, { github, limit, ...circumstances });
  expect(github.violations).toEqual([]);
  return { ...end, written: github.writes.slice(before), asked: github.requests.slice(asked) };
}

/** For a run that has to be green: when it is not, its log says why. */
function green<End extends FinishedWorkflow>(end: End): End {
  if (!end.succeeded) throw new Error(`The workflow is red:\n${end.log}`);
  return end;
}

/** The report in the one artifact that the run keeps. */
function reportIn({ artifacts }: FinishedWorkflow, artifact: string): Report {
  expect(Object.keys(artifacts)).toEqual([artifact]);
  return reportShape.parse(JSON.parse(artifacts[artifact]?.['postgresql-upgrade-report.json'] ?? ''));
}

/** Lines that the branch would change, without those that say where. */
function changedLines(branch: string): string[] {
  return branchDiff(github.state.git, branch, '--unified=0')
    .split('\n')
    .filter((line) => /^[+-](?![+-]{2} )/.test(line));
}

describe('the examples, one after the other on a server on PostgreSQL 12', () => {
  const accounts = ['precheck', 'upgrade', 'cleanup'] as const;
  /** Of the accounts that docs/permissions.md describes. */
  const secrets: Record<string, string> = {};

  beforeAll(async () => {
    await openGitHub();
    reset('--no-writer');
    for (const mode of accounts)
      secrets[`KUBECONFIG_${mode.toUpperCase()}`] = readFileSync(limitedKubeconfig(namespace, mode, mode), 'utf8');
  });
  afterAll(closeGitHub);

  async function runOnCluster(file: string, inputs?: Record<string, string>) {
    const audit = new AuditLog();
    const end = await run(file, { inputs, secrets });
    const changed = accounts.flatMap((account) => audit.writes(`:${namespace}:${account}`));
    return { ...end, changed: changed.map(callName) };
  }

  /** The probes of both images, the restore test, and the trial start of PostgreSQL 14. */
  const probes = [...Array<string>(4).fill('create pods'), ...Array<string>(4).fill('delete pods')];

  // That it is green where a check was red before is told below.
  if (isWhole)
    test('precheck.yml is green, and changes nothing', async () => {
      const end = green(await runOnCluster('precheck.yml', {}));
      expect(end).toMatchObject({ outputs: { precheck: { verdict: 'warning' } }, written: [] });
      expect(end.changed.sort()).toEqual(probes);
    });

  describe('precheck.yml keeps one issue', () => {
    const issuesUrl = '/repos/octo-org/infrastructure/issues';
    const hazard = (name: string, column: string) => {
      psql(namespace, 'postgres', `CREATE TABLE ${name} (held ${column})`);
    };

    test('which it opens when a check turns red', async () => {
      hazard('functions', 'regproc');
      const end = await runOnCluster('precheck.yml', {});
      expect(end).toMatchObject({ succeeded: false, written: [`POST ${issuesUrl} 201`] });
      expect(end.outputs['precheck']).toMatchObject({
        ...{ verdict: 'failed', 'failed-checks': 'reg-type-columns' },
        ...{ 'issue-operation': 'created', 'issue-number': '1' },
        'issue-url': `${github.serverUrl}/octo-org/infrastructure/issues/1`,
      });
      const [issue] = github.state.issues;
      expect(issue).toMatchObject({ state: 'open', author: 'github-actions[bot]' });
      expect(issue?.body).toContain('functions.held');
      expect(issue?.body).toContain('ALTER TABLE public.functions ALTER COLUMN held TYPE text');
      expect(end.summary).toContain(
        `Issue about the prechecks: [#1](${github.serverUrl}/octo-org/infrastructure/issues/1)`,
      );
    });

    // What test/scenario/issue.test.ts proves too.
    if (isWhole) {
      test('to which it writes nothing while nothing changes', async () => {
        const end = await runOnCluster('precheck.yml', {});
        expect(end).toMatchObject({
          ...{ succeeded: false, written: [] },
          outputs: { precheck: { 'issue-operation': 'none', 'issue-number': '1' } },
        });
      });

      test('which it comments and rewrites when another check turns red', async () => {
        hazard('rows', 'information_schema.tables');
        const end = await runOnCluster('precheck.yml', {});
        expect(end).toMatchObject({
          ...{ succeeded: false, outputs: { precheck: { 'issue-operation': 'updated' } } },
          written: [`POST ${issuesUrl}/1/comments 201`, `PATCH ${issuesUrl}/1 200`],
        });
        expect(github.state.comments[0]?.body).toContain('(`system-row-type-columns`): failed; ');
        expect(github.state.issues[0]?.body).toContain('rows.held');
      });
    }

    test('which it closes when it is green again, and changes nothing', async () => {
      psql(namespace, 'postgres', 'DROP TABLE IF EXISTS functions, rows');
      const end = green(await runOnCluster('precheck.yml', undefined));
      expect(end).toMatchObject({
        outputs: { precheck: { verdict: 'warning', 'issue-operation': 'closed', 'issue-number': '1' } },
        written: [`POST ${issuesUrl}/1/comments 201`, `PATCH ${issuesUrl}/1 200`],
      });
      // The bench's databases have a publication and an unlogged table.
      expect(end.summary).toContain('# ! Ready for the upgrade, with warnings');
      expect(end.changed.sort()).toEqual(probes);
      expect(github.state.issues).toMatchObject([{ state: 'closed', stateReason: 'completed' }]);
    });
  });

  test('upgrade.yml with "dry-run" needs no "confirm", keeps the plan, and changes nothing', async () => {
    const end = green(await runOnCluster('upgrade.yml', { namespace, mode: 'upgrade', 'dry-run': 'true' }));
    expect(reportIn(end, 'postgresql-upgrade-1')).toMatchObject({
      mode: 'upgrade',
      plan: expect.anything() as unknown,
    });
    expect(end.changed.sort()).toEqual(probes);
    expect(end.written).toEqual([]);
  });

  // A rehearsal by itself is in test/cluster/rehearsal.test.ts.
  if (isWhole) {
    test('rehearse.yml is green while the server serves, and leaves nothing but its result', async () => {
      const before = { production: production(), storage: storage() };
      const end = green(await runOnCluster('rehearse.yml', undefined));
      expect(end).toMatchObject({ outputs: { rehearsal: { verdict: 'warning' } }, written: [] });
      const { rehearsal = [], findings } = reportIn(end, 'postgresql-rehearsal-1');
      expect([...new Set(rehearsal.map(({ status }) => status))]).toEqual(['passed']);
      // The bench's databases have a publication and an unlogged table.
      expect(findings.filter(({ status }) => status === 'warning').length).toBeGreaterThan(0);
      expectProduction(before.production);
      await expectNothingLeft(before.storage);
    });
  }

  test('upgrade.yml without "confirm" is red before anything is touched', async () => {
    const end = await runOnCluster('upgrade.yml', { namespace, mode: 'upgrade' });
    expect(end).toMatchObject({ succeeded: false, changed: [], asked: [] });
    expect(end.log).toContain('error: confirm-missing: ');
    expect(reportIn(end, 'postgresql-upgrade-1').error?.code).toBe('confirm-missing');
  });

  test('upgrade.yml is green, PostgreSQL 14 serves, and a pull request changes the tag and nothing else', async () => {
    const end = green(await runOnCluster('upgrade.yml', { namespace, mode: 'upgrade', confirm: namespace }));
    expect(end).toMatchObject({
      outputs: { postgresql: { verdict: 'upgraded', image, 'pull-request-operation': 'created' } },
    });
    expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^14\./);
    const [pullRequest, ...others] = github.state.pullRequests;
    expect(others).toEqual([]);
    expect(changedLines(pullRequest?.head ?? '')).toEqual(onlyTheTag);
    const url = end.outputs['postgresql']?.['pull-request-url'] ?? '';
    expect(url).toBe(`${github.serverUrl}/octo-org/infrastructure/pull/${String(pullRequest?.number)}`);
    expect(end.summary).toContain('# ✓ PostgreSQL 14 serves');
    expect(end.log.includes('The last rehearsal of this server passed')).toBe(isWhole);
    // The step after the action.
    expect(end.log).toContain(`Merge ${url} before the next helm upgrade. values.yaml then names ${image}.`);
    expect(reportIn(end, 'postgresql-upgrade-1').verdict).toBe('upgraded');
  });

  test("status.yml tells so with the precheck's account, and writes nothing", async () => {
    const end = green(await runOnCluster('status.yml', { namespace }));
    expect(end).toMatchObject({ outputs: { status: { verdict: 'upgraded' } }, changed: [], asked: [] });
    expect(reportIn(end, 'postgresql-status-1').status).toBeDefined();
  });

  test('upgrade.yml once more is green and writes nothing, neither to the cluster nor to GitHub', async () => {
    const end = green(await runOnCluster('upgrade.yml', { namespace, mode: 'upgrade', confirm: namespace }));
    expect(end).toMatchObject({
      outputs: { postgresql: { verdict: 'already-upgraded', 'pull-request-operation': 'none' } },
      changed: [],
      written: [],
    });
  });

  test('cleanup.yml is red on the same day, says why, and changes nothing', async () => {
    const end = await runOnCluster('cleanup.yml', undefined);
    expect(end).toMatchObject({ succeeded: false, changed: [], asked: [] });
    expect(end.log).toContain('error: cleanup-blocked: ');
    const { gates = [] } = reportIn(end, 'postgresql-cleanup-1').cleanup ?? {};
    expect(gates.filter(({ status }) => status !== 'met').map(({ id }) => id)).toEqual(['healthy']);
  });

  describe('upgrade.yml with mode rollback, after that pull request was merged', () => {
    test('is red without consent, says what would be lost, and writes nothing', async () => {
      mergePullRequest(github);
      const end = await runOnCluster('upgrade.yml', { namespace, mode: 'rollback', confirm: namespace });
      expect(end).toMatchObject({ succeeded: false, changed: [], written: [] });
      expect(end.log).toContain('error: consent-missing: ');
    });

    test('is green with it, PostgreSQL 12 serves, and a pull request takes the tag back and changes nothing else', async () => {
      const inputs = { namespace, mode: 'rollback', confirm: namespace, 'accept-data-loss': 'true' };
      const end = green(await runOnCluster('upgrade.yml', inputs));
      expect(end).toMatchObject({
        outputs: { postgresql: { verdict: 'rolled-back', 'pull-request-operation': 'created' } },
      });
      expect(psql(namespace, 'postgres', 'SHOW server_version')).toMatch(/^12\./);
      expect(end.outputs['postgresql']?.['image-tag']).toBe('12.16.37-7629bfd');
      expect(github.state.pullRequests).toHaveLength(2);
      const [minus, plus] = onlyTheTag.map((line) => line.slice(1));
      expect(changedLines(github.state.pullRequests.at(-1)?.head ?? '')).toEqual([`-${plus ?? ''}`, `+${minus ?? ''}`]);
    });
  });
});

describe('values.yml, without a cluster', () => {
  beforeAll(openGitHub);
  afterAll(closeGitHub);

  // As the file says: a workflow starts on a pull request that an App opens, so that required checks run.
  test('is green with the token of a GitHub App, which opens the pull request; it changes the tag and nothing else', async () => {
    const end = green(await run('values.yml', { inputs: { namespace }, app: true }));
    expect(end).toMatchObject({
      outputs: { values: { verdict: 'proposed', image, 'pull-request-operation': 'created' } },
    });
    expect(github.state.pullRequests).toMatchObject([{ author: 'upgrader[bot]' }]);
    const heads = github.state.pullRequests.map((pullRequest) => pullRequest.head);
    expect(heads.map(changedLines)).toEqual([onlyTheTag]);
    expect(reportIn(end, 'postgresql-values-1').verdict).toBe('proposed');
  });

  test('once more writes nothing', async () => {
    const end = green(await run('values.yml', { inputs: { namespace } }));
    expect(end).toMatchObject({
      outputs: { values: { 'pull-request-operation': 'none' } },
      written: [],
    });
  });
});

// Runs the bundle on the bench, and keeps what people see of it on GitHub: summaries, annotations, issue, pull request.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startBundle, type BundleEnd, type InputValues } from '../../test/bundle.ts';
import { bench, environment, psql } from '../../test/cluster/bench.ts';
import { limitedKubeconfig } from '../../test/cluster/user.ts';
import { GitHubDouble } from '../../test/github/double.ts';
import { jobToken } from '../../test/github/token.ts';
import { parseCommands } from '../../test/scenario/workflow-commands.ts';
import { branchDiff, makeRepository, valuesFileOf } from '../../test/workflow/repository.ts';

const [directory = '.'] = process.argv.slice(2);
const namespace = 'screenshots';
const token = 'ghs_0123456789abcdef0123456789abcdef0123';

mkdirSync(directory, { recursive: true });
const repository = makeRepository(namespace);
const github = await GitHubDouble.start(repository);
github.tokens.set(token, { ...jobToken, issues: 'write' });
try {
  bench('reset', '--namespace', namespace, '--size-mb', '150', '--tables', '120');
  plantFaults();
  const precheck = await run({ mode: 'precheck', issue: 'true' });
  keep('precheck.md', precheck.summary);
  keep('annotations.json', JSON.stringify(annotations(precheck.stdout)));
  keep('issue.md', github.state.issues[0]?.body ?? '');
  keep('precheck.log', precheck.stdout);

  removeFaults();
  const upgrade = await run({ mode: 'upgrade', confirm: namespace, 'values-file': valuesFileOf(namespace) });
  keep('upgrade.md', upgrade.summary);
  keep('upgrade.log', upgrade.stdout);
  const [pullRequest] = github.state.pullRequests;
  if (pullRequest === undefined) throw new Error(`There is no pull request:\n${upgrade.stdout}`);
  keep('pull-request.json', JSON.stringify({ title: pullRequest.title, body: pullRequest.body }));
  keep('pull-request.diff', branchDiff(repository, pullRequest.head));
} finally {
  await github.stop();
  repository.remove();
  bench('delete-server', namespace);
}

/** Three things that block an upgrade, as they are found in the field. */
function plantFaults(): void {
  psql(namespace, 'postgres', 'CREATE TABLE handlers (name text, called regproc)');
  psql(namespace, 'postgres', 'CREATE OPERATOR !! (LEFTARG = int8, PROCEDURE = numeric_fac)');
  psql(namespace, 'postgres', 'CREATE TABLE views_seen (held information_schema.tables)');
}

function removeFaults(): void {
  psql(namespace, 'postgres', 'DROP TABLE handlers, views_seen');
  psql(namespace, 'postgres', 'DROP OPERATOR !! (int8, NONE)');
}

async function run(inputs: InputValues): Promise<BundleEnd> {
  const kubeconfig = limitedKubeconfig(namespace, 'screenshots', 'upgrade');
  const { owner, name } = github.state.repository;
  return await startBundle(
    { namespace, kubeconfig: readFileSync(kubeconfig, 'utf8'), 'github-token': token, ...inputs },
    {
      environment: {
        KUBECONFIG: environment['KUBECONFIG'],
        GITHUB_API_URL: github.apiUrl,
        GITHUB_SERVER_URL: github.serverUrl,
        GITHUB_REPOSITORY: `${owner}/${name}`,
      },
    },
  ).end;
}

/** As the page of the run lists them: the level, the title, and the message. */
function annotations(stdout: string): readonly object[] {
  return parseCommands(stdout)
    .filter(({ name }) => ['error', 'warning', 'notice'].includes(name))
    .map(({ name, properties, message }) => ({ level: name, title: properties['title'] ?? '', message }));
}

function keep(name: string, text: string): void {
  writeFileSync(path.join(directory, name), text);
}

// The parts of a release, as .github/workflows/release.yml runs them one after the other, in the repository that is checked out.
//
// A commit can't hold its own hash. So a release is two commits: the first has the version in package.json and dist/, and gets
// the tags. The second, on top of it, pins the first in README, pages and examples (unless it is a prerelease), and takes the
// version out again: what is built from the branch between two releases says that it is none.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  isPrerelease,
  notesOf,
  notGreen,
  releasedChangelog,
  tagsOf,
  unreleased,
  withPin,
  withVersion,
} from './release-texts.ts';

/** The jobs of .github/workflows/ci.yml. */
const checks = ['lint', 'unit', 'integration', 'cluster'];
const branch = 'main';
/** What has the version in it. */
const versioned = ['package.json', 'package-lock.json', 'dist/index.js'];

const usage = `usage: release.ts PART VERSION
  check    tells whether VERSION can be released from this commit; with --checks FILE (GitHub's check runs) whether its tests passed
  prepare  writes VERSION into package.json, package-lock.json, dist/ and CHANGELOG.md
  commit   commits that, tags it, and commits the pins; needs --repository OWNER/NAME
  push     pushes both commits and the tags, all or nothing
  notes    prints the text for the release's page; needs --repository OWNER/NAME
  options  prints the options of "gh release create"`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { checks: { type: 'string' }, repository: { type: 'string' } },
});
const [part = '', version = ''] = positionals;
const parts: Readonly<Record<string, () => void>> = { check, prepare, commit, push, notes, options };

try {
  const run = parts[part];
  if (run === undefined || positionals.length !== 2) throw new Error(usage);
  run();
} catch (error) {
  console.error(`release: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

function check(): void {
  const { own } = tagsOf(version, tags());
  if (git('status', '--porcelain') !== '') throw new Error('There are changes that are not committed.');
  const [head, tip] = [git('rev-parse', 'HEAD'), git('rev-parse', `origin/${branch}`)];
  if (head !== tip) throw new Error(`This is ${head}, and ${branch} is at ${tip}: release from there.`);
  if (versionIn('package.json') !== unreleased)
    throw new Error(`package.json says ${versionIn('package.json')}; between releases it says ${unreleased}.`);
  releasedChangelog(read('CHANGELOG.md'), version, today());
  if (values.checks !== undefined) {
    const runs = JSON.parse(read(values.checks)) as { check_runs: Parameters<typeof notGreen>[0] };
    const failed = notGreen(runs.check_runs, checks);
    if (failed.length > 0) throw new Error(`These checks of ${head} did not succeed: ${failed.join(', ')}.`);
  }
  console.log(`${own} can be released from ${head}.`);
}

function prepare(): void {
  tagsOf(version, tags());
  for (const file of versioned) writeFileSync(file, withVersion(read(file), unreleased, version));
  writeFileSync('CHANGELOG.md', releasedChangelog(read('CHANGELOG.md'), version, today()));
}

function commit(): void {
  const repository = repositoryName();
  const { own, moving } = tagsOf(version, tags());
  const before = git('rev-parse', 'HEAD');
  git('add', '--', ...versioned, 'CHANGELOG.md');
  git('commit', '--quiet', '--message', `Release ${version}`);
  const released = git('rev-parse', 'HEAD');
  git('tag', '--annotate', '--message', `Release ${version}`, own);
  if (moving !== undefined) git('tag', '--force', moving);

  git('checkout', '--quiet', before, '--', ...versioned);
  if (!isPrerelease(version)) {
    for (const file of pages()) writeFileSync(file, withPin(read(file), repository, released, version));
    git('add', '--', ...pages());
  }
  git('commit', '--quiet', '--message', `Go on after release ${version}`);
  console.log(released);
}

function push(): void {
  // The tags are here by now.
  const { own, moving } = tagsOf(
    version,
    tags().filter((tag) => tag !== `v${version}`),
  );
  const moved = moving === undefined ? [] : [`+refs/tags/${moving}`];
  git('push', '--quiet', '--atomic', 'origin', `HEAD:refs/heads/${branch}`, `refs/tags/${own}`, ...moved);
}

function notes(): void {
  const released = git('rev-parse', `v${version}^{commit}`);
  const changelog = git('show', `${released}:CHANGELOG.md`);
  console.log(notesOf(changelog, version, repositoryName(), released));
}

function options(): void {
  console.log(isPrerelease(version) ? '--prerelease' : '--latest');
}

/** README, pages, examples, and the address for reports of vulnerabilities. */
function pages(): string[] {
  const within = (folder: string) => readdirSync(folder).map((name) => `${folder}/${name}`);
  const named = [...within('docs'), ...within('.github/workflows/examples'), ...within('.github/ISSUE_TEMPLATE')];
  return ['README.md', 'CONTRIBUTING.md', ...named.filter((file) => /\.(md|yml)$/.test(file))];
}

function repositoryName(): string {
  const name = values.repository ?? '';
  if (!/^[\w.-]+\/[\w.-]+$/.test(name)) throw new Error('--repository is missing, such as --repository OWNER/NAME.');
  return name;
}

function versionIn(file: string): string {
  return (JSON.parse(read(file)) as { version: string }).version;
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function tags(): string[] {
  return git('tag', '--list').split('\n');
}

function read(file: string): string {
  return readFileSync(file, 'utf8');
}

function git(...words: string[]): string {
  return execFileSync('git', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}

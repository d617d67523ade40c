// A release: its texts, and all of its parts in a repository with a bare one as its origin.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import {
  notesOf,
  notGreen,
  releasedChangelog,
  tagsOf,
  unreleased,
  withPin,
  withVersion,
} from '../../scripts/release-texts.ts';
import { greenChecks, pinnedFiles, ReleaseRepository } from '../release-repository.ts';

describe('the tags', () => {
  test.each([
    ['0.1.0', [], 'v0'],
    ['0.1.0', ['v0', 'latest', 'v0.0.9'], 'v0'],
    ['0.10.0', ['v0.9.0', 'v0.2.0'], 'v0'],
    ['1.0.0', ['v1.0.0-rc.10', 'v0.9.9'], 'v1'],
    ['1.0.0-rc.10', ['v1.0.0-rc.9', 'v1.0.0-beta'], undefined],
    ['1.0.0-rc.1.1', ['v1.0.0-rc.1'], undefined],
    ['1.0.0-x', ['v1.0.0-9'], undefined],
  ])('of %s after %j', (version, tags, moving) => {
    expect(tagsOf(version, tags)).toEqual({ own: `v${version}`, moving });
  });

  test.each([
    '1',
    '1.0',
    'v1.0.0',
    '1.0.0.0',
    '01.0.0',
    '1.0.0-',
    '1.0.0-01',
    '1.0.0+build',
    '1.0.0 ',
    '',
    '1.0.0-a_b',
  ])('%j is no version', (version) => {
    expect(() => tagsOf(version, [])).toThrow('is no version');
  });

  test.each([
    ['0.1.0', ['v0.1.0'], '0.1.0'],
    ['0.1.0', ['v0.1.0', 'v0.2.0'], '0.2.0'],
    ['0.2.0-rc.1', ['v0.2.0'], '0.2.0'],
    ['0.2.0-rc.2', ['v0.2.0-rc.10'], '0.2.0-rc.10'],
  ])('%s is not greater than the last of %j', (version, tags, last) => {
    expect(() => tagsOf(version, tags)).toThrow(`not greater than the last release, ${last}.`);
  });
});

const changelog = `# Changelog

## Unreleased

### Added

- A mode.

## 0.1.0 - 2026-01-01

- Begun.
`;

describe('the changelog', () => {
  test('has what was unreleased under the version and its date', () => {
    expect(releasedChangelog(changelog, '0.2.0', '2026-02-03')).toBe(
      changelog.replace('## Unreleased\n', '## Unreleased\n\n## 0.2.0 - 2026-02-03\n'),
    );
  });

  test.each([
    [changelog, '0.1.0', 'has a section 0.1.0 already'],
    [changelog.replace('- A mode.', ''), '0.2.0', 'says nothing under'],
    [changelog.replace('Unreleased', 'Next'), '0.2.0', 'has no line "## Unreleased"'],
  ])('is refused where it is not ready', (text, version, says) => {
    expect(() => releasedChangelog(text, version, '2026-02-03')).toThrow(says);
  });

  test('gives the notes, which name the commit', () => {
    const commit = 'a'.repeat(40);
    const text = releasedChangelog(changelog, '0.2.0', '2026-02-03');
    const notes = notesOf(text, '0.2.0', 'acme/upgrade', commit);
    expect(notes).toContain(`- uses: acme/upgrade@${commit} # v0.2.0\n`);
    expect(notes).toContain('### Added\n\n- A mode.');
    expect(notes).not.toContain('Begun');
    expect(() => notesOf(text, '0.2', 'acme/upgrade', commit)).toThrow('has no section 0.2.');
  });

  test('of this project can be released', () => {
    expect(() => releasedChangelog(readFileSync('CHANGELOG.md', 'utf8'), '99.0.0', '2026-02-03')).not.toThrow();
  });
});

describe('the pins', () => {
  const [first, second] = ['1'.repeat(40), '2'.repeat(40)];
  const before = [
    '        uses: OWNER/REPOSITORY@COMMIT # the commit of a release',
    '  - uses: OWNER/REPOSITORY@COMMIT',
    'git fetch https://github.com/OWNER/REPOSITORY COMMIT',
    'https://github.com/OWNER/REPOSITORY/security',
    `uses: actions/checkout@${'3'.repeat(40)} # v5.0.0`,
    'uses: azure/login@COMMIT',
  ].join('\n');
  const after = (commit: string, version: string) =>
    [
      `        uses: acme/up.grade@${commit} # v${version}`,
      `  - uses: acme/up.grade@${commit} # v${version}`,
      `git fetch https://github.com/acme/up.grade ${commit}`,
      'https://github.com/acme/up.grade/security',
      `uses: actions/checkout@${'3'.repeat(40)} # v5.0.0`,
      'uses: azure/login@COMMIT',
    ].join('\n');

  test('take the place of what stands for the first release, then of the release before', () => {
    const pinned = withPin(before, 'acme/up.grade', first, '0.1.0');
    expect(pinned).toBe(after(first, '0.1.0'));
    expect(withPin(pinned, 'acme/up.grade', second, '0.2.0')).toBe(after(second, '0.2.0'));
  });
});

test('a check that is missing, at work, or failed in one of its runs is not green', () => {
  const run = (name: string, conclusion: string | null) => ({ name, conclusion });
  const runs = [run('lint', 'success'), run('unit', null), run('cluster', 'success'), run('cluster', 'failure')];
  expect(notGreen([...runs, run('other', 'failure')], ['lint', 'unit', 'cluster', 'integration'])).toEqual([
    'unit',
    'cluster',
    'integration',
  ]);
});

test('a version that is not there is not replaced', () => {
  expect(withVersion('a("0.1.0")', '0.1.0', '0.2.0')).toBe('a("0.2.0")');
  expect(() => withVersion('a("0.1.0")', '0.1', '0.2.0')).toThrow('is not there');
});

describe('all parts, in a repository', () => {
  const repository = new ReleaseRepository();
  const git = repository.git.bind(repository);
  const release = repository.release.bind(repository);
  const at = repository.at.bind(repository);
  const commit = (file: string, text: string) => {
    repository.write(file, text);
    repository.commitAll(`Change ${file}`);
  };
  const note = (line: string) => {
    commit('CHANGELOG.md', at('HEAD', 'CHANGELOG.md').replace('## Unreleased\n', `## Unreleased\n\n- ${line}\n`));
  };

  beforeAll(() => {
    commit('checks.json', JSON.stringify(greenChecks));
  });
  afterAll(() => {
    repository.remove();
  });

  function releaseAll(version: string): string {
    release('check', version, '--checks', 'checks.json');
    release('prepare', version);
    const released = release('commit', version, '--repository', 'acme/upgrade');
    release('push', version);
    return released;
  }

  test('nothing is released from a commit that is not the newest of main, has changes, or red tests', () => {
    repository.write('new.txt', '');
    expect(() => release('check', '0.1.0')).toThrow('changes that are not committed');
    git('add', '--all');
    git('commit', '--quiet', '--message', 'Ahead');
    expect(() => release('check', '0.1.0')).toThrow('release from there');
    commit('checks.json', JSON.stringify({ check_runs: greenChecks.check_runs.slice(1) }));
    expect(() => release('check', '0.1.0', '--checks', 'checks.json')).toThrow('did not succeed: lint');
    commit('checks.json', JSON.stringify(greenChecks));
    expect(release('check', '0.1.0', '--checks', 'checks.json')).toContain('v0.1.0 can be released');
  });

  test('the first release is tagged twice, and pinned by the commit after it', () => {
    const before = git('rev-parse', 'HEAD');
    const released = releaseAll('0.1.0');
    git('fetch', '--quiet', '--tags', 'origin');
    const tip = git('rev-parse', 'origin/main');
    expect(git('rev-parse', 'v0.1.0^{commit}', 'v0^{commit}', 'origin/main~1').split('\n')).toEqual([
      released,
      released,
      released,
    ]);
    expect(git('rev-parse', `${released}~1`)).toBe(before);

    expect(git('diff', '--name-only', before, released).split('\n')).toEqual([
      'CHANGELOG.md',
      'dist/index.js',
      'package-lock.json',
      'package.json',
    ]);
    expect(at(released, 'dist/index.js')).toBe(`const a = { version: "0.1.0" };\nlog("0.1.0"); // ${unreleased}`);
    expect(at(released, 'package-lock.json')).toBe('{"version":"0.1.0","packages":{"":{"version":"0.1.0"}}}');

    const pin = `uses: acme/upgrade@${released} # v0.1.0`;
    for (const file of pinnedFiles) expect(at(tip, file)).toBe(pin);
    expect(git('diff', '--name-only', before, tip, '--', 'dist', 'package.json', 'package-lock.json')).toBe('');
    expect(at(tip, 'CHANGELOG.md')).toMatch(/^## Unreleased\n\n## 0\.1\.0 - \d{4}-\d\d-\d\d\n\n- Begun\.$/m);
    expect(release('notes', '0.1.0', '--repository', 'acme/upgrade')).toContain(pin);
    expect(release('options', '0.1.0')).toBe('--latest');
  });

  test('the same version, a lesser one, and one without a change are refused', () => {
    expect(() => release('check', '0.1.0')).toThrow('not greater');
    expect(() => release('check', '0.0.9')).toThrow('not greater');
    expect(() => release('check', '0.2.0')).toThrow('says nothing under');
  });

  test('the next release moves the pins and the tag; a prerelease moves neither', () => {
    note('More.');
    const [v0, pinned] = [git('rev-parse', 'v0^{commit}'), at('HEAD', 'README.md')];
    const candidate = releaseAll('0.2.0-rc.1');
    expect(git('ls-remote', 'origin', 'refs/tags/v0')).toContain(v0);
    expect(at('v0.2.0-rc.1', 'package.json')).toContain('0.2.0-rc.1');
    expect(git('rev-parse', 'v0.2.0-rc.1^{commit}')).toBe(candidate);
    expect(at('origin/main', 'README.md')).toBe(pinned);
    expect(release('options', '0.2.0-rc.1')).toBe('--prerelease');

    note('Most.');
    const released = releaseAll('0.2.0');
    expect(git('ls-remote', 'origin', 'refs/tags/v0')).toContain(released);
    expect(at('origin/main', 'README.md')).toBe(`uses: acme/upgrade@${released} # v0.2.0`);
  });

  test('nothing is pushed where somebody else pushed meanwhile', () => {
    note('Last.');
    release('prepare', '0.3.0');
    release('commit', '0.3.0', '--repository', 'acme/upgrade');
    const theirs = git('commit-tree', '-p', 'origin/main', '-m', 'Theirs', 'origin/main^{tree}');
    git('push', '--quiet', 'origin', `${theirs}:refs/heads/main`);
    const tags = git('ls-remote', '--tags', 'origin');
    expect(() => release('push', '0.3.0')).toThrow();
    expect(git('ls-remote', '--tags', 'origin')).toBe(tags);
  });
});

test('the tests that a release asks for are the jobs of ci.yml', () => {
  const ci = load(readFileSync('.github/workflows/ci.yml', 'utf8')) as {
    jobs: { test: { strategy: { matrix: { include: { name: string }[] } } } };
  };
  const names = ci.jobs.test.strategy.matrix.include.map(({ name }) => `'${name}'`);
  expect(readFileSync('scripts/release.ts', 'utf8')).toContain(`const checks = [${names.join(', ')}];`);
});

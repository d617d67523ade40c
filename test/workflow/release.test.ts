// release.yml as it is, on a small repository with a bare one as its origin. Actions of others, npm and gh are doubles.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { greenChecks, pinnedFiles, ReleaseRepository } from '../release-repository.ts';
import { runByAct } from './act.ts';

jest.setTimeout(120_000);

const file = 'release.yml';
const appToken = 'ghs_fedcba9876543210fedcba9876543210fedc';
const repository = new ReleaseRepository();
const programs = mkdtempSync(path.join(tmpdir(), 'programs-'));
const calls = path.join(programs, 'calls');

/** A program that notes how it is called, and what it is given to publish. */
function program(name: string, text = ''): void {
  const lines = ['#!/usr/bin/env bash', `printf '%s\\n' "${name} $*" >>'${calls}'`, text];
  writeFileSync(path.join(programs, name), lines.join('\n'));
  chmodSync(path.join(programs, name), 0o755);
}

beforeAll(() => {
  program('npm');
  const notes = path.join(programs, 'notes.md');
  program(
    'gh',
    `case $1 in api) cat '${programs}/checks.json' ;; auth) echo "pushes with $GH_TOKEN" >>'${calls}' ;; release) cp "$RUNNER_TEMP/notes.md" '${notes}' ;; esac`,
  );
  // Of this repository's shape: dist/ is what the version makes of it.
  repository.write(
    'scripts/build',
    '#!/usr/bin/env bash\n[ "$1" = --check ] && grep -q "version: \\"$(node -p \'require("./package.json").version\')\\"" dist/index.js\n',
  );
  chmodSync(path.join(repository.clone, 'scripts/build'), 0o755);
  repository.commitAll('Build');
});
afterAll(() => {
  repository.remove();
  rmSync(programs, { recursive: true });
});

async function run(inputs: Record<string, string>, checks: object) {
  writeFileSync(calls, '');
  writeFileSync(path.join(programs, 'checks.json'), JSON.stringify(checks));
  const end = await runByAct({
    ...{ file, inputs, programs, variables: { RELEASE_APP_CLIENT_ID: 'Iv23liExample' } },
    secrets: { GITHUB_TOKEN: 'ghs_0123456789abcdef0123456789abcdef0123', RELEASE_APP_PRIVATE_KEY: 'a key' },
    text: readFileSync(path.join('.github/workflows', file), 'utf8'),
    event: 'workflow_dispatch',
    environment: { APP_TOKEN: appToken, ORIGIN: repository.origin, GITHUB_REPOSITORY: 'acme/upgrade' },
  });
  const called = readFileSync(calls, 'utf8').trim().split('\n');
  return { ...end, called: called.map((call) => call.replaceAll(/\/\S+\/(?=\w+\.)/g, '')) };
}

const references = () => repository.git('ls-remote', 'origin');

test('a dry run checks, and writes nothing', async () => {
  const before = references();
  const end = await run({ version: '0.1.0', 'dry-run': 'true' }, greenChecks);
  expect([end.succeeded, end.succeeded ? '' : end.log]).toEqual([true, '']);
  expect(end.log).toContain('v0.1.0 can be released from ');
  expect(end.called).toEqual([
    expect.stringMatching(/^gh api repos\/acme\/upgrade\/commits\//),
    'npm ci --no-audit --no-fund',
  ]);
  expect(references()).toBe(before);
});

test('a red test of the commit ends it before anything is written', async () => {
  const before = references();
  const end = await run({ version: '0.1.0', 'dry-run': 'false' }, { check_runs: greenChecks.check_runs.slice(1) });
  expect(end.succeeded).toBe(false);
  expect(end.log).toContain('did not succeed: lint');
  expect(references()).toBe(before);
});

test('a release tags one commit, pins it in the next, attests dist/, and publishes the notes', async () => {
  const end = await run({ version: '0.1.0', 'dry-run': 'false' }, greenChecks);
  expect([end.succeeded, end.succeeded ? '' : end.log]).toEqual([true, '']);
  repository.git('fetch', '--quiet', '--tags', 'origin');
  const [released = '', moving, parent] = repository
    .git('rev-parse', 'v0.1.0^{commit}', 'v0^{commit}', 'origin/main~1')
    .split('\n');
  expect([moving, parent]).toEqual([released, released]);
  const pin = `uses: acme/upgrade@${released} # v0.1.0`;
  for (const page of pinnedFiles) expect(repository.at('origin/main', page)).toBe(pin);
  expect(end.artifacts['attested']?.['index.js']?.trim()).toBe(repository.at('v0.1.0', 'dist/index.js'));
  expect(repository.git('log', '-1', '--format=%an', 'v0.1.0')).toBe('github-actions[bot]');
  expect(end.called).toContain(`pushes with ${appToken}`);
  expect(end.called.at(-1)).toBe('gh release create v0.1.0 --verify-tag --title 0.1.0 --notes-file notes.md --latest');
  expect(readFileSync(path.join(programs, 'notes.md'), 'utf8')).toContain(pin);
});

// A small repository of the shape that a release needs, with a bare one as its origin: main is checked out.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { unreleased } from '../scripts/release-texts.ts';

/** What names the release, once there is one. */
export const pinnedFiles = [
  'README.md',
  'CONTRIBUTING.md',
  'docs/a.md',
  '.github/workflows/examples/a.yml',
  '.github/ISSUE_TEMPLATE/config.yml',
];

/** GitHub's answer about a commit whose tests passed. */
export const greenChecks = {
  check_runs: ['lint', 'unit', 'integration', 'cluster'].map((name) => ({ name, conclusion: 'success' })),
};

export class ReleaseRepository {
  private readonly directory = mkdtempSync(path.join(tmpdir(), 'release-'));
  readonly origin = path.join(this.directory, 'origin.git');
  readonly clone = path.join(this.directory, 'clone');

  constructor() {
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', this.origin]);
    execFileSync('git', ['clone', '--quiet', this.origin, this.clone], { stdio: 'pipe' });
    this.git('config', 'user.name', 'releaser');
    this.git('config', 'user.email', 'releaser@example.com');
    this.git('checkout', '--quiet', '-b', 'main');
    for (const file of ['release', 'release.ts', 'release-texts.ts', 'node24'])
      cpSync(path.join('scripts', file), path.join(this.clone, 'scripts', file));
    this.write('package.json', JSON.stringify({ name: 'upgrade', version: unreleased, type: 'module' }, undefined, 2));
    this.write('package-lock.json', JSON.stringify({ version: unreleased, packages: { '': { version: unreleased } } }));
    this.write('dist/index.js', `const a = { version: "${unreleased}" };\nlog("${unreleased}"); // ${unreleased}\n`);
    this.write('CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n- Begun.\n');
    for (const file of pinnedFiles) this.write(file, 'uses: OWNER/REPOSITORY@COMMIT # the commit of a release\n');
    this.commitAll('Begin');
  }

  write(file: string, text: string): void {
    mkdirSync(path.dirname(path.join(this.clone, file)), { recursive: true });
    writeFileSync(path.join(this.clone, file), text);
  }

  /** Commits all that was written, and pushes it. */
  commitAll(subject: string): void {
    this.git('add', '--all');
    this.git('commit', '--quiet', '--message', subject);
    this.git('push', '--quiet', 'origin', 'HEAD:main');
  }

  git(...words: string[]): string {
    return execFileSync('git', words, { cwd: this.clone, encoding: 'utf8', stdio: 'pipe' }).trim();
  }

  /** A file as a commit has it. */
  at(commit: string, file: string): string {
    return this.git('show', `${commit}:${file}`);
  }

  /** A part of the release; its error has what it wrote. */
  release(...words: string[]): string {
    // The script takes Node from PATH, where the clone has no packages: this one.
    const PATH = `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
    const env = { ...process.env, PATH };
    return execFileSync('scripts/release', words, { cwd: this.clone, encoding: 'utf8', stdio: 'pipe', env }).trim();
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}

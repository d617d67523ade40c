// Git's plumbing over a bare repository. What is asked most often is read from its files, since a process for each question took half of the tests' time.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inflateSync } from 'node:zlib';

export interface Person {
  readonly name: string;
  readonly email: string;
  readonly date?: string;
}

export interface Entry {
  readonly path: string;
  readonly mode: string;
  readonly type: 'blob' | 'tree' | 'commit';
  readonly sha: string;
  readonly size?: number;
}

export interface Commit {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Required<Person>;
  readonly committer: Required<Person>;
  readonly message: string;
}

const objectName = /^[0-9a-f]{40}$/;

export class BareRepository {
  /** The files of those that were made, by what they hold. */
  private static readonly made = new Map<string, ReadonlyMap<string, Buffer>>();
  readonly directory: string;
  /** What a name of an object stands for never changes. */
  private readonly known = new Map<string, unknown>();

  constructor(directory: string) {
    this.directory = directory;
  }

  /** A new one in a temporary directory, whose default branch holds these files. */
  static make(files: Readonly<Record<string, string | Buffer>>, branch = 'main'): BareRepository {
    const directory = mkdtempSync(path.join(tmpdir(), 'github-double-'));
    const repository = new BareRepository(directory);
    const texts = Object.entries(files).map(([name, content]) => [name, content.toString('latin1')]);
    const what = JSON.stringify([branch, texts]);
    const alike = BareRepository.made.get(what);
    if (alike === undefined) {
      execFileSync('git', ['init', '--quiet', '--bare', '--template=', `--initial-branch=${branch}`, directory]);
      repository.commitOn(branch, files, 'Begin');
      BareRepository.made.set(what, filesOf(directory));
    } else {
      for (const folder of ['objects', 'refs/heads', 'refs/tags'])
        mkdirSync(path.join(directory, folder), { recursive: true });
      for (const [name, content] of alike) {
        mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
        writeFileSync(path.join(directory, name), content);
      }
    }
    return repository;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Standard output of a git command, without its last line end. */
  git(args: readonly string[], options: { input?: string | Buffer; env?: Record<string, string> } = {}): string {
    return this.bytes(args, options).toString('utf8').replace(/\n$/, '');
  }

  bytes(
    args: readonly string[],
    { input, env }: { input?: string | Buffer; env?: Record<string, string> } = {},
  ): Buffer {
    return execFileSync('git', ['--git-dir', this.directory, ...args], {
      input: input ?? '',
      env: { PATH: process.env['PATH'] ?? '', GIT_CONFIG_NOSYSTEM: '1', HOME: this.directory, ...env },
      maxBuffer: 64 * 1024 * 1024,
      stdio: 'pipe',
    });
  }

  /** Output, or undefined when git says no. */
  ask(args: readonly string[]): string | undefined {
    try {
      return this.git(args);
    } catch {
      return undefined;
    }
  }

  head(branch: string): string | undefined {
    return this.reference(`refs/heads/${branch}`);
  }

  /** What a full name of a reference stands for. */
  reference(name: string): string | undefined {
    const file = name.includes('..') ? undefined : this.read(name);
    if (file !== undefined) return file.toString('utf8').trim();
    if (!existsSync(path.join(this.directory, 'packed-refs'))) return undefined;
    return this.ask(['rev-parse', '--verify', '--quiet', name]);
  }

  defaultBranch(): string {
    return readFileSync(path.join(this.directory, 'HEAD'), 'utf8').replace('ref: refs/heads/', '').trim();
  }

  type(sha: string): string | undefined {
    return this.looseObject(sha)?.type ?? this.once(`type ${sha}`, () => this.ask(['cat-file', '-t', sha]));
  }

  blob(sha: string): Buffer {
    const loose = this.looseObject(sha);
    if (loose?.type === 'blob') return loose.content;
    return this.once(`blob ${sha}`, () => this.bytes(['cat-file', 'blob', sha]));
  }

  /** An object that is in no pack: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects, "Object Storage". */
  private looseObject(sha: string): { readonly type: string; readonly content: Buffer } | undefined {
    const compressed = objectName.test(sha) ? this.read(`objects/${sha.slice(0, 2)}/${sha.slice(2)}`) : undefined;
    if (compressed === undefined) return undefined;
    const object = inflateSync(compressed);
    const end = object.indexOf(0);
    return { type: object.toString('latin1', 0, object.indexOf(' ')), content: object.subarray(end + 1) };
  }

  private read(name: string): Buffer | undefined {
    try {
      return readFileSync(path.join(this.directory, name));
    } catch {
      return undefined;
    }
  }

  writeBlob(content: string | Buffer): string {
    return this.git(['hash-object', '-w', '--stdin'], { input: content });
  }

  tree(sha: string): Entry[] {
    return this.once(`tree ${sha}`, () => this.readTree(sha));
  }

  private readTree(sha: string): Entry[] {
    return this.git(['ls-tree', '-z', '--long', sha])
      .split('\0')
      .filter(Boolean)
      .map((line) => {
        const [, mode = '', type = '', hash = '', size = '', name = ''] =
          /^(\S+) (\S+) (\S+) +(\S+)\t(.*)$/s.exec(line) ?? [];
        const entry = { path: name, mode, type: type as Entry['type'], sha: hash };
        return size === '-' ? entry : { ...entry, size: Number(size) };
      });
  }

  /** The base's tree with these entries in it; an entry without a SHA is removed. */
  writeTree(base: string | undefined, entries: readonly { path: string; mode: string; sha: string | null }[]): string {
    const env = { GIT_INDEX_FILE: path.join(this.directory, `index-${String(process.hrtime.bigint())}`) };
    try {
      this.git(base === undefined ? ['read-tree', '--empty'] : ['read-tree', base], { env });
      const input = entries
        .map(({ path: name, mode, sha }) => `${sha === null ? '0' : mode} ${sha ?? '0'.repeat(40)}\t${name}\0`)
        .join('');
      this.git(['update-index', '-z', '--index-info'], { env, input });
      return this.git(['write-tree'], { env });
    } finally {
      rmSync(env.GIT_INDEX_FILE, { force: true });
    }
  }

  writeCommit(message: string, tree: string, parents: readonly string[], author: Person, committer = author): string {
    const env = {
      GIT_AUTHOR_NAME: author.name,
      GIT_AUTHOR_EMAIL: author.email,
      GIT_AUTHOR_DATE: author.date ?? new Date().toISOString(),
      GIT_COMMITTER_NAME: committer.name,
      GIT_COMMITTER_EMAIL: committer.email,
      GIT_COMMITTER_DATE: committer.date ?? new Date().toISOString(),
    };
    return this.git(['commit-tree', tree, ...parents.flatMap((p) => ['-p', p])], { input: message, env });
  }

  commit(revision: string): Commit {
    const sha = objectName.test(revision) ? revision : this.git(['rev-parse', revision]);
    return this.once(`commit ${sha}`, () => this.readCommit(sha));
  }

  private readCommit(sha: string): Commit {
    const format = ['%T', '%P', '%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%B'].join('%x00');
    const [tree = '', parents = '', an = '', ae = '', ad = '', cn = '', ce = '', cd = '', message = ''] = this.git([
      'show',
      '-s',
      `--format=${format}`,
      sha,
    ]).split('\0');
    return {
      sha,
      tree,
      parents: parents.split(' ').filter(Boolean),
      author: { name: an, email: ae, date: utc(ad) },
      committer: { name: cn, email: ce, date: utc(cd) },
      message: message.replace(/\n+$/, ''),
    };
  }

  /** Makes the reference, or moves it from `old` to `sha`; git refuses when it is elsewhere. */
  setReference(reference: string, sha: string, old = '0'.repeat(40)): void {
    this.git(['update-ref', reference, sha, old]);
  }

  deleteBranch(branch: string): void {
    this.git(['update-ref', '-d', `refs/heads/${branch}`]);
  }

  isAncestor(older: string, newer: string): boolean {
    return this.ask(['merge-base', '--is-ancestor', older, newer]) !== undefined;
  }

  /** What a person does with a clone: changes files on a branch, which begins at `from` if it is new. */
  commitOn(branch: string, files: Readonly<Record<string, string | Buffer>>, message: string, from?: string): string {
    const head = this.head(branch) ?? from;
    const entries = Object.entries(files).map(([name, content]) => ({
      path: name,
      mode: '100644',
      sha: this.writeBlob(content),
    }));
    const tree = this.writeTree(head, entries);
    const person = { name: 'Pat Person', email: 'pat@example.com' };
    const commit = this.writeCommit(message, tree, head === undefined ? [] : [head], person);
    this.setReference(`refs/heads/${branch}`, commit, this.head(branch));
    return commit;
  }

  private once<T>(what: string, read: () => T): T {
    const present = this.known.get(what) as T | undefined;
    if (present !== undefined) return present;
    const value = read();
    if (objectName.test(what.replace(/^\w+ /, ''))) this.known.set(what, value);
    return value;
  }

  file(revision: string, name: string): string {
    return this.bytes(['cat-file', 'blob', `${revision}:${name}`]).toString('utf8');
  }
}

function filesOf(directory: string): Map<string, Buffer> {
  const found = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = found.map((entry) => path.join(entry.parentPath, entry.name));
  return new Map(paths.map((file) => [path.relative(directory, file), readFileSync(file)]));
}

function utc(date: string): string {
  return new Date(date).toISOString().replace('.000Z', 'Z');
}

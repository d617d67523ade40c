// References and commits, in the two forms that GitHub has for them.
import type { BareRepository, Commit } from './bare-repository.ts';
import type { Json, Objects } from './objects.ts';

export const created = '2026-01-02T03:04:05Z';

export class CommitObjects {
  private readonly git: BareRepository;
  private readonly objects: Objects;
  /** Commits that GitHub has signed. */
  readonly signed = new Set<string>();

  constructor(git: BareRepository, objects: Objects) {
    this.git = git;
    this.objects = objects;
  }

  reference(name: string, sha: string): Json {
    const { apiUrl } = this.objects.repositoryUrls();
    return {
      ref: name,
      node_id: nodeId('Ref', name),
      url: `${apiUrl}/git/${name}`,
      object: { type: 'commit', sha, url: `${apiUrl}/git/commits/${sha}` },
    };
  }

  gitCommit(sha: string): Json {
    const commit = this.git.commit(sha);
    const { apiUrl, htmlUrl } = this.objects.repositoryUrls();
    return {
      sha,
      node_id: nodeId('Commit', sha),
      url: `${apiUrl}/git/commits/${sha}`,
      html_url: `${htmlUrl}/commit/${sha}`,
      author: commit.author,
      committer: commit.committer,
      message: commit.message,
      tree: { sha: commit.tree, url: `${apiUrl}/git/trees/${commit.tree}` },
      parents: commit.parents.map((p) => ({
        sha: p,
        url: `${apiUrl}/git/commits/${p}`,
        html_url: `${htmlUrl}/commit/${p}`,
      })),
      verification: this.verification(sha),
    };
  }

  /** As a listing or a comparison shows it. */
  commit(sha: string): Json {
    const commit = this.git.commit(sha);
    const { apiUrl, htmlUrl } = this.objects.repositoryUrls();
    const { author, committer, message, tree } = commit;
    return {
      sha,
      node_id: nodeId('Commit', sha),
      url: `${apiUrl}/commits/${sha}`,
      html_url: `${htmlUrl}/commit/${sha}`,
      comments_url: `${apiUrl}/commits/${sha}/comments`,
      commit: {
        url: `${apiUrl}/git/commits/${sha}`,
        author,
        committer,
        message,
        tree: { sha: tree, url: `${apiUrl}/git/trees/${tree}` },
        comment_count: 0,
        verification: this.verification(sha),
      },
      author: this.account(commit),
      committer: this.account(commit),
      parents: commit.parents.map((p) => ({
        sha: p,
        url: `${apiUrl}/commits/${p}`,
        html_url: `${htmlUrl}/commit/${p}`,
      })),
    };
  }

  private account({ author }: Commit): Json | null {
    return /^[\w[\]-]+$/.test(author.name) ? this.objects.user(author.name) : null;
  }

  private verification(sha: string): Json {
    const signed = this.signed.has(sha);
    return {
      verified: signed,
      reason: signed ? 'valid' : 'unsigned',
      signature: signed ? '-----BEGIN PGP SIGNATURE-----\n…' : null,
      payload: signed ? `tree ${this.git.commit(sha).tree}` : null,
      verified_at: signed ? created : null,
    };
  }
}

function nodeId(kind: string, text: string): string {
  return Buffer.from(`${kind}:${text}`).toString('base64');
}

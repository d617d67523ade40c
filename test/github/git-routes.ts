import { mayNot, notFound, unprocessable, type Answer, type Routes, type State } from './answer.ts';
import type { Person } from './bare-repository.ts';

const sha = /^[0-9a-f]{40}$/;

export const gitRoutes: Routes = {
  'GET /repos/{owner}/{repo}/git/ref/{ref}': ({ git, objects }, { parameters }) => {
    const name = `refs/${parameters['ref'] ?? ''}`;
    const found = git.reference(name);
    return found === undefined ? notFound : { status: 200, body: objects.commits.reference(name, found) };
  },

  'POST /repos/{owner}/{repo}/git/refs': (state, { body, token }) => {
    const { git, objects } = state;
    if (token.contents !== 'write') return mayNot(token);
    const [name, commit] = [String(body['ref']), String(body['sha'])];
    const branch = name.replace(/^refs\/heads\//, '');
    if (git.ask(['check-ref-format', name]) === undefined || !name.startsWith('refs/')) {
      return unprocessable('Reference name is not valid');
    }
    if (git.reference(name) !== undefined) {
      return unprocessable('Reference already exists');
    }
    if (!sha.test(commit) || git.type(commit) !== 'commit') return unprocessable('Object does not exist');
    if (state.repository.rules.some((rule) => rule.type === 'creation' && rule.branch.test(branch))) {
      return unprocessable(
        'Repository rule violations found\n\nCannot create ref due to creations being restricted.\n',
      );
    }
    try {
      git.setReference(name, commit);
    } catch {
      return unprocessable('Reference update failed');
    }
    return { status: 201, body: objects.commits.reference(name, commit) };
  },

  'PATCH /repos/{owner}/{repo}/git/refs/{ref}': ({ git, objects }, { parameters, body, token }) => {
    if (token.contents !== 'write') return mayNot(token);
    const [name, commit] = [`refs/${parameters['ref'] ?? ''}`, String(body['sha'])];
    const old = git.reference(name);
    if (old === undefined) return unprocessable('Reference does not exist');
    if (git.type(commit) !== 'commit') return unprocessable('Object does not exist');
    if (body['force'] !== true && !git.isAncestor(old, commit)) return unprocessable('Update is not a fast forward');
    git.setReference(name, commit, old);
    return { status: 200, body: objects.commits.reference(name, commit) };
  },

  'GET /repos/{owner}/{repo}/git/commits/{commit_sha}': ({ git, objects }, { parameters }) => {
    const commit = parameters['commit_sha'] ?? '';
    return git.type(commit) === 'commit' ? { status: 200, body: objects.commits.gitCommit(commit) } : notFound;
  },

  'POST /repos/{owner}/{repo}/git/commits': (state, { body, token }) => {
    const { git, objects } = state;
    if (token.contents !== 'write') return mayNot(token);
    const tree = String(body['tree']);
    const parents = (body['parents'] ?? []) as string[];
    if (git.type(tree) !== 'tree') return unprocessable('Tree SHA does not exist');
    if (parents.some((p) => git.type(p) !== 'commit'))
      return unprocessable('Parent SHA does not exist or is not a commit object');
    const own = { name: token.login, email: `${token.login}@users.noreply.github.com` };
    const author = (body['author'] as Person | undefined) ?? own;
    const committer = (body['committer'] as Person | undefined) ?? (body['author'] === undefined ? webFlow : author);
    const made = git.writeCommit(String(body['message']), tree, parents, author, committer);
    // GitHub signs what a bot writes in its own name.
    if (author === own && committer === webFlow && token.login.endsWith('[bot]')) objects.commits.signed.add(made);
    return { status: 201, body: objects.commits.gitCommit(made) };
  },

  'GET /repos/{owner}/{repo}/git/trees/{tree_sha}': (state, { parameters }) => {
    const { git } = state;
    const tree = parameters['tree_sha'] ?? '';
    return git.type(tree) === 'tree' ? { status: 200, body: treeBody(state, tree) } : notFound;
  },

  'POST /repos/{owner}/{repo}/git/trees': (state, { body, token }) => {
    const { git } = state;
    if (token.contents !== 'write') return mayNot(token);
    const base = body['base_tree'] as string | undefined;
    if (base !== undefined && git.type(base) !== 'tree') return unprocessable('base_tree is not a valid tree oid');
    const entries = body['tree'] as { path: string; mode?: string; sha?: string | null; content?: string }[];
    if (entries.length === 0) return unprocessable('Invalid tree info');
    const bad = entries.find((e) => typeof e.sha === 'string' && git.type(e.sha) === undefined);
    if (bad !== undefined) return unprocessable(`tree.sha ${String(bad.sha)} is not a valid blob`);
    const made = git.writeTree(
      base,
      entries.map((e) => ({
        path: e.path,
        mode: e.mode ?? '100644',
        sha: e.content === undefined ? (e.sha ?? null) : git.writeBlob(e.content),
      })),
    );
    return { status: 201, body: treeBody(state, made) };
  },

  'GET /repos/{owner}/{repo}/git/blobs/{file_sha}': ({ git, objects }, { parameters }) => {
    const blob = parameters['file_sha'] ?? '';
    if (git.type(blob) !== 'blob') return notFound;
    const content = git.blob(blob);
    return {
      status: 200,
      body: {
        sha: blob,
        node_id: blob,
        size: content.length,
        url: `${objects.repositoryUrls().apiUrl}/git/blobs/${blob}`,
        // GitHub breaks its base64 into lines.
        content: (content.toString('base64').match(/.{1,60}/g) ?? []).map((line) => `${line}\n`).join(''),
        encoding: 'base64',
      },
    };
  },

  'POST /repos/{owner}/{repo}/git/blobs': ({ git, objects }, { body, token }) => {
    if (token.contents !== 'write') return mayNot(token);
    const content = Buffer.from(String(body['content']), body['encoding'] === 'base64' ? 'base64' : 'utf8');
    const made = git.writeBlob(content);
    return { status: 201, body: { sha: made, url: `${objects.repositoryUrls().apiUrl}/git/blobs/${made}` } };
  },

  'GET /repos/{owner}/{repo}/compare/{basehead}': compare,
};

const webFlow: Person = { name: 'GitHub', email: 'noreply@github.com' };

function treeBody({ git, objects }: State, tree: string): unknown {
  const { apiUrl } = objects.repositoryUrls();
  return {
    sha: tree,
    url: `${apiUrl}/git/trees/${tree}`,
    tree: git.tree(tree).map((entry) => ({ ...entry, url: `${apiUrl}/git/${entry.type}s/${entry.sha}` })),
    truncated: false,
  };
}

function compare({ git, objects }: State, { parameters }: { parameters: Readonly<Record<string, string>> }): Answer {
  const [base, head] = (parameters['basehead'] ?? '').split('...').map((name) => git.head(name) ?? name);
  if (base === undefined || head === undefined || git.type(base) !== 'commit' || git.type(head) !== 'commit')
    return notFound;
  const mergeBase = git.ask(['merge-base', base, head]);
  if (mergeBase === undefined) {
    return {
      status: 404,
      body: { ...(notFound.body as object), message: `No common ancestor between ${base} and ${head}.` },
    };
  }
  const commits = git
    .git(['rev-list', '--reverse', '--topo-order', `${base}..${head}`])
    .split('\n')
    .filter(Boolean);
  const behind = Number(git.git(['rev-list', '--count', `${head}..${base}`]));
  const example = objects.example('GET /repos/{owner}/{repo}/compare/{basehead}', 200) as Record<string, unknown>;
  const [file] = example['files'] as Record<string, unknown>[];
  const files = git.git(['diff', '--numstat', '--no-renames', '-z', mergeBase, head]).split('\0').filter(Boolean);
  return {
    status: 200,
    body: {
      ...example,
      base_commit: objects.commits.commit(base),
      merge_base_commit: objects.commits.commit(mergeBase),
      status: commits.length === 0 ? (behind === 0 ? 'identical' : 'behind') : behind === 0 ? 'ahead' : 'diverged',
      ahead_by: commits.length,
      behind_by: behind,
      total_commits: commits.length,
      commits: commits.slice(0, 250).map((commit) => objects.commits.commit(commit)),
      files: files.map((line) => {
        const [added = '0', removed = '0', name = ''] = line.split('\t');
        const [additions, deletions] = [Number(added) || 0, Number(removed) || 0];
        return { ...file, filename: name, status: 'modified', additions, deletions, changes: additions + deletions };
      }),
    },
  };
}

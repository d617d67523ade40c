import { GitHubError } from '../common/errors.ts';
import type { GitHub } from '../ports/github.ts';
import type { GitHubRequests, Place } from './github-request.ts';
import { toComparison } from './github-shapes.ts';

/** Branches, commits, trees and blobs, without a clone. */
export function gitData(
  requests: GitHubRequests,
  place: Place,
): Pick<
  GitHub,
  | 'branchHead'
  | 'treeOf'
  | 'tree'
  | 'blob'
  | 'compare'
  | 'createBlob'
  | 'createTree'
  | 'createCommit'
  | 'createBranch'
  | 'moveBranch'
> {
  return {
    async branchHead(branch) {
      try {
        const { data } = await requests.read(`read branch ${branch}`, 'GET /repos/{owner}/{repo}/git/ref/{ref}', {
          ...place,
          ref: `heads/${branch}`,
        });
        return data.object.sha;
      } catch (error) {
        if (error instanceof GitHubError && error.code === 'github-not-found') return undefined;
        throw error;
      }
    },

    async treeOf(commit) {
      const { data } = await requests.read(
        `read commit ${commit}`,
        'GET /repos/{owner}/{repo}/git/commits/{commit_sha}',
        {
          ...place,
          commit_sha: commit,
        },
      );
      return data.tree.sha;
    },

    async tree(sha) {
      const { data } = await requests.read(`read tree ${sha}`, 'GET /repos/{owner}/{repo}/git/trees/{tree_sha}', {
        ...place,
        tree_sha: sha,
      });
      return {
        entries: data.tree.map((entry) => ({ path: entry.path, mode: entry.mode, sha: entry.sha })),
        truncated: data.truncated,
      };
    },

    async blob(sha) {
      const { data } = await requests.read(`read blob ${sha}`, 'GET /repos/{owner}/{repo}/git/blobs/{file_sha}', {
        ...place,
        file_sha: sha,
      });
      return Buffer.from(data.content, data.encoding === 'base64' ? 'base64' : 'utf8');
    },

    async compare(base, head) {
      const { data } = await requests.read(
        `compare ${base} with ${head}`,
        'GET /repos/{owner}/{repo}/compare/{basehead}',
        {
          ...place,
          basehead: `${base}...${head}`,
        },
      );
      return toComparison(data);
    },

    async createBlob(content) {
      const { data } = await requests.object('write the file', 'POST /repos/{owner}/{repo}/git/blobs', {
        ...place,
        content: Buffer.from(content).toString('base64'),
        encoding: 'base64',
      });
      return data.sha;
    },

    async createTree(baseTree, entry) {
      const { data } = await requests.object('write the tree', 'POST /repos/{owner}/{repo}/git/trees', {
        ...place,
        base_tree: baseTree,
        tree: [{ path: entry.path, mode: entry.mode as '100644' | '100755', type: 'blob', sha: entry.sha }],
      });
      return data.sha;
    },

    async createCommit(message, tree, parents) {
      const { data } = await requests.object('write the commit', 'POST /repos/{owner}/{repo}/git/commits', {
        ...place,
        message,
        tree,
        parents: [...parents],
      });
      return data.sha;
    },

    async createBranch(branch, commit) {
      await requests.call(
        { doing: `create branch ${branch}`, repeatable: false },
        'POST /repos/{owner}/{repo}/git/refs',
        { ...place, ref: `refs/heads/${branch}`, sha: commit },
      );
    },

    async moveBranch(branch, commit) {
      await requests.call(
        { doing: `move branch ${branch}`, repeatable: false },
        'PATCH /repos/{owner}/{repo}/git/refs/{ref}',
        { ...place, ref: `heads/${branch}`, sha: commit, force: false },
      );
    },
  };
}

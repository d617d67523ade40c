import { mayNot, notFound, type Routes } from './answer.ts';
import { roleOf } from './token.ts';

export const repositoryRoutes: Routes = {
  'GET /repos/{owner}/{repo}': ({ git, objects, repository }, { token }) => ({
    status: 200,
    body: objects.repository({
      defaultBranch: git.defaultBranch(),
      private: repository.private,
      archived: repository.archived,
      permissions: roleOf(token),
    }),
  }),

  'GET /repos/{owner}/{repo}/branches/{branch}': ({ git, objects }, { parameters }) => {
    const name = parameters['branch'] ?? '';
    const head = git.head(name);
    if (head === undefined) return { ...notFound, body: { ...(notFound.body as object), message: 'Branch not found' } };
    const example = objects.example('GET /repos/{owner}/{repo}/branches/{branch}', 200) as Record<string, unknown>;
    return { status: 200, body: { ...example, name, protected: false, commit: objects.commits.commit(head) } };
  },

  'GET /repos/{owner}/{repo}/contents/{path}': ({ git, objects }, { parameters, query }) => {
    const path = parameters['path'] ?? '';
    const revision = query.get('ref') ?? git.defaultBranch();
    const sha = git.ask(['rev-parse', '--verify', '--quiet', `${revision}:${path}`]);
    if (sha === undefined || git.type(sha) !== 'blob') return notFound;
    const content = git.blob(sha);
    const { apiUrl, htmlUrl } = objects.repositoryUrls();
    const [url, html_url, git_url] = [
      `${apiUrl}/contents/${path}`,
      `${htmlUrl}/blob/${revision}/${path}`,
      `${apiUrl}/git/blobs/${sha}`,
    ];
    return {
      status: 200,
      body: {
        type: 'file',
        encoding: 'base64',
        size: content.length,
        name: path.split('/').at(-1),
        path,
        content: content.toString('base64'),
        sha,
        url,
        git_url,
        html_url,
        download_url: `${htmlUrl}/raw/${revision}/${path}`,
        _links: { git: git_url, self: url, html: html_url },
      },
    };
  },

  'GET /repos/{owner}/{repo}/rules/branches/{branch}': ({ repository }, { parameters }) => ({
    status: 200,
    body: repository.rules
      .filter((rule) => rule.branch.test(parameters['branch'] ?? ''))
      .map(({ type }) => ({
        type,
        ruleset_source_type: 'Repository',
        ruleset_source: `${repository.owner}/${repository.name}`,
        ruleset_id: 1,
        ...(type.endsWith('_pattern') ? { parameters: { operator: 'starts_with', pattern: 'x' } } : {}),
      })),
  }),

  'GET /repos/{owner}/{repo}/actions/permissions/workflow': ({ repository }, { token }) =>
    token.administrator
      ? {
          status: 200,
          body: {
            default_workflow_permissions: 'read',
            can_approve_pull_request_reviews: repository.actionsMayOpenPullRequests,
          },
        }
      : mayNot(token),
};

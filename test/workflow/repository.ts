// The repository of a server's administrators, with the values.yaml that the examples name.
import { BareRepository } from '../github/bare-repository.ts';

const values = `# CircleCI Server, production
global:
  domainName: "circleci.example.com"   # behind the proxy

postgresql:
  # Ours is in the cluster, see the runbook.
  image:
    registry: cciserver.azurecr.io
    repository: server-postgres
    tag: 12.16.37-7629bfd    # as the chart's
  primary:
    persistence: {size: 8Gi}
`;

/** Where the examples look for the values.yaml of a server. */
export function valuesFileOf(namespace: string): string {
  return `environments/${namespace}/values.yaml`;
}

export function makeRepository(namespace: string): BareRepository {
  return BareRepository.make({ 'README.md': '# Infrastructure\n', [valuesFileOf(namespace)]: values });
}

/** What a merge of the branch would change, as git shows it. */
export function branchDiff(repository: BareRepository, branch: string, ...options: string[]): string {
  return repository.git(['diff', ...options, `${repository.defaultBranch()}...${branch}`]);
}

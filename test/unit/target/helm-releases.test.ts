import { expect, test } from '@jest/globals';
import type { V1Secret } from '@kubernetes/client-node';
import { newestRevisions } from '../../../src/target/helm-releases.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { namespace, secret } from '../objects.ts';

function revision(name: string, version: string, status: string): V1Secret {
  return {
    metadata: {
      name: `sh.helm.release.v1.${name}.v${version}`,
      namespace,
      labels: { owner: 'helm', name, version, status },
    },
    data: { release: 'dmFsdWVz' },
  };
}

test('of each release the newest revision counts, by number, and only metadata is asked for', async () => {
  const cluster = new FakeCluster().put(
    'secrets',
    revision('circleci-server', '9', 'pending-upgrade'),
    revision('circleci-server', '10', 'deployed'),
    revision('monitoring', '1', 'failed'),
    secret(),
  );
  expect(await newestRevisions(cluster, namespace)).toEqual([
    { release: 'circleci-server', revision: 10, status: 'deployed' },
    { release: 'monitoring', revision: 1, status: 'failed' },
  ]);
  expect(cluster.calls.map((call) => call.options)).toMatchObject([
    { metadataOnly: true, labelSelector: 'owner=helm' },
  ]);
});

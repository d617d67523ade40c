import { describe, expect, test } from '@jest/globals';
import type { V1ObjectMeta } from '@kubernetes/client-node';
import { answerError } from '../../../../src/adapters/api-error.ts';
import type { ResourceName, ResourceTypes } from '../../../../src/ports/cluster.ts';
import { findReconcilers } from '../../../../src/target/reconcilers.ts';
import { FakeCluster } from '../../fake-cluster.ts';
import { namespace, statefulSet, target } from '../../objects.ts';
import { answerOf, known, unread } from '../facts.ts';

/** The answer of the check `gitops` where the StatefulSet has this metadata. */
async function gitops(metadata: V1ObjectMeta, cluster = new FakeCluster()) {
  const reconcilers = known(await findReconcilers(cluster, [{ object: 'statefulsets/postgresql', metadata }]));
  return { ...(await answerOf('gitops', { reconcilers })), calls: cluster.calls };
}

function served<R extends ResourceName>(resource: R, object: ResourceTypes[R]): FakeCluster {
  return new FakeCluster().put(resource, object);
}

const byArgo = { labels: { 'argocd.argoproj.io/instance': 'circleci' } };
const byHelmController = {
  labels: { 'helm.toolkit.fluxcd.io/name': 'circleci', 'helm.toolkit.fluxcd.io/namespace': 'flux-system' },
};
const byKustomizeController = {
  labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' },
};
const argocd = { name: 'circleci', namespace: 'argocd' };
const flux = { name: 'circleci', namespace: 'flux-system' };

describe('gitops', () => {
  test.each<[string, V1ObjectMeta]>([
    ['no label', {}],
    ["Helm's labels", { labels: { 'app.kubernetes.io/instance': 'circleci', 'app.kubernetes.io/managed-by': 'Helm' } }],
    ["Helm's field manager", { managedFields: [{ manager: 'helm' }] }],
  ])('with %s passes, and nothing is asked', async (_what, metadata) => {
    const answer = await gitops(metadata);
    expect(answer.status).toBe('passed');
    expect(answer.calls).toEqual([]);
  });

  test.each<[string, V1ObjectMeta]>([
    ['the label', byArgo],
    [
      'the annotation',
      { annotations: { 'argocd.argoproj.io/tracking-id': 'circleci:apps/StatefulSet:ns/postgresql' } },
    ],
    [
      'the annotation with a namespace',
      { annotations: { 'argocd.argoproj.io/tracking-id': 'argocd_circleci:apps/StatefulSet:ns/postgresql' } },
    ],
  ])("Argo CD's self-heal, found by %s, fails", async (_what, metadata) => {
    const spec = { syncPolicy: { automated: { selfHeal: true } } };
    const answer = await gitops(metadata, served('applications', { metadata: argocd, spec }));
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('Application circleci in namespace argocd syncs by itself, with self-heal');
    expect(answer.text).toContain('statefulsets/postgresql');
    expect(answer.remedy?.text).toMatch(/argocd app set (argocd\/)?circleci --sync-policy none/);
  });

  test.each([
    [{}, 'passed'],
    [{ syncPolicy: {} }, 'passed'],
    [{ syncPolicy: { automated: null } }, 'passed'],
    [{ syncPolicy: { automated: { enabled: false, selfHeal: true } } }, 'passed'],
    [{ syncPolicy: { automated: {} } }, 'failed'],
  ] as const)('an Application with %j: %s', async (spec, status) => {
    const answer = await gitops(byArgo, served('applications', { metadata: argocd, spec }));
    expect(answer.status).toBe(status);
    expect(answer.text).toContain('label argocd.argoproj.io/instance');
  });

  test('of the Applications of one name, that of the tracking id counts', async () => {
    const cluster = served('applications', { metadata: argocd });
    cluster.put('applications', {
      metadata: { ...argocd, namespace: 'other' },
      spec: { syncPolicy: { automated: {} } },
    });
    const annotations = { 'argocd.argoproj.io/tracking-id': 'argocd_circleci:apps/StatefulSet:ns/postgresql' };
    expect((await gitops({ annotations }, cluster)).status).toBe('passed');
    expect((await gitops(byArgo, cluster)).status).toBe('failed');
  });

  test('a field manager of Argo CD alone fails', async () => {
    const answer = await gitops({ managedFields: [{ manager: 'argocd-controller' }] });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('field manager argocd-controller');
  });

  const managedFields = [{ manager: 'argocd-controller' }];
  const resources = [{ kind: 'StatefulSet', namespace, name: 'postgresql' }];
  const managing = (spec: object) => served('applications', { metadata: argocd, spec, status: { resources } });

  test.each<[string, V1ObjectMeta]>([
    ['alone', { managedFields }],
    ['beside a label', { ...byArgo, managedFields }],
  ])('a field manager of Argo CD %s is resolved by the Application that manages the object', async (_what, more) => {
    const metadata = { namespace, ...more };
    expect((await gitops(metadata, managing({}))).status).toBe('passed');
    const answer = await gitops(metadata, managing({ syncPolicy: { automated: {} } }));
    expect(answer.status).toBe('failed');
    expect(answer.remedy?.text).toMatch(/argocd app set (argocd\/)?circleci --sync-policy none/);
  });

  test('a name that Argo CD had to cut for its label is that of the annotation', async () => {
    const name = 'circleci-'.repeat(8);
    const tracking = { 'argocd.argoproj.io/tracking-id': `${name}:apps/StatefulSet:${namespace}/postgresql` };
    const labels = { 'argocd.argoproj.io/instance': name.slice(0, 63) };
    const cluster = served('applications', { metadata: { ...argocd, name } });
    const answer = await gitops({ annotations: tracking, labels }, cluster);
    expect([answer.status, answer.text]).toEqual(['passed', expect.not.stringContaining('there is no')]);
  });

  test.each([
    [
      'HelmRelease',
      'helmreleases',
      byHelmController,
      flux,
      'flux suspend helmrelease circleci --namespace flux-system',
    ],
    [
      'Kustomization',
      'kustomizations',
      byKustomizeController,
      { ...flux, name: 'apps' },
      'flux suspend kustomization apps --namespace flux-system',
    ],
  ] as const)('a %s of Flux fails unless it is suspended', async (kind, resource, mark, metadata, command) => {
    const acts = await gitops(mark, served(resource, { metadata, spec: {} }));
    expect(acts.status).toBe('failed');
    expect(acts.text).toContain(`${kind} ${metadata.name} is not suspended`);
    expect(acts.remedy?.text).toContain(command);
    const suspended = await gitops(mark, served(resource, { metadata, spec: { suspend: true } }));
    expect(suspended.status).toBe('passed');
    expect(suspended.text).toContain(`${kind} ${metadata.name} is suspended`);
  });

  const forbidden = JSON.stringify({ message: 'applications.argoproj.io is forbidden' });

  test('what may not be read is unknown, with what to do about it', async () => {
    const cluster = new FakeCluster().refuse('list', 'applications', 403, 'applications.argoproj.io is forbidden');
    const answer = await gitops(byArgo, cluster);
    expect(answer.status).toBe('unknown');
    expect(answer.text).toContain('may not read it');
    expect(answer.remedy?.text).toContain('argocd app set');
    expect(answer.remedy?.text).toContain('docs/permissions.md');
  });

  // As a real API server answers for an API that it does not serve: it looks at rights first.
  test.each([
    [403, forbidden],
    [404, '404 page not found\n'],
  ])('without the API, an answer of %i is judged by the mark alone, and says so', async (status, body) => {
    const cluster = new FakeCluster();
    cluster.missing.add('applications');
    cluster.hooks.push((call) => {
      if (call.method === 'list') throw answerError('list applications', status, body);
    });
    const answer = await gitops(byArgo, cluster);
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('no API for Application objects');
    expect(answer.remedy?.text).toContain(`kubectl -n ${namespace} label statefulsets/postgresql`);
  });

  test('any other answer leaves the question open', async () => {
    const cluster = new FakeCluster();
    cluster.hooks.push(() => {
      throw answerError('list applications', 500, '');
    });
    await expect(gitops(byArgo, cluster)).rejects.toMatchObject({ code: 'server-error' });
  });
});

describe('helm-release', () => {
  const revision = (status: string, release = 'circleci-server') => ({ release, revision: 7, status });

  test.each(['pending-install', 'pending-upgrade', 'pending-rollback', 'uninstalling'])(
    '%s fails, with the commands that tell more and bring it back',
    async (status) => {
      const answer = await answerOf('helm-release', { helmRevisions: known([revision(status)]) });
      expect(answer.status).toBe('failed');
      expect(answer.text).toBe(`release circleci-server, revision 7: ${status}`);
      expect(answer.remedy?.text).toContain('helm -n circleci-server history circleci-server');
      expect(answer.remedy?.text).toContain('helm -n circleci-server rollback circleci-server');
    },
  );

  test.each(['deployed', 'failed', 'superseded'])('%s passes: nothing is under way', async (status) => {
    expect((await answerOf('helm-release', { helmRevisions: known([revision(status)]) })).status).toBe('passed');
  });

  test('of another release of the namespace is not ours to judge, where the own one is known', async () => {
    const own = statefulSet();
    own.metadata = { ...own.metadata, annotations: { 'meta.helm.sh/release-name': 'circleci-server' } };
    const helmRevisions = known([revision('deployed'), revision('pending-upgrade', 'monitoring')]);
    expect((await answerOf('helm-release', { helmRevisions, target: await target(own) })).status).toBe('passed');
    expect((await answerOf('helm-release', { helmRevisions })).status).toBe('failed');
  });

  test('without the right to list Secrets it is unknown, with the command to look by hand', async () => {
    const answer = await answerOf('helm-release', { helmRevisions: unread('secrets is forbidden') });
    expect(answer.status).toBe('unknown');
    expect(answer.remedy?.text).toContain('helm -n circleci-server status');
    expect(answer.remedy?.text).toContain('docs/permissions.md');
  });

  test('no release at all passes', async () => {
    expect((await answerOf('helm-release', { helmRevisions: known([]) })).status).toBe('passed');
  });
});

describe('operator', () => {
  test('a StatefulSet that a controller owns fails', async () => {
    const owned = statefulSet();
    const owner = { apiVersion: 'acid.zalan.do/v1', kind: 'postgresql', name: 'main', uid: 'u', controller: true };
    owned.metadata = { ...owned.metadata, ownerReferences: [owner] };
    const answer = await answerOf('operator', { target: { ...(await target()), statefulSet: owned } });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('controlled by postgresql main');
    expect(answer.remedy?.text).toContain('kubectl -n circleci-server get postgresql.acid.zalan.do main');
  });

  test('an owner that does not control it passes', async () => {
    const owned = statefulSet();
    owned.metadata = {
      ...owned.metadata,
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'release', uid: 'u' }],
    };
    expect((await answerOf('operator', { target: { ...(await target()), statefulSet: owned } })).status).toBe('passed');
  });
});

import { describe, expect, test } from '@jest/globals';
import { permissions } from '../../../src/target/permissions.ts';
import { inputs } from '../objects.ts';
import { answerOf, known } from './facts.ts';

describe('access', () => {
  test('says which cluster and which namespace it is', async () => {
    const { text } = await answerOf('cluster-access');
    expect(text).toContain('v1.34.0 at https://cluster.example:6443');
    expect(text).toContain('circleci-server');
  });

  test('to a Kubernetes without scheduling gates is refused before anything is touched', async () => {
    const access = { address: 'https://cluster.example:6443', version: 'v1.26.9' };
    expect((await answerOf('cluster-access', { access })).status).toBe('failed');
  });

  test.each([
    ['precheck', 'warning'],
    ['upgrade', 'failed'],
  ] as const)('that lacks what only an upgrade needs: in mode %s a %s', async (mode, status) => {
    const missing = permissions.filter((p) => p.verb === 'patch' && p.resource === 'statefulsets');
    const answer = await answerOf('permissions', {
      missingPermissions: known(missing),
      inputs: inputs({ mode }),
    });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain('missing: patch statefulsets.apps');
    expect(answer.text).toContain(missing[0]?.why);
    expect(answer.remedy).toContain("resources: ['statefulsets'], verbs: [patch]");
  });

  test.each([
    ['system:serviceaccount:ci:upgrader', 'subjects: [{ kind: ServiceAccount, name: upgrader, namespace: ci }]'],
    ['jane@example.com', 'subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: "jane@example.com" }]'],
  ])('prints the manifests that grant it to %s', async (username, subject) => {
    const missing = permissions.filter(({ resource }) => resource === 'persistentvolumes' || resource === 'jobs');
    const { remedy } = await answerOf('permissions', { missingPermissions: known(missing), user: known(username) });
    expect(remedy?.split('\n').slice(1)).toEqual([
      'In a shell:',
      "kubectl apply -f - <<'EOF'",
      'apiVersion: rbac.authorization.k8s.io/v1',
      'kind: Role',
      'metadata: { name: postgresql-upgrade-missing, namespace: circleci-server }',
      'rules:',
      "  - { apiGroups: ['batch'], resources: ['jobs'], verbs: [list, create, get, patch, delete] }",
      '---',
      'apiVersion: rbac.authorization.k8s.io/v1',
      'kind: RoleBinding',
      'metadata: { name: postgresql-upgrade-missing, namespace: circleci-server }',
      'roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: postgresql-upgrade-missing }',
      subject,
      '---',
      'apiVersion: rbac.authorization.k8s.io/v1',
      'kind: ClusterRole',
      'metadata: { name: circleci-server-postgresql-upgrade-missing }',
      'rules:',
      "  - { apiGroups: [''], resources: ['persistentvolumes'], verbs: [get, patch] }",
      '---',
      'apiVersion: rbac.authorization.k8s.io/v1',
      'kind: ClusterRoleBinding',
      'metadata: { name: circleci-server-postgresql-upgrade-missing }',
      'roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: circleci-server-postgresql-upgrade-missing }',
      subject,
      'EOF',
    ]);
  });

  test('whose user nobody can tell gets a placeholder, which is explained', async () => {
    const missing = permissions.filter(({ resource }) => resource === 'events');
    const user = { known: false, reason: 'not served', code: 'not-served' } as const;
    const { remedy } = await answerOf('permissions', { missingPermissions: known(missing), user });
    expect(remedy).toContain('name: "USER"');
    expect(remedy).toContain('in the place of USER');
  });

  test('that only informs is named, and refuses nothing', async () => {
    const missing = permissions.filter(({ informs }) => informs !== undefined);
    const answer = await answerOf('permissions', { missingPermissions: known(missing) });
    expect(answer.status).toBe('passed');
    expect(answer.text).toContain('not granted: list applications.argoproj.io');
    expect(answer.text).toContain('without it gitops may be unknown');
  });
});

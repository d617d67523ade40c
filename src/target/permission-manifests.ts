import { resources } from '../ports/cluster.ts';
import type { Permission } from './permissions.ts';

/** Who gets the rights. */
export type Subject =
  | { readonly kind: 'ServiceAccount'; readonly name: string; readonly namespace: string }
  | { readonly kind: 'User'; readonly name: string };

/** A service account's name as the API server tells it, or any other user's. */
export function subjectOf(username: string): Subject {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username) ?? [];
  return namespace === undefined || name === undefined
    ? { kind: 'User', name: username }
    : { kind: 'ServiceAccount', name, namespace };
}

/** Whether a Role of the namespace grants it; else only a ClusterRole can. */
export function isGrantedInNamespace({ resource, everywhere }: Permission): boolean {
  return (resources[resource].namespaced && everywhere !== true) || resource === 'namespaces';
}

/**
 * Lines of YAML that grant the permissions: a Role, a ClusterRole for what lies in no namespace, and what binds them.
 * @param name of the Role and its binding; the ClusterRole is NAME-cluster
 */
export function manifests(
  permissions: readonly Permission[],
  name: string,
  namespace: string,
  subject: Subject,
): string[] {
  const own = permissions.filter(isGrantedInNamespace);
  const cluster = permissions.filter((permission) => !isGrantedInNamespace(permission));
  const objects = [
    ...(own.length === 0
      ? []
      : [role('Role', `{ name: ${name}, namespace: ${namespace} }`, own), binding('Role', name, subject, namespace)]),
    ...(cluster.length === 0
      ? []
      : [
          role('ClusterRole', `{ name: ${name}-cluster }`, cluster),
          binding('ClusterRole', `${name}-cluster`, subject),
        ]),
  ];
  return objects.flatMap((lines, index) => (index === 0 ? lines : ['---', ...lines]));
}

function role(kind: string, metadata: string, permissions: readonly Permission[]): string[] {
  return [
    'apiVersion: rbac.authorization.k8s.io/v1',
    `kind: ${kind}`,
    `metadata: ${metadata}`,
    'rules:',
    ...rules(permissions),
  ];
}

function rules(permissions: readonly Permission[]): string[] {
  const verbs = new Map<string, { group: string; verbs: string[] }>();
  for (const { verb, resource, subresource } of permissions) {
    const name = subresource === undefined ? resource : `${resource}/${subresource}`;
    const rule = verbs.get(name) ?? { group: resources[resource].group, verbs: [] };
    rule.verbs.push(verb);
    verbs.set(name, rule);
  }
  return [...verbs].map(
    ([resource, rule]) =>
      `  - { apiGroups: ['${rule.group}'], resources: ['${resource}'], verbs: [${rule.verbs.join(', ')}] }`,
  );
}

function binding(kind: 'Role' | 'ClusterRole', name: string, subject: Subject, namespace?: string): string[] {
  const where = namespace === undefined ? '' : `, namespace: ${namespace}`;
  const who =
    subject.kind === 'ServiceAccount'
      ? `kind: ServiceAccount, name: ${subject.name}, namespace: ${subject.namespace}`
      : `apiGroup: rbac.authorization.k8s.io, kind: User, name: ${JSON.stringify(subject.name)}`;
  return [
    'apiVersion: rbac.authorization.k8s.io/v1',
    `kind: ${kind}Binding`,
    `metadata: { name: ${name}${where} }`,
    `roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ${kind}, name: ${name} }`,
    `subjects: [{ ${who} }]`,
  ];
}

import { resources } from '../ports/cluster.ts';
import { permissions, type Mode, type Permission } from './permissions.ts';

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

/** An object of YAML, in lines. */
type Lines = readonly string[];

interface GrantingRole {
  readonly kind: 'Role' | 'ClusterRole';
  readonly name: string;
  readonly permissions: readonly Permission[];
}

/** A Role for what lies in the namespace, a ClusterRole for the rest. Its name has the namespace: two servers may be in one cluster. */
function rolesOf(granted: readonly Permission[], name: string, namespace: string): GrantingRole[] {
  const roles: GrantingRole[] = [
    { kind: 'Role', name, permissions: granted.filter(isGrantedInNamespace) },
    { kind: 'ClusterRole', name: `${namespace}-${name}`, permissions: granted.filter((p) => !isGrantedInNamespace(p)) },
  ];
  return roles.filter((role) => role.permissions.length > 0);
}

/**
 * Lines of YAML that grant the permissions: a Role, a ClusterRole for what lies in no namespace, and what binds them.
 * @param name of the Role and its binding; the ClusterRole is NAMESPACE-NAME
 */
export function manifests(granted: readonly Permission[], name: string, namespace: string, subject: Subject): string[] {
  const roles = rolesOf(granted, name, namespace);
  return documents(
    roles.flatMap((role) => [manifestOf(role, namespace), bindingOf(role, role.name, namespace, subject)]),
  );
}

/**
 * All that a mode's user is given, as docs/permissions.md has it: a service account `postgresql-MODE` with roles of that name. An upgrade's
 * have only what it needs on top of a precheck's, which its user gets too.
 */
export function modeManifests(mode: Mode, namespace: string): string[] {
  const name = (of: Mode) => `postgresql-${of}`;
  const subject = { kind: 'ServiceAccount', name: name(mode), namespace } as const;
  const own = permissions.filter((permission) => permission.mode === mode);
  const below = mode === 'precheck' ? [] : permissions.filter((permission) => permission.mode === 'precheck');
  return documents([
    ['apiVersion: v1', 'kind: ServiceAccount', `metadata: { name: ${subject.name}, namespace: ${namespace} }`],
    manifests(own, subject.name, namespace, subject),
    ...rolesOf(below, name('precheck'), namespace).map((role) =>
      bindingOf(role, role.name.replace(name('precheck'), `${subject.name}-reads`), namespace, subject),
    ),
  ]);
}

function documents(objects: readonly Lines[]): string[] {
  return objects.flatMap((lines, index) => (index === 0 ? lines : ['---', ...lines]));
}

function manifestOf(role: GrantingRole, namespace: string): Lines {
  return [
    'apiVersion: rbac.authorization.k8s.io/v1',
    `kind: ${role.kind}`,
    `metadata: { name: ${role.name}${placeOf(role, namespace)} }`,
    'rules:',
    ...rules(role.permissions),
  ];
}

function rules(granted: readonly Permission[]): string[] {
  const verbs = new Map<string, { group: string; verbs: string[] }>();
  for (const { verb, resource, subresource } of granted) {
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

function bindingOf(role: GrantingRole, name: string, namespace: string, subject: Subject): Lines {
  const who =
    subject.kind === 'ServiceAccount'
      ? `kind: ServiceAccount, name: ${subject.name}, namespace: ${subject.namespace}`
      : `apiGroup: rbac.authorization.k8s.io, kind: User, name: ${JSON.stringify(subject.name)}`;
  return [
    'apiVersion: rbac.authorization.k8s.io/v1',
    `kind: ${role.kind}Binding`,
    `metadata: { name: ${name}${placeOf(role, namespace)} }`,
    `roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ${role.kind}, name: ${role.name} }`,
    `subjects: [{ ${who} }]`,
  ];
}

function placeOf({ kind }: GrantingRole, namespace: string): string {
  return kind === 'Role' ? `, namespace: ${namespace}` : '';
}

import { resources } from '../ports/cluster.ts';
import { accountName, permissions, permissionsFor, type Mode, type Permission } from './permissions.ts';
import type { ServerNames } from '../target/server-names.ts';

/** Who gets the rights. */
export type Subject =
  | { readonly kind: 'ServiceAccount'; readonly name: string; readonly namespace: string }
  | { readonly kind: 'User'; readonly name: string };

/** The subject of a user name: a service account, or any other user. */
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
  readonly rules: Lines;
}

/** A Role for what lies in the namespace, a ClusterRole for the rest. Its name has the namespace: two servers may be in one cluster. */
function rolesOf(granted: readonly Permission[], name: string, names: ServerNames): GrantingRole[] {
  const inNamespace = granted.filter(isGrantedInNamespace);
  const elsewhere = granted.filter((permission) => !isGrantedInNamespace(permission));
  const roles: GrantingRole[] = [
    { kind: 'Role', name, rules: rules(inNamespace, names) },
    { kind: 'ClusterRole', name: `${names.namespace}-${name}`, rules: rules(elsewhere, names) },
  ];
  return roles.filter((role) => role.rules.length > 0);
}

/**
 * Lines of YAML that grant the permissions: a Role, a ClusterRole for what lies in no namespace, and what binds them.
 * @param name of the Role and its binding; the ClusterRole is NAMESPACE-NAME
 */
export function manifests(
  granted: readonly Permission[],
  name: string,
  names: ServerNames,
  subject: Subject,
): string[] {
  return documents(manifestsOf(granted, name, names, subject));
}

function manifestsOf(granted: readonly Permission[], name: string, names: ServerNames, subject: Subject): Lines[] {
  const { namespace } = names;
  return rolesOf(granted, name, names).flatMap((role) => [
    manifestOf(role, namespace),
    bindingOf(role, role.name, namespace, subject),
  ]);
}

/** What a precheck can't do without, and what it can: its roles and their names. */
const parts = [
  ['postgresql-precheck', permissionsFor('precheck').filter(({ informs }) => informs === undefined)],
  ['postgresql-precheck-optional', permissionsFor('precheck').filter(({ informs }) => informs !== undefined)],
] as const;

/**
 * All that a mode's user is given, as docs/permissions.md has it: a service account `postgresql-MODE` with roles of that name, a precheck's
 * optional rights in roles of their own. An upgrade's have only what it needs on top of a precheck's, which its user gets too.
 */
export function modeManifests(mode: Mode, names: ServerNames): string[] {
  const { namespace } = names;
  const subject = { kind: 'ServiceAccount', name: accountName(mode), namespace } as const;
  const account: Lines = [
    'apiVersion: v1',
    'kind: ServiceAccount',
    `metadata: { name: ${scalar(subject.name)}, namespace: ${scalar(namespace)} }`,
  ];
  if (mode === 'precheck')
    return documents([account, ...parts.flatMap(([name, granted]) => manifestsOf(granted, name, names, subject))]);
  const own = permissions.filter((permission) => permission.mode === mode);
  return documents([
    account,
    ...manifestsOf(own, subject.name, names, subject),
    ...parts.flatMap(([name, granted]) =>
      rolesOf(granted, name, names).map((role) =>
        bindingOf(role, role.name.replace(name, `upgrade-of-${name}`), namespace, subject),
      ),
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
    `metadata: { name: ${scalar(role.name)}${placeOf(role, namespace)} }`,
    'rules:',
    ...role.rules,
  ];
}

interface Rule {
  readonly group: string;
  readonly resource: string;
  readonly names: readonly string[] | undefined;
  readonly verbs: string[];
}

/** A right for no name is left out: to Kubernetes an empty list of names means all. */
function rules(granted: readonly Permission[], server: ServerNames): string[] {
  const found = new Map<string, Rule>();
  for (const { verb, resource, subresource, names } of granted) {
    const whole = subresource === undefined ? resource : `${resource}/${subresource}`;
    const byName = names?.(server);
    if (byName?.length === 0) continue;
    const key = JSON.stringify([whole, byName]);
    const rule = found.get(key) ?? { group: resources[resource].group, resource: whole, names: byName, verbs: [] };
    rule.verbs.push(verb);
    found.set(key, rule);
  }
  return [...found.values()].map(
    ({ group, resource, names, verbs }) =>
      `  - { apiGroups: ['${group}'], resources: ['${resource}'], ${names === undefined ? '' : `resourceNames: [${names.map((name) => `'${name.replaceAll("'", "''")}'`).join(', ')}], `}verbs: [${verbs.join(', ')}] }`,
  );
}

function bindingOf(role: GrantingRole, name: string, namespace: string, subject: Subject): Lines {
  const who =
    subject.kind === 'ServiceAccount'
      ? `kind: ServiceAccount, name: ${scalar(subject.name)}, namespace: ${scalar(subject.namespace)}`
      : `apiGroup: rbac.authorization.k8s.io, kind: User, name: ${JSON.stringify(subject.name)}`;
  return [
    'apiVersion: rbac.authorization.k8s.io/v1',
    `kind: ${role.kind}Binding`,
    `metadata: { name: ${scalar(name)}${placeOf(role, namespace)} }`,
    `roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ${role.kind}, name: ${scalar(role.name)} }`,
    `subjects: [{ ${who} }]`,
  ];
}

function placeOf({ kind }: GrantingRole, namespace: string): string {
  return kind === 'Role' ? `, namespace: ${scalar(namespace)}` : '';
}

/** A text in YAML's flow style: a name with a letter at its beginning is one as it stands, all else is quoted, since YAML 1.2 has JSON in it. */
function scalar(text: string): string {
  return /^(?!(?:true|false|null|yes|no|on|off|y|n)$)[a-z][a-z0-9.-]*$/i.test(text) ? text : JSON.stringify(text);
}

import { resources } from '../ports/cluster.ts';
import { accountName, needed, permissionsFor, type Mode, type Permission } from './permissions.ts';
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
 * Lines of YAML that grant a user what it lacks for its mode: each role of docs/permissions.md that has a missing right, as a whole, since applying a role replaces
 * it. The binding of a user that is not the account of that page has a name of its own: applied under the page's name, it would unbind that account.
 * @param missing that the mode needs
 */
export function grantingManifests(
  mode: Mode,
  missing: readonly Permission[],
  names: ServerNames,
  subject: Subject,
): string[] {
  const { namespace } = names;
  const isAccount =
    subject.kind === 'ServiceAccount' && subject.name === accountName(mode) && subject.namespace === namespace;
  const user = subject.kind === 'ServiceAccount' ? `${subject.namespace}:${subject.name}` : subject.name;
  const parts: readonly Mode[] = mode === 'precheck' ? ['precheck'] : ['precheck', mode];
  const objects = parts.flatMap((part) => {
    const name = accountName(part);
    const lacks = missing.filter((permission) => permission.mode === part);
    const whole = part === 'precheck' ? neededByPrechecks : onlyOf(part);
    const ofAccount = (role: GrantingRole) =>
      part === mode ? role.name : role.name.replace(name, `${mode}-of-${name}`);
    return rolesOf(whole, name, names)
      .filter(({ kind }) => lacks.some((permission) => isGrantedInNamespace(permission) === (kind === 'Role')))
      .flatMap((role) => [
        manifestOf(role, namespace),
        // No name of an object may have these.
        bindingOf(
          role,
          isAccount ? ofAccount(role) : `${role.name}:${user.replaceAll(/[/%]/g, '-')}`,
          namespace,
          subject,
        ),
      ]);
  });
  return documents(objects);
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

const neededByPrechecks = needed(permissionsFor('precheck'));

/** What a mode needs on top of a precheck. */
function onlyOf(mode: Mode): readonly Permission[] {
  return permissionsFor(mode).filter((permission) => permission.mode === mode);
}

/** What a precheck can't do without, and what it can: its roles and their names. */
const partsOfPrechecks = [
  ['postgresql-precheck', neededByPrechecks],
  ['postgresql-precheck-optional', permissionsFor('precheck').filter(({ informs }) => informs !== undefined)],
] as const;

/**
 * All that a mode's user is given, as docs/permissions.md has it: a service account `postgresql-MODE` with roles of that name, a precheck's
 * optional rights in roles of their own. Those of an upgrade and of a cleanup have only what it needs on top of a precheck's, which its user gets too. A cleanup does without the
 * optional ones.
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
    return documents([
      account,
      ...partsOfPrechecks.flatMap(([name, granted]) => manifestsOf(granted, name, names, subject)),
    ]);
  return documents([
    account,
    ...manifestsOf(onlyOf(mode), subject.name, names, subject),
    ...(mode === 'cleanup' ? partsOfPrechecks.slice(0, 1) : partsOfPrechecks).flatMap(([name, granted]) =>
      rolesOf(granted, name, names).map((role) =>
        bindingOf(role, role.name.replace(name, `${mode}-of-${name}`), namespace, subject),
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
    if (!rule.verbs.includes(verb)) rule.verbs.push(verb);
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

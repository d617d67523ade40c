import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { V1ClusterRoleBinding, V1PolicyRule, V1Role, V1RoleBinding } from '@kubernetes/client-node';
import { loadAll } from 'js-yaml';
import { manifests, modeManifests } from '../../../src/permissions/permission-manifests.ts';
import { permissionName, permissions, permissionsFor, type Mode } from '../../../src/permissions/permissions.ts';
import { exampleNames } from '../../../src/target/server-names.ts';
import { grantVolume } from '../../../src/target/volume-right.ts';

const { namespace } = exampleNames;

type Granting = V1Role & { kind: 'Role' | 'ClusterRole' };
type Binding = (V1RoleBinding | V1ClusterRoleBinding) & { kind: 'RoleBinding' | 'ClusterRoleBinding' };

function objectsOf(mode: Mode): { kind: string }[] {
  return loadAll(modeManifests(mode, exampleNames).join('\n')) as { kind: string }[];
}

const roles = (mode: Mode) => objectsOf(mode).filter((one): one is Granting => /^(Cluster)?Role$/.test(one.kind));
const bindings = (mode: Mode) => objectsOf(mode).filter((one): one is Binding => one.kind.endsWith('Binding'));

/** `patch persistentvolumes`, as the table names it. */
function named({ verbs, resources = [], apiGroups = [] }: V1PolicyRule): string[] {
  const [resource = '', subresource] = (resources[0] ?? '').split('/');
  const group = apiGroups[0] === '' ? '' : `.${apiGroups[0] ?? ''}`;
  return verbs.map((verb) => `${verb} ${resource}${group}${subresource === undefined ? '' : `/${subresource}`}`);
}

const grantedBy = (granting: readonly Granting[]) =>
  granting.flatMap(({ rules }) => (rules ?? []).flatMap(named)).sort();

describe('the manifests of a mode', () => {
  test("are a precheck's alone, and an upgrade's on top of them: together the whole table", () => {
    const [precheck, upgrade] = [grantedBy(roles('precheck')), grantedBy(roles('upgrade'))];
    expect(precheck).toEqual(permissionsFor('precheck').map(permissionName).sort());
    expect([...precheck, ...upgrade].sort()).toEqual(permissionsFor('upgrade').map(permissionName).sort());
  });

  test('of a cleanup are its own on top of what a precheck needs', () => {
    const own = permissionsFor('cleanup').filter(({ mode }) => mode === 'cleanup');
    expect(grantedBy(roles('cleanup'))).toEqual(own.map(permissionName).sort());
    const bound = bindings('cleanup').map(({ roleRef }) => roleRef.name);
    expect(bound).toEqual([
      'postgresql-cleanup',
      `${namespace}-postgresql-cleanup`,
      'postgresql-precheck',
      `${namespace}-postgresql-precheck`,
    ]);
  });

  test('have a line for each Role at the head of the page', () => {
    const page = readFileSync('docs/permissions.md', 'utf8').split('\n## ')[0] ?? '';
    const described = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name = '']) => name);
    const made = (['precheck', 'upgrade', 'cleanup'] as const).flatMap(roles).filter(({ kind }) => kind === 'Role');
    expect(described.sort()).toEqual([...new Set(made.map(({ metadata }) => metadata?.name ?? ''))].sort());
  });

  test('have a ClusterRole of one rule, which a restored volume is granted by again', () => {
    const role = roles('precheck').find(({ metadata }) => metadata?.name === `${namespace}-postgresql-precheck`);
    const command = grantVolume(namespace, exampleNames.volume);
    expect(command).toContain(`kubectl patch clusterrole ${role?.metadata?.name ?? ''} --type merge`);
    expect(JSON.parse(/ -p '(.*)'$/.exec(command)?.[1] ?? '')).toEqual({ rules: role?.rules });
  });

  test('grant by name what is needed of some objects only, and never an empty list, which would be all', () => {
    const rules = [...roles('precheck'), ...roles('upgrade')].flatMap((role) => role.rules ?? []);
    const granted = rules.flatMap((rule) => named(rule).map((name) => `${name} ${(rule.resourceNames ?? []).join()}`));
    const wanted = permissions.map((row) => `${permissionName(row)} ${(row.names?.(exampleNames) ?? []).join()}`);
    expect(granted.sort()).toEqual(wanted.sort());
    const alone = { ...exampleNames, applications: [], volume: '' };
    const lines = (['precheck', 'upgrade'] as const).flatMap((mode) => modeManifests(mode, alone));
    expect(lines.filter((line) => line.includes('resourceNames: []'))).toEqual([]);
    expect(lines.filter((line) => /'(deployments|cronjobs)'.*(patch|get)/.test(line))).toEqual([]);
    expect(lines.filter((line) => /'persistentvolumes'.*get/.test(line))).toHaveLength(1);
  });

  test('name each verb of a rule once, whichever modes need it', () => {
    const subject = { kind: 'User', name: 'jane' } as const;
    const objects = loadAll(manifests(permissions, 'all', exampleNames, subject).join('\n')) as Granting[];
    for (const { verbs } of objects.flatMap(({ rules }) => rules ?? [])) expect(verbs).toEqual([...new Set(verbs)]);
  });

  test('keep what a precheck can do without in roles of their own, pods that it makes among them', () => {
    const [needed, optional] = ['postgresql-precheck', 'postgresql-precheck-optional'].map((name) =>
      grantedBy(roles('precheck').filter(({ metadata }) => metadata?.name?.endsWith(name))),
    );
    expect(needed?.filter((one) => /^(create|patch|delete) /.test(one))).toEqual(['create pods/exec']);
    expect(optional).toEqual(expect.arrayContaining(['create pods', 'create jobs.batch', 'list secrets']));
  });

  test('let a precheck do nothing but read outside of the namespace', () => {
    const cluster = roles('precheck').filter(({ kind }) => kind === 'ClusterRole');
    expect(grantedBy(cluster).filter((one) => !/^(get|list) /.test(one))).toEqual([]);
    expect(grantedBy(cluster)).toContain('get persistentvolumes');
    expect(grantedBy(roles('upgrade').filter(({ kind }) => kind === 'ClusterRole'))).toContain(
      'patch persistentvolumes',
    );
  });

  test("bind an upgrade's user to the precheck's roles too, and nobody else to anything", () => {
    for (const mode of ['precheck', 'upgrade'] as const) {
      const user = { kind: 'ServiceAccount', name: `postgresql-${mode}`, namespace };
      for (const { subjects } of bindings(mode)) expect(subjects).toEqual([user]);
    }
    const bound = (mode: Mode) => bindings(mode).map(({ kind, roleRef }) => `${kind} ${roleRef.kind}/${roleRef.name}`);
    const ofPrecheck = ['postgresql-precheck', 'postgresql-precheck-optional'].flatMap((name) => [
      `RoleBinding Role/${name}`,
      `ClusterRoleBinding ClusterRole/${namespace}-${name}`,
    ]);
    expect(bound('precheck')).toEqual(ofPrecheck);
    expect(bound('upgrade')).toEqual([
      'RoleBinding Role/postgresql-upgrade',
      `ClusterRoleBinding ClusterRole/${namespace}-postgresql-upgrade`,
      ...ofPrecheck,
    ]);
  });

  test('name nothing twice: what lies in no namespace has the name of the namespace', () => {
    const all = [...objectsOf('precheck'), ...objectsOf('upgrade')] as {
      kind: string;
      metadata: { name: string; namespace?: string };
    }[];
    const names = all.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    for (const { metadata } of all.filter((one) => one.metadata.namespace === undefined))
      expect(metadata.name.startsWith(`${namespace}-`)).toBe(true);
  });
});

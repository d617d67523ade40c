import { describe, expect, test } from '@jest/globals';
import { modeManifests } from '../../../../src/permissions/permission-manifests.ts';
import { permissions } from '../../../../src/permissions/permissions.ts';
import { serverNames } from '../../../../src/target/server-names.ts';
import { inputs, target } from '../../objects.ts';
import { answerOf, known } from '../facts.ts';

describe('access', () => {
  test('says which cluster and which namespace it is', async () => {
    const { text } = await answerOf('cluster-access');
    expect(text).toContain('v1.34.0 at https://cluster.example:6443');
    expect(text).toContain('circleci-server');
  });

  test('to a Kubernetes without scheduling gates is refused before anything is touched', async () => {
    const access = { address: 'https://cluster.example:6443', version: 'v1.26.9', weaknesses: [] };
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
    expect(answer.commands).toContain("resources: ['statefulsets'], resourceNames: ['postgresql'], verbs: [");
  });

  test.each([
    ['system:serviceaccount:ci:upgrader', ':ci:upgrader', 'kind: ServiceAccount, name: upgrader, namespace: ci'],
    [
      'jane@example.com',
      ':jane@example.com',
      'apiGroup: rbac.authorization.k8s.io, kind: User, name: "jane@example.com"',
    ],
    ['o/p%q', ':o-p-q', 'apiGroup: rbac.authorization.k8s.io, kind: User, name: "o/p%q"'],
    [
      'system:serviceaccount:circleci-server:postgresql-upgrade',
      '',
      'kind: ServiceAccount, name: postgresql-upgrade, namespace: circleci-server',
    ],
  ])("grants it to %s by the documentation's roles, and unbinds nobody", async (username, ending, subject) => {
    const missing = permissions.filter(({ resource }) => resource === 'persistentvolumes' || resource === 'jobs');
    const { remedy, commands } = await answerOf('permissions', {
      missingPermissions: known(missing),
      user: known(username),
      inputs: inputs({ mode: 'upgrade' }),
    });
    expect(remedy?.text).toContain(`Grant ${username} every right that mode upgrade needs`);
    expect(remedy?.text).toContain('optional rights that are not granted are in the role postgresql-precheck-optional');
    const [begin, ...lines] = commands.split('\n').filter((line) => !line.startsWith('  - '));
    const apiVersion = 'apiVersion: rbac.authorization.k8s.io/v1';
    const granting = (kind: string, name: string, bindingName: string, place = '') => [
      ...[apiVersion, `kind: ${kind}`, `metadata: { name: ${name}${place} }`, 'rules:', '---'],
      ...[apiVersion, `kind: ${kind}Binding`, `metadata: { name: ${bindingName}${place} }`],
      `roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ${kind}, name: ${name} }`,
      `subjects: [{ ${subject} }]`,
    ];
    const named = (name: string) => (ending === '' ? name : JSON.stringify(`${name}${ending}`));
    const inside = ', namespace: circleci-server';
    const ofPrecheck = 'circleci-server-postgresql-precheck';
    const asUpgrade = ending === '' ? 'circleci-server-upgrade-of-postgresql-precheck' : named(ofPrecheck);
    expect(begin).toBe("kubectl apply -f - <<'EOF'");
    expect(lines).toEqual([
      ...[...granting('ClusterRole', ofPrecheck, asUpgrade), '---'],
      ...[...granting('Role', 'postgresql-upgrade', named('postgresql-upgrade'), inside), '---'],
      ...granting('ClusterRole', 'circleci-server-postgresql-upgrade', named('circleci-server-postgresql-upgrade')),
      'EOF',
    ]);
  });

  test.each([
    ['precheck', 'get secrets', 'list deployments'],
    ['upgrade', 'patch deployments', 'list events'],
  ] as const)('prints whole roles in mode %s, so that a second one takes nothing away', async (mode, first, second) => {
    const commandsFor = async (name: string) => {
      const missing = permissions.filter(({ resource, verb }) => `${verb} ${resource}` === name);
      const facts = { missingPermissions: known(missing), user: known('jane'), inputs: inputs({ mode }) };
      return (await answerOf('permissions', facts)).commands.split('\n');
    };
    const [one, other] = [await commandsFor(first), await commandsFor(second)];
    expect(other).toEqual(one);
    const documented = modeManifests(mode, serverNames(await target()));
    const [from, to] = [documented.indexOf('kind: Role') - 1, documented.indexOf('kind: RoleBinding') - 1];
    expect(one.slice(1, 1 + to - from)).toEqual(documented.slice(from, to));
    expect(one.filter((line) => line.startsWith('kind: '))).toEqual(['kind: Role', 'kind: RoleBinding']);
  });

  const ofUpgrades = permissions.filter(({ mode }) => mode === 'upgrade');
  const looker = known('system:serviceaccount:ci:looker');

  test.each([
    ['a precheck', { mode: 'precheck' }],
    ['a dry run of an upgrade', { mode: 'upgrade', 'dry-run': 'true' }],
  ] as const)(
    'that has none of the rights by which an upgrade changes something passes in %s',
    async (_what, given) => {
      const facts = { missingPermissions: known(ofUpgrades), user: looker, inputs: inputs(given) };
      const answer = await answerOf('permissions', facts);
      expect(answer).toMatchObject({
        status: 'passed',
        evidence: [expect.stringMatching(/^this account can only check/)],
      });
      // A line about a check that passed has so much room.
      expect(answer.text.length).toBeLessThanOrEqual(200);
      const optional = permissions.filter(({ verb, resource }) => verb === 'list' && resource === 'nodes');
      const [, ...more] = (
        await answerOf('permissions', { ...facts, missingPermissions: known([...optional, ...ofUpgrades]) })
      ).evidence;
      expect(more).toEqual([expect.stringContaining('not granted: list nodes')]);
    },
  );

  test.each([
    ['warning', 'in a precheck', { mode: 'precheck' }],
    ['failed', 'in a dry run of an upgrade, as in the upgrade', { mode: 'upgrade', 'dry-run': 'true' }],
  ] as const)('that has some of them but not all is %s %s', async (status, _where, given) => {
    const some = ofUpgrades.filter(({ resource }) => resource !== 'leases');
    const facts = { missingPermissions: known(some), user: looker, inputs: inputs(given) };
    const answer = await answerOf('permissions', facts);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain('missing: patch statefulsets.apps');
  });

  test('of the account that the documentation has for an upgrade are granted to it, whatever it lacks', async () => {
    const username = 'system:serviceaccount:circleci-server:postgresql-upgrade';
    const facts = { missingPermissions: known(ofUpgrades), user: known(username) };
    for (const given of [{ mode: 'precheck' }, { mode: 'upgrade', 'dry-run': 'true' }] as const) {
      const { status, remedy } = await answerOf('permissions', { ...facts, inputs: inputs(given) });
      expect(status).toBe(given.mode === 'precheck' ? 'warning' : 'failed');
      expect(remedy?.text).toContain(`Grant ${username} every right that mode upgrade needs`);
    }
  });

  test("gives an upgrade's rights to an account of its own, not to one that can only check", async () => {
    const facts = { missingPermissions: known(ofUpgrades), user: looker, inputs: inputs({ mode: 'upgrade' }) };
    const { status, text, remedy, commands } = await answerOf('permissions', facts);
    expect(status).toBe('failed');
    expect(text).toMatch(/^this account can only check: .*\nmissing: create configmaps/);
    expect(remedy?.text).toContain('Give the account of this run (system:serviceaccount:ci:looker) no more rights');
    expect(commands).not.toContain('name: looker');
    expect(commands.split('\n').slice(1, -1)).toEqual(modeManifests('upgrade', serverNames(await target())));
  });

  test.each([
    ['a precheck', { mode: 'precheck' }],
    ['a dry run of an upgrade', { mode: 'upgrade', 'dry-run': 'true' }],
  ] as const)('of %s with an account that can only check are those of a precheck', async (_what, given) => {
    const missing = permissions.filter(({ mode, resource }) => mode === 'upgrade' || resource === 'secrets');
    const facts = { missingPermissions: known(missing), user: looker, inputs: inputs(given) };
    const { status, text, remedy, commands } = await answerOf('permissions', facts);
    expect(status).toBe('failed');
    expect(text).not.toContain('patch');
    expect(remedy?.text).toContain('Grant system:serviceaccount:ci:looker every right that mode precheck needs');
    expect(commands).not.toContain('patch');
  });

  test("grants a precheck's account nothing of an upgrade's", async () => {
    const { remedy, commands } = await answerOf('permissions', {
      missingPermissions: known(permissions),
      user: known('jane'),
      inputs: inputs({ mode: 'precheck' }),
    });
    expect(remedy?.text).toContain('Grant jane every right that mode precheck needs');
    expect(commands).not.toContain('patch');
  });

  test('of an unknown user gets a placeholder, which is explained', async () => {
    const missing = permissions.filter(({ resource }) => resource === 'events');
    const user = { known: false, reason: 'not served', code: 'not-served' } as const;
    const { remedy, commands } = await answerOf('permissions', {
      missingPermissions: known(missing),
      user,
      inputs: inputs({ mode: 'upgrade' }),
    });
    expect(commands).toContain('name: "USER"');
    expect(remedy?.text).toContain('in place of USER');
  });

  test('that only informs is named, and refuses nothing', async () => {
    const missing = permissions.filter(({ informs }) => informs !== undefined);
    const answer = await answerOf('permissions', { missingPermissions: known(missing) });
    expect(answer.status).toBe('passed');
    expect(answer.text).toContain('not granted: list applications.argoproj.io');
    expect(answer.text).toContain('without it gitops may be unknown');
    expect(answer.text).toContain('not granted: delete pods');
    expect(answer.text).toContain('without it ended probes stay');
  });

  test('that is granted for some of its names is missing for the others, which are named', async () => {
    const [patch] = permissions.filter(({ verb, resource }) => verb === 'patch' && resource === 'deployments');
    if (patch === undefined) throw new Error('no such row');
    const answer = await answerOf('permissions', {
      missingPermissions: known([{ ...patch, lacks: ['api', 'frontend'] }]),
      inputs: inputs({ mode: 'upgrade' }),
    });
    expect(answer.text).toContain('missing: patch deployments.apps api, frontend (');
  });
});

import { describe, expect, test } from '@jest/globals';
import type { Finding } from '../../../src/findings/finding.ts';
import { outlook } from '../../../src/modes/dry-run.ts';
import { permissions, type MissingPermission } from '../../../src/permissions/permissions.ts';
import { inputs } from '../objects.ts';
import { facts, known } from '../prechecks/facts.ts';

const user = 'system:serviceaccount:circleci-server:postgresql-upgrade';

async function outlookOf(
  missing: readonly MissingPermission[],
  { isBlocked, ...finding }: Partial<Finding> & { isBlocked: boolean },
  username = user,
): Promise<string> {
  const blocking: Finding = { check: 'permissions', title: '', status: 'passed', evidence: [], docs: '', ...finding };
  const all = await facts({
    ...{ missingPermissions: known([...missing]), user: known(username) },
    inputs: inputs({ mode: 'upgrade', 'dry-run': 'true' }),
  });
  return outlook(all, [blocking], isBlocked);
}

describe('a dry run says that an upgrade', () => {
  const ofDeployments = permissions
    .filter(({ mode, resource }) => mode === 'upgrade' && resource === 'deployments')
    .map((row) => ({ ...row, lacks: ['bi-dashboard'] }));
  const ofUpgrades = permissions.filter(({ mode }) => mode === 'upgrade');
  const [failed, passed] = [{ status: 'failed', isBlocked: true } as const, { isBlocked: false }];

  test('would start where nothing is missing', async () => {
    expect(await outlookOf([], passed)).toBe('An upgrade would start');
    expect(await outlookOf([], { ...failed, check: 'images' })).toBe('Checks block the upgrade');
  });

  test('would be refused where the account of the upgrade lacks rights', async () => {
    expect(ofDeployments).toHaveLength(2);
    const text = (rights: string) => `An upgrade as ${user} would be refused: it lacks ${rights} (check permissions)`;
    expect(await outlookOf(ofDeployments, failed)).toBe(text('2 rights'));
    expect(await outlookOf(ofDeployments.slice(1), failed)).toBe(text('a right'));
    expect(await outlookOf(ofDeployments, failed, '')).toMatch(/^An upgrade as the kubeconfig's user would be refused/);
    // Where somebody has taken that upon themselves, no check refuses it.
    const ignored = { status: 'failed', ignored: 'granted just before', isBlocked: false } as const;
    expect(await outlookOf(ofDeployments, ignored)).toBe('An upgrade would start');
  });

  test('needs another account where this one can only check', async () => {
    const checker = 'system:serviceaccount:circleci-server:postgresql-precheck';
    expect(await outlookOf(ofUpgrades, passed, checker)).toBe(
      `An upgrade would start, with an account that has the rights of an upgrade; this one (${checker}) can only check`,
    );
    expect(await outlookOf(ofUpgrades, { ...failed, check: 'images' }, checker)).toBe('Checks block the upgrade');
  });
});

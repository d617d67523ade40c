import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../src/facts/facts.ts';
import { closedDatabase } from '../../../src/findings/closed-databases.ts';
import type { Finding } from '../../../src/findings/finding.ts';
import { hazards } from '../../../src/hazards/table.ts';
import type { Answers } from '../../../src/hazards/hazard.ts';
import { permissions } from '../../../src/permissions/permissions.ts';
import { judge } from '../../../src/prechecks/judge.ts';
import { FakeLog } from '../fake-runner.ts';
import { inputs } from '../objects.ts';
import { databaseFacts, facts, known, unread } from './facts.ts';

const nothing = known({ total: 0, rows: [] });
const answers = (more: Answers = {}): Answers => ({
  ...Object.fromEntries(hazards.map(({ id }) => [id, nothing])),
  ...more,
});

async function judged(more: Partial<Facts>): Promise<Finding[]> {
  return judge(await facts(more), {}, 'docs/checks.md', new FakeLog()).findings;
}

const causes = (findings: readonly Finding[]) =>
  Object.fromEntries(findings.flatMap(({ check, cause }) => (cause === undefined ? [] : [[check, cause]])));

describe('one cause', () => {
  test('is the reason that several checks have in common', async () => {
    const reason = 'psql in pod postgresql-0, database "circle": FATAL:  no pg_hba.conf entry';
    const circle = unread(reason, 'psql-failed');
    const findings = await judged({
      hazards: known({ server: known(answers()), databases: { circle, postgres: known(answers()) } }),
      ...{ extensions: circle, libraries: circle, sortOrders: circle },
    });
    const unknown = findings.filter(({ status }) => status === 'unknown');
    expect(unknown.length).toBeGreaterThan(30);
    expect(causes(findings)).toEqual(Object.fromEntries(unknown.map(({ check }) => [check, { reason }])));
  });

  test('is the check that has found it: a superuser without its attribute', async () => {
    const row = { object: 'role postgres', detail: 'is no superuser', remedy: 'ALTER ROLE postgres SUPERUSER;' };
    const denied = (what: string) => unread(`ERROR:  permission denied for ${what}`, 'query-failed');
    const others = hazards.filter(({ id, server }) => server !== undefined && id !== 'bootstrap-superuser');
    const server = answers({
      ...Object.fromEntries(others.map(({ id }) => [id, denied(`function ${id}`)])),
      'bootstrap-superuser': known({ total: 1, rows: [row] }),
    });
    const findings = await judged({
      hazards: known({ server: known(server), databases: { circle: known(answers()) } }),
      md5Roles: unread('psql in pod postgresql-0: ERROR:  permission denied for table pg_authid', 'psql-failed'),
    });
    const waiting = findings.filter(({ status }) => status === 'unknown').map(({ check }) => check);
    expect(waiting).toEqual([...others.map(({ id }) => id), 'serving-logins']);
    for (const check of waiting) expect(causes(findings)[check]?.check).toBe('bootstrap-superuser');
  });

  test('is the check that finds a database which lets nobody in', async () => {
    const row = { object: 'database old', detail: 'accepts no connections', remedy: '' };
    const server = answers({ 'database-connections': known({ total: 1, rows: [row] }) });
    const findings = await judged({
      databases: known([databaseFacts('circle'), databaseFacts('old', { allowsConnections: false })]),
      hazards: known({
        server: known(server),
        databases: { circle: known(answers()), old: closedDatabase },
      }),
    });
    const found = causes(findings);
    expect(Object.keys(found)).toEqual(expect.arrayContaining(['extensions', 'libraries', 'sort-order']));
    expect(new Set(Object.values(found).map(({ check }) => check))).toEqual(new Set(['database-connections']));
  });

  test('is the check of the permissions where one that is missing kept another check from reading', async () => {
    const forbidden = (verb: string, resource: string) =>
      unread(`${resource} is forbidden: User "ci" cannot ${verb} resource "${resource}" in API group ""`);
    const missing = permissions.filter(({ verb, resource }) => verb === 'list' && resource === 'jobs');
    const findings = await judged({
      missingPermissions: known(missing),
      leftoverObjects: forbidden('list', 'jobs'),
      // An admission webhook, and nothing that the permissions tell.
      refused: unread('pods "x" is forbidden: exceeded quota: compute'),
    });
    expect(causes(findings)).toEqual({
      leftovers: { reason: 'first do what the check permissions says', check: 'permissions' },
    });
  });

  test('is what pods wait for, whichever pod it is', async () => {
    const event = 'Unschedulable: 0/3 nodes are available';
    const timedOut = (image: string) =>
      unread(`Timed out after 600 s waiting for the probe of image ${image}: ${event}`);
    const findings = await judged({
      ...{ upgradeProbe: timedOut('a:12-14'), servingProbe: timedOut('b:14.22'), restoreTest: timedOut('a:12-14') },
      trial: unread(`Timed out after 600 s waiting for PostgreSQL of b:14.22 to start on an empty volume: ${event}`),
    });
    const unknown = findings.filter(({ status }) => status === 'unknown').map(({ check }) => check);
    expect(unknown).toEqual(expect.arrayContaining(['images', 'restore-test', 'serving-start', 'libraries']));
    for (const check of unknown) expect(causes(findings)[check]).toEqual({ reason: event });
  });

  test('is none where a check waits alone, passed, or is ignored', async () => {
    const ignoreChecks = 'extensions: we know';
    const reason = 'forbidden by a proxy';
    expect(causes(await judged({ leftoverObjects: unread(reason) }))).toEqual({});
    const given = { 'ignore-checks': ignoreChecks };
    expect(
      causes(await judged({ inputs: inputs(given), extensions: unread(reason), libraries: unread(reason) })),
    ).toEqual({});
  });

  test('of a check that waits for several is all of them', async () => {
    const databases = { a: unread('psql: a is closed', 'psql-failed'), b: unread('psql: b is closed', 'psql-failed') };
    const findings = await judged({ hazards: known({ server: known(answers()), databases }) });
    const reasons = new Set(Object.values(causes(findings)).map(({ reason }) => reason));
    expect(reasons).toEqual(new Set(['psql: a is closed; psql: b is closed']));
  });
});

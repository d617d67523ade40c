import { describe, expect, test } from '@jest/globals';
import { type RestoreResult, type RestoreFailure, restoreTestLabels } from '../../../../src/probes/restore-test.ts';
import type { Answers } from '../../../../src/hazards/hazard.ts';
import { otherRemedy } from '../../../../src/prechecks/checks/restore-test-remedies.ts';
import type { NetworkPolicy } from '../../../../src/ports/cluster.ts';
import { target } from '../../objects.ts';
import { answerOf, databaseFacts, databases, known, restoreTest, restoreResult, unread } from '../facts.ts';

function failure(message: string, more: Partial<RestoreFailure> = {}): RestoreFailure {
  return { object: 'VIEW v', message: `ERROR:  ${message}`, details: [], statement: 'CREATE VIEW "v" AS', ...more };
}

async function answer(...places: RestoreResult[]) {
  return await answerOf('restore-test', { restoreTest: known({ ...restoreTest, places }) });
}

describe('a restore test', () => {
  test('that went through passes, without a word of how long it took', async () => {
    const { status, text } = await answerOf('restore-test');
    expect(status).toBe('passed');
    expect(text).toBe('restored without an error: roles and settings, circle, postgres, template1');
  });

  test('reports every failure with database, object, message and statement', async () => {
    const failures = [
      failure('syntax error at or near ")"'),
      failure('x', { object: undefined, details: ['DETAIL:  y'] }),
    ];
    const { status, text } = await answer(restoreResult('circle', { failures, more: 3 }), restoreResult('other'));
    expect(status).toBe('failed');
    expect(text.split('\n')).toEqual([
      'circle: VIEW v: ERROR:  syntax error at or near ")": CREATE VIEW "v" AS',
      'circle: ERROR:  x DETAIL:  y: CREATE VIEW "v" AS',
      'circle: 3 more errors',
    ]);
  });

  test.each([
    ['unrecognized configuration parameter "operator_precedence_warning"', /RESET/],
    ['collation "pg_catalog.de_DE.utf8" for encoding "UTF8" does not exist', /image that have|image and a serving/],
    ['could not open synonym file "/x/company.syn": No such file or directory', /have the file/],
    ['could not access file "$libdir/company": No such file or directory', /library of the extension/],
    ['security label provider "anon" is not loaded', /security labels/],
    ['role "16384" does not exist', /was dropped/],
    ['role "pg_monitoring" does not exist', /Rename the role/],
    ['type "mymultirange" already exists', /Rename the object/],
    ['function inner_f(integer) does not exist', /schema of each name/],
    ['syntax error at or near ")"', /both PostgreSQL 12 and PostgreSQL 14/],
    ['something nobody has seen', new RegExp(otherRemedy)],
  ])('%s: has a remedy', async (message, remedy) => {
    expect((await answer(restoreResult('circle', { failures: [failure(message)] }))).remedy?.text).toMatch(remedy);
  });

  test.each([
    'pg_dump: error: query failed: ERROR:  cache lookup failed for function 16400',
    'pg_dump: error: connection to server at "10.1.2.3", port 5432 failed: FATAL:  cannot connect to invalid database "half"',
  ])('whose dump says %s fails: pg_upgrade makes the same dump', async (line) => {
    const found = await answer(restoreResult('circle', { dump: [line, 'pg_dump ended with 1'], seconds: undefined }));
    expect(found.status).toBe('failed');
    expect(found.text).toBe(`circle: ${line} pg_dump ended with 1`);
    expect(found.remedy?.text).toMatch(/makes the same dump/);
  });

  test.each([
    'pg_dump: error: query failed: ERROR:  canceling statement due to statement timeout',
    'pg_dump: error: query failed: ERROR:  out of shared memory',
    'pg_dump: error: connection to server at "10.1.2.3", port 5432 failed: FATAL:  sorry, too many clients already',
    'pg_dump: error: could not open output file "/dumps/1.dump": Permission denied',
    'pg_dump ended with 124',
    'pg_dump ended with 127',
  ])('whose dump says %s is unknown: the object has no part in it', async (line) => {
    const found = await answer(restoreResult('circle', { dump: [line], seconds: undefined }), restoreResult('other'));
    expect(found.status).toBe('unknown');
    expect(found.text).toBe(`circle: ${line}\nrestored without an error: other`);
    expect(found.remedy?.text).toMatch(/^The dump itself failed.* Run the checks again\./);
  });

  test('without the roles is unknown: it names what their dump said, finds no fault in a schema, and says to run again', async () => {
    const said =
      'pg_dumpall: error: connection to server at "10.1.2.3", port 5432 failed: timeout expired pg_dumpall ended with 1';
    const others = ['circle', 'postgres'].map((name) => restoreResult(name, { seconds: undefined }));
    const found = await answer(restoreResult(undefined, { dump: [said], seconds: undefined }), ...others);
    expect([found.status, found.text]).toEqual(['unknown', `roles and settings: ${said}`]);
    expect(found.remedy?.text).toMatch(
      /^Without the roles, the test restores no database\. The dump itself failed.* Run the checks again\./,
    );
    const refused = restoreResult('circle', {
      dump: ['query failed: ERROR:  cache lookup failed'],
      seconds: undefined,
    });
    const both = await answer(restoreResult(undefined, { dump: [said], seconds: undefined }), refused);
    expect(both.status).toBe('failed');
    expect(both.evidence[0]).toMatch(/^circle: query failed/);
  });

  test.each([
    [
      'a full disk',
      restoreResult('circle', { failures: [failure('could not extend file "base/1": No space left on device')] }),
    ],
    ['too little memory', restoreResult('circle', { server: ['server process was terminated by signal 9: Killed'] })],
    ['a database that was left alone', restoreResult('circle', { skipped: 'too many locks', seconds: undefined })],
    ['a database that it never came to', restoreResult('circle', { seconds: undefined })],
  ])('with %s has not passed, and blames no object', async (_, place) => {
    expect((await answer(place)).status).toBe('unknown');
  });

  test('that stopped is unknown, and what had failed by then is still reported', async () => {
    const broken = 'the new cluster does not answer any more';
    const nothing = [restoreResult(undefined, { seconds: undefined }), restoreResult('circle', { seconds: undefined })];
    const never = await answerOf('restore-test', { restoreTest: known({ ...restoreTest, broken, places: nothing }) });
    expect([never.status, never.text]).toEqual(['unknown', broken]);
    const failures = [failure('syntax error')];
    const places = [restoreResult('circle', { failures }), restoreResult('later', { seconds: undefined })];
    const some = await answerOf('restore-test', { restoreTest: known({ ...restoreTest, broken, places }) });
    expect(some.status).toBe('failed');
    expect(some.text).toContain(broken);
  });

  test('of a server with a database that accepts no connections has not passed', async () => {
    const list = [...databases, databaseFacts('closed', { allowsConnections: false }), databaseFacts('two\nlines')];
    const found = await answerOf('restore-test', { databases: known(list) });
    expect(found.status).toBe('unknown');
    expect(found.text).toContain('"closed": it accepts no connections\n"two\\nlines": its name has a line break');
  });
});

describe('a database whose users may have a dump run their code', () => {
  const places = [undefined, 'postgres', 'template1'].map((database) => restoreResult(database));
  const without = { restoreTest: known({ ...restoreTest, places }) };
  const hazardsOf = (circle: Answers) => known({ server: known({}), databases: { circle: known(circle) } });

  test.each([
    [
      'has been found to have such code',
      hazardsOf({ 'restored-code': known({ total: 1, rows: [] }) }),
      '"circle": not dumped, because a dump may run, as the superuser, what the check restored-code found there',
    ],
    [
      'has not answered',
      hazardsOf({ 'restored-code': unread('canceling statement') }),
      '"circle": not dumped, because the check restored-code has no answer: canceling statement',
    ],
    ['says nothing', hazardsOf({}), 'has no answer: psql left out the answer'],
    ['could not be asked at all', unread('no password'), 'has no answer: no password'],
  ])('that %s is not passed, and the reason is reported', async (_what, hazards, line) => {
    const found = await answerOf('restore-test', { ...without, hazards });
    expect(found.status).toBe('unknown');
    expect(found.text).toContain(line);
    expect(found.text).not.toMatch(/restored without an error:.*circle/);
  });
});

describe('a restore test whose pod gets no connection', () => {
  const unreachable = 'psql: error: connection to server at "10.1.2.3", port 5432 failed: timeout expired';
  const facts = { restoreTest: known({ ...restoreTest, unreachable, places: [] }) };
  const closed: NetworkPolicy = {
    metadata: { name: 'postgresql' },
    spec: { podSelector: {}, ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }] }] },
  };

  test('warns, names the NetworkPolicy and has the command that lets the pod in', async () => {
    const found = await answerOf('restore-test', { ...facts, networkPolicies: known([closed]) });
    expect(found.status).toBe('warning');
    expect(found.evidence).toEqual([
      `no connection from a pod to the running server: ${unreachable}`,
      `NetworkPolicy postgresql closes pod ${(await target()).podName}, and lets no pod with this label connect`,
    ]);
    const value = {
      from: [{ podSelector: { matchLabels: { 'app.kubernetes.io/name': 'postgres-upgrade-probe' } } }],
      ports: [{ protocol: 'TCP', port: 5432 }],
    };
    const patch = JSON.stringify([{ op: 'add', path: '/spec/ingress/-', value }]);
    expect(found.commands).toContain(`patch networkpolicy postgresql --type json -p '${patch}'`);
  });

  test('names the NetworkPolicy that does not let the pod out', async () => {
    const policy: NetworkPolicy = {
      metadata: { name: 'no-egress' },
      spec: { podSelector: { matchLabels: { ...restoreTestLabels } }, policyTypes: ['Egress'] },
    };
    const found = await answerOf('restore-test', { ...facts, networkPolicies: known([policy]) });
    expect(found.status).toBe('warning');
    expect(found.text).toMatch(/no-egress closes pods with this label/);
    expect(found.commands).toMatch(/networkpolicy no-egress .*"path":"\/spec\/egress","value":\[/);
  });

  test.each([
    ['there is no NetworkPolicy', []],
    ['none is about the server', [{ ...closed, spec: { podSelector: { matchLabels: { app: 'web' } } } }]],
    ['one lets the pod in', [closed, { ...closed, spec: { podSelector: {}, ingress: [{}] } }]],
  ])('is unknown where %s', async (_, policies: NetworkPolicy[]) => {
    const found = await answerOf('restore-test', { ...facts, networkPolicies: known(policies) });
    expect([found.status, found.text]).toEqual([
      'unknown',
      `no connection from a pod to the running server: ${unreachable}`,
    ]);
  });

  test('says where the NetworkPolicies may not be read', async () => {
    const found = await answerOf('restore-test', { ...facts, networkPolicies: unread('forbidden: networkpolicies') });
    expect(found.status).toBe('warning');
    expect(found.text).toMatch(/could not be read: forbidden: networkpolicies/);
  });
});

test('a restore that could reach the network warns, and still reports what failed', async () => {
  const network = 'bash: perl: command not found';
  const open = await answerOf('restore-test', { restoreTest: known({ ...restoreTest, network }) });
  expect(open.status).toBe('warning');
  expect(open.text).toContain(`the restore could reach the network: ${network}`);
  const places = [restoreResult('circle', { failures: [failure('syntax error')] })];
  const failing = await answerOf('restore-test', { restoreTest: known({ ...restoreTest, network, places }) });
  expect(failing.status).toBe('failed');
  expect(failing.text).toContain(network);
});

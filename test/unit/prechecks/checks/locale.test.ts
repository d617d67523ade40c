import { describe, expect, test } from '@jest/globals';
import { worst, failed, passed, unknown, warning } from '../../../../src/findings/finding.ts';
import { answerOf, databases, known, servingProbe, unread, upgradeProbe } from '../facts.ts';

describe('encoding-and-locale', () => {
  test('shows those of every database, not of template1 only', async () => {
    const differing = databases.map((d) => (d.name === 'postgres' ? { ...d, collate: 'C', ctype: 'C' } : d));
    const answer = await answerOf('encoding-and-locale', { databases: known(differing) });
    expect(answer.status).toBe('passed');
    expect(answer.text).toContain('postgres: UTF8, LC_COLLATE C, LC_CTYPE C');
    expect(answer.text).toContain('template1: UTF8, LC_COLLATE en_US.UTF-8');
  });

  test('fails without template1, which pg_upgrade needs', async () => {
    const answer = await answerOf('encoding-and-locale', {
      databases: known(databases.filter((d) => d.name !== 'template1')),
    });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('no database template1');
    expect(answer.remedy?.commands?.[0]?.lines.join('\n')).toContain('CREATE DATABASE template1');
  });

  test.each(['postgres', 'template0'])('passes without %s, which pg_upgrade does not need', async (name) => {
    const without = databases.filter((d) => d.name !== name);
    expect((await answerOf('encoding-and-locale', { databases: known(without) })).status).toBe('passed');
  });

  test('is unknown where the databases can not be read: no encoding and no locale is guessed', async () => {
    const answer = await answerOf('encoding-and-locale', { databases: unread('psql does not answer') });
    expect([answer.status, answer.ignored]).toEqual(['unknown', undefined]);
    expect(answer.text).toContain('psql does not answer');
  });
});

describe('locales-in-images', () => {
  const lacking = { 'UTF8 en_US.UTF-8 en_US.UTF-8': 'ok', 'UTF8 de_DE de_DE': 'invalid locale name "de_DE"' };

  test.each([
    ['upgrade image', { upgradeProbe: known({ ...upgradeProbe, initdb: lacking }) }],
    ['serving image', { servingProbe: known({ ...servingProbe, initdb: lacking }) }],
  ])('fails when the %s lacks one, and names image, locale and reason', async (name, more) => {
    const answer = await answerOf('locales-in-images', more);
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain(name);
    expect(answer.text).toContain('UTF8 de_DE de_DE: invalid locale name "de_DE"');
    expect(answer.remedy?.text).toContain('locale');
  });

  test('an answer of initdb that is empty is none', async () => {
    const silent = { ...servingProbe, initdb: { 'UTF8 C C': '' } };
    expect((await answerOf('locales-in-images', { servingProbe: known(silent) })).status).toBe('failed');
  });

  test('an image in which initdb was never run fails', async () => {
    const answer = await answerOf('locales-in-images', { upgradeProbe: known({ ...upgradeProbe, initdb: {} }) });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('never run');
  });

  test('an image that fails is not hidden by one that was not asked', async () => {
    const answer = await answerOf('locales-in-images', {
      upgradeProbe: unread('not asked', 'not-asked'),
      servingProbe: known({ ...servingProbe, initdb: lacking }),
    });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('not asked');
  });

  const none = unread('not asked (probes: none)', 'not-asked');

  test('both images that were not asked are unknown, which blocks nothing', async () => {
    const answer = await answerOf('locales-in-images', { upgradeProbe: none, servingProbe: none });
    expect(answer).toMatchObject({ status: 'unknown', ignored: expect.stringContaining('The Job reports') });
    expect(answer.remedy?.text).toContain('"probes"');
  });

  test('an image that could not be asked stops the run, also beside one that was not asked', async () => {
    for (const [upgradeProbe, servingProbe] of [
      [none, unread('forbidden')],
      [unread('forbidden'), none],
    ] as const) {
      const answer = await answerOf('locales-in-images', { upgradeProbe, servingProbe });
      expect([answer.status, answer.ignored]).toEqual(['unknown', undefined]);
    }
  });
});

describe('two answers in one', () => {
  const inOrder = [passed('p'), warning('r', 'w'), unknown('r', 'u'), failed('r', 'f')];

  test.each(inOrder.flatMap((a, i) => inOrder.map((b, j) => [a, b, Math.max(i, j)] as const)))(
    '%j and %j: the worse one, with the evidence of both',
    (a, b, index) => {
      const answer = worst(a, b);
      expect(answer.status).toBe(inOrder[index]?.status);
      expect(answer.evidence).toEqual(expect.arrayContaining([...a.evidence, ...b.evidence]));
    },
  );
});

describe('collations', () => {
  const rows = [{ object: 'public.mine', detail: 'locale de_DE.utf8 of the operating system, used by t', remedy: '' }];
  const hazards = known({
    server: known({}),
    databases: { circle: known({ collations: known({ total: 1, rows }) }) },
  });

  test('has for each image a command that lists its locales, in a pod that Pod Security admits', async () => {
    const { status, commands } = await answerOf('collations', { hazards });
    expect(status).toBe('warning');
    const [ofUpgrade, ofServing, ...others] = commands.split('\n');
    expect(others).toEqual([]);
    const spec =
      '{"spec":{"securityContext":{"runAsNonRoot":true,"runAsUser":1001,"seccompProfile":{"type":"RuntimeDefault"}},"imagePullSecrets":[{"name":"regcred"}],"containers":[{"name":"locales-1","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}}';
    expect(ofUpgrade).toBe(
      `kubectl -n circleci-server run locales-1 --rm -i --restart=Never --image=${upgradeProbe.image} --override-type=strategic --overrides='${spec}' --command -- locale -a`,
    );
    expect(ofServing).toContain(`run locales-2 --rm -i --restart=Never --image=${servingProbe.image} `);
  });

  test('that are not there, or could not be asked, have no command', async () => {
    expect((await answerOf('collations')).remedy).toBeUndefined();
    expect((await answerOf('collations', { hazards: unread('no answer') })).commands).toBe('');
  });
});

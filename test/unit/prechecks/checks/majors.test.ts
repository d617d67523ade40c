import { describe, expect, test } from '@jest/globals';
import { inputs, newImage, oldImage, serverContainer, serverPod, target } from '../../objects.ts';
import { answerOf, files, known, server } from '../facts.ts';

const container = (image: string) => target(undefined, { container: serverContainer({ image }) });
const valuesFile = inputs({ 'values-file': 'values.yaml' });
const naming = (names: string) => ({
  inputs: valuesFile,
  pullRequest: [{ id: 'values-file', status: 'passed', evidence: [], names }] as const,
});

describe('majors', () => {
  test('are the same in data directory, server, pod template and values file', async () => {
    const answer = await answerOf('majors', naming('12.16.37-7629bfd'));
    expect(answer.status).toBe('passed');
    expect(answer.evidence).toEqual([
      'the data directory has version 12 (PG_VERSION)',
      'the running server is PostgreSQL 12.16',
      `the pod template names ${oldImage} (PostgreSQL 12)`,
      'values.yaml names 12.16.37-7629bfd (PostgreSQL 12)',
    ]);
  });

  test.each(['14.22.4094-4922444', 'docker.io/circleci/server-postgres:14.22', '13', 'v15.3'])(
    'a values file that names %s fails: the next deployment would start it on the data of PostgreSQL 12',
    async (names) => {
      const answer = await answerOf('majors', naming(names));
      expect(answer.status).toBe('failed');
      expect(answer.text).toContain(`values.yaml names ${names}`);
      expect(answer.remedy?.text).toContain(oldImage);
      expect(answer.remedy?.text).toContain('ignore-checks');
    },
  );

  test.each([
    ['sha256:1212', 'values.yaml names sha256:1212 (its tag does not name the major version)'],
    ['latest', 'does not name the major version'],
    ['2024.1.14', 'does not name the major version'],
    ['', 'names no tag'],
  ])('a values file whose tag names no major version (%j) is no failure, and is reported', async (names, evidence) => {
    const answer = await answerOf('majors', naming(names));
    expect(answer.status).toBe('passed');
    expect(answer.text).toContain(evidence);
  });

  test('what was not read is said, and never taken for PostgreSQL 12', async () => {
    const none = await answerOf('majors', { pullRequest: undefined });
    expect(none.text).toContain('"values-file" is not given');
    const unread = { id: 'values-file', status: 'unknown', evidence: [] } as const;
    const asked = await answerOf('majors', { inputs: valuesFile, pullRequest: [unread] });
    expect(asked.text).toContain('values.yaml was not read');
    expect(asked.status).toBe('unknown');
    expect(asked.remedy?.text).toContain('"values-file"');
  });

  test('a pod template with another major than the pod that runs fails, with the command that puts it back', async () => {
    const answer = await answerOf('majors', { target: await container(newImage) });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain(`${newImage} (PostgreSQL 14)`);
    // To be copied as it is: an image whose name has a full stop behind it is none.
    expect(answer.commands).toBe(`kubectl -n circleci-server set image statefulset/postgresql postgresql=${oldImage}`);
  });

  test('an image that runs is what it runs, whatever its tag says', async () => {
    const image = 'registry.example.com/mirror/postgres:14-tools';
    const found = await target(undefined, { container: serverContainer({ image }), pod: serverPod(image) });
    expect((await answerOf('majors', { target: found })).status).toBe('passed');
    expect((await answerOf('majors', { target: found, ...naming('14-tools') })).status).toBe('passed');
  });

  test('a server of another major than its data directory fails', async () => {
    const other = { ...server, versionNumber: 140022, version: '14.22' };
    expect((await answerOf('majors', { server: known(other) })).status).toBe('failed');
    expect((await answerOf('majors', { files: known({ ...files, dataVersion: '' }) })).status).toBe('failed');
  });
});

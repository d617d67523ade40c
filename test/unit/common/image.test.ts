import { describe, expect, test } from '@jest/globals';
import { imageGrammar, parseImage, parseReference } from '../../../src/common/image.ts';

const sha256 = `sha256:${'a'.repeat(64)}`;
const sha512 = `sha512:${'b'.repeat(128)}`;

describe('a reference to an image', () => {
  test.each([
    ['postgres', 'postgres', undefined, undefined],
    ['cciserver.azurecr.io/server-postgres:14.22', 'cciserver.azurecr.io/server-postgres', '14.22', undefined],
    ['localhost:5000/a/b__c', 'localhost:5000/a/b__c', undefined, undefined],
    ['[fd00::1]:5000/postgres:14', '[fd00::1]:5000/postgres', '14', undefined],
    [`Registry.example.com/postgres@${sha256}`, 'Registry.example.com/postgres', undefined, sha256],
    [`circleci/server-postgres:14@${sha512}`, 'circleci/server-postgres', '14', sha512],
  ])('%s has its parts', (text, name, tag, digest) => {
    expect(parseReference(text)).toEqual({ name, tag, digest });
    expect(imageGrammar.reference.test(text)).toBe(true);
  });

  test.each([
    ...[
      '',
      ':14',
      'Postgres',
      'a..b/c',
      'a/',
      '/a',
      'a:',
      'a:-1',
      'a b',
      'a;id',
      '-v',
      'a/$(id)',
      'a:14:15',
      'a@sha256:0',
    ],
    ...[`a@${sha256}0`, `a:${'t'.repeat(129)}`, 'https://a/b', 'a\n', '_a'],
  ])('%j is none', (text) => {
    expect(parseReference(text)).toBeUndefined();
    expect(imageGrammar.reference.test(text)).toBe(false);
  });

  test('is judged in a time that grows no faster than the text', () => {
    const long = 200_000;
    const start = performance.now();
    for (const part of ['a', 'a-', 'a.', 'a/', 'a_', 'A', '-'])
      expect(parseReference(`${part.repeat(long)}!`)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

test.each([
  ['circleci/server-postgres:14', 'docker.io', 'circleci/server-postgres', '14'],
  ['registry:5000/postgres:14', 'registry:5000', 'postgres', '14'],
  [`localhost/postgres:14@${sha256}`, 'localhost', 'postgres', `14@${sha256}`],
])('%s is an image with a tag', (reference, registry, repository, tag) => {
  expect(parseImage(reference)).toEqual({ registry, repository, tag, reference });
});

test.each(['postgres', `postgres@${sha256}`, 'postgres:', 'Postgres:14'])('%s has no tag', (reference) => {
  expect(parseImage(reference)).toBeUndefined();
});

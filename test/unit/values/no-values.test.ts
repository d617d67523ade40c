import { describe, expect, test } from '@jest/globals';
import { fixture } from './fixture.ts';
import { edit, lines, refusalOf, wantedImage } from './wanted-image.ts';

const { tag } = wantedImage;
const warningsOf = (text: string) => edit(text).warnings.map(({ code, line }) => [code, line]);

describe('a file that is no values file is refused', () => {
  test.each([
    ['argo-application.yaml', 'kubernetes-object', 'spec.source.helm.valuesObject.postgresql.image'],
    ['argo-application-values-object.yaml', 'kubernetes-object', 'spec.source.helm.valuesObject.postgresql.image'],
    ['argo-application-sources.yaml', 'kubernetes-object', 'spec.sources[1].helm.valuesObject.postgresql.image'],
    ['flux-helm-release.yaml', 'kubernetes-object', 'spec.values.postgresql.image'],
    ['helmfile.yaml', 'helmfile', 'releases[0].values[0].postgresql.image'],
    ['helmfile-environments.yaml', 'helmfile', 'releases[0].values[0].postgresql.image'],
  ])('%s, and the path named that leads to the values in it', (name, code, path) => {
    const error = refusalOf(fixture(name));
    expect(error.code).toBe(`values-${code}`);
    expect(error.remedy.text).toContain(path);
  });

  test('a Kubernetes object of another kind', () => {
    const error = refusalOf(lines('apiVersion: v1', 'kind: ConfigMap', 'data: {}'));
    expect([error.code, error.message.split(': ', 1)[0]]).toEqual(['values-kubernetes-object', 'values.yaml:2:7']);
  });

  test('values in a text, with the way out', () => {
    const path = 'spec.source.helm.values.postgresql.image';
    const error = refusalOf(fixture('argo-application-values-text.yaml'), { path });
    expect(error.code).toBe('values-text');
    expect(error.remedy.text).toContain('valuesObject');
    expect(refusalOf(fixture('argo-application-values-text.yaml')).remedy.text).toContain('valuesObject');
  });
});

describe('the values in such a file are edited by their path', () => {
  test.each([
    ['argo-application-values-object.yaml', 'spec.source.helm.valuesObject.postgresql.image', []],
    ['flux-helm-release.yaml', 'spec.values.postgresql.image', [['added', 12]]],
  ])('%s', (name, path, warnings) => {
    const result = edit(fixture(name), { path });
    expect(result.text).toContain(`tag: ${tag}`);
    expect(result.warnings.map(({ code, line }) => [code, line])).toEqual(warnings);
  });

  test('also where apiVersion alone is a key of the values', () => {
    expect(edit(lines('apiVersion: 1', 'postgresql:', '  image: {tag: 12}')).operation).toBe('edited');
    expect(edit(lines('releases: 2', 'postgresql:', '  image: {tag: 12}')).operation).toBe('edited');
  });
});

describe('a warning is told', () => {
  test.each([
    ['a misspelt postgresql', fixture('misspelt.yaml'), [['added', 5]]],
    ['an empty file', '', [['added', 1]]],
    ['no mapping on the way', lines('a: 1'), [['added', 1]]],
    ['an external database', fixture('external-database.yaml'), [['not-deployed', 2]]],
    ['a disabled one', fixture('disabled.yaml'), [['not-deployed', 2]]],
    [
      'a disabled one, where the image is right',
      lines('postgresql:', '  enabled: false', `  image: docker.io/circleci/server-postgres:${tag}`),
      [['not-deployed', 2]],
    ],
  ])('of %s', (_, text, expected) => {
    expect(warningsOf(text)).toEqual(expected);
  });

  test.each(['internal: true', 'enabled: "false"', 'enabled:', 'disabled: false'])('not of %s', (key) => {
    expect(warningsOf(lines('postgresql:', `  ${key}`, '  image: {tag: 12}'))).toEqual([]);
  });

  test('not where only the image is missing', () => {
    expect(warningsOf(lines('postgresql:', '  auth: {}'))).toEqual([]);
    expect(warningsOf(lines('postgresql:'))).toEqual([]);
  });
});

import { describe, expect, test } from '@jest/globals';
import fc from '../../fast-check.ts';
import { isRunError } from '../../../src/common/errors.ts';
import { fixture } from './fixture.ts';
import { edit, lines, refusalOf } from './wanted-image.ts';

const place = ({ message }: { message: string }) => message.split(': ', 1)[0];

describe('several documents', () => {
  test('one that Helm 4 merges over the image is told', () => {
    const { warnings } = edit(fixture('two-documents.yaml'));
    expect(warnings.map(({ code, line }) => [code, line])).toEqual([['other-document', 6]]);
    expect(warnings[0]?.message).toContain('Helm 4 merges');
  });

  test.each([
    ['of a later document', edit('a: 1\n---\npostgresql: {image: {tag: 12}}\n').warnings[0]?.message],
    ['of no document', refusalOf('a: 1\n---\nb: 1\n').remedy.text],
  ])('what each Helm does is told: %s', (_, message) => {
    expect(message).toMatch(/Helm 3 reads .* first .* Helm 4 merges/);
  });
});

describe('a template that is not YAML is called one', () => {
  test.each([
    ['with the marks above the error', 'values.yaml', fixture('template.yaml'), 'values.yaml:5:11'],
    ['with the marks on the line', 'values.yaml', fixture('values.yaml.gotmpl'), 'values.yaml:4:1'],
    ['by its name alone', 'values.yaml.gotmpl', 'a: [[ b\n', 'values.yaml.gotmpl:2:1'],
  ])('%s', (_, file, text, where) => {
    const error = refusalOf(text, { file });
    expect([error.code, place(error)]).toEqual(['values-template', where]);
  });

  test('with the line of the marks where the error is another one', () => {
    expect(refusalOf(fixture('template.yaml')).message).toContain('"{{" on line 3');
  });

  test('but not for marks in a comment', () => {
    expect(refusalOf('# {{ x }}\na: b # {{ y }}\nb: c: d\n').code).toBe('values-invalid-yaml');
  });
});

test.each([
  ['ansible-vault.yaml', 'ansible-vault'],
  ['age.yaml', 'age'],
  ['pgp.yaml', 'PGP'],
])('%s is told to be encrypted', (name, by) => {
  const error = refusalOf(fixture(name));
  expect([error.code, place(error)]).toEqual(['values-encrypted', 'values.yaml:1:1']);
  expect(error.message).toContain(by);
  expect(error.remedy.text).toContain('not encrypted');
});

describe('no message shows what the file says', () => {
  /** All that may be shown of an edit that goes through, or of a refusal. */
  function shown(text: string): string {
    try {
      const { warnings, changes } = edit(text);
      return JSON.stringify([warnings, changes]);
    } catch (error) {
      if (!isRunError(error)) throw error;
      const cause = error.cause instanceof Error ? error.cause.message : error.cause;
      return JSON.stringify([error.message, error.remedy, cause]);
    }
  }

  test.each(['question-mark', 'alias', 'anchor', 'backslash', 'percent', 'tag'])('of secret-%s.yaml', (name) => {
    const error = refusalOf(fixture(`secret-${name}.yaml`));
    expect(shown(fixture(`secret-${name}.yaml`))).not.toContain('hunter2');
    expect(place(error)).toMatch(/^values\.yaml:[12]:\d+$/);
  });

  test('of an unfinished quote over many lines', () => {
    expect(
      shown(lines('auth:', '  password: "hunter2', '  user: admin', 'postgresql: {image: {tag: 12}}')),
    ).not.toContain('hunter2');
  });

  test('whatever stands around it', () => {
    const marks = fc.string({ unit: fc.constantFrom(...'?:-&*!|>\'"%@`{}[],#\\ \n\t$<a1~='), maxLength: 6 });
    fc.assert(
      fc.property(marks, marks, fc.boolean(), (before, after, inBrackets) => {
        const value = `${before}hunter2${after}`;
        const auth = inBrackets ? `auth: {user: admin, password: ${value}}` : `auth:\n  password: ${value}`;
        if (shown(`${auth}\npostgresql:\n  image:\n    tag: 12\n`).includes('hunter2'))
          throw new Error(JSON.stringify(auth));
      }),
      { numRuns: 3000, seed: 20_261_129 },
    );
  });
});

import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import fc from '../../fast-check.ts';
import { copyable } from '../../../src/text/commands.ts';
import { isPasteable } from '../../../src/text/psql.ts';
import { psqlRemedy, remedyAfter, remedyText, sessionStart, shellRemedy } from '../../../src/text/remedy.ts';
import { hereDocument, notPasteable, shell, shellQuoted } from '../../../src/text/shell.ts';

describe('a word for the shell', () => {
  test.each([
    ['postgresql-0', 'postgresql-0'],
    ['registry.io/server:12.1@sha256:ab', 'registry.io/server:12.1@sha256:ab'],
    ['', "''"],
    ['=ls', "'=ls'"],
    ['~root', "'~root'"],
    ["it's", String.raw`'it'\''s'`],
    ['x;curl evil|sh', "'x;curl evil|sh'"],
    ['$(id)', "'$(id)'"],
    ['!!', "'!!'"],
  ])('%j is written as %j', (word, written) => {
    expect(shellQuoted(word)).toBe(written);
  });

  test('comes out of a shell as it went in', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 50, maxLength: 50 }), (words) => {
        const given = words.map((word) => word.replaceAll('\0', '').toWellFormed());
        const script = `printf '%s\\0' ${given.map(shellQuoted).join(' ')}`;
        expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)).toEqual(given);
      }),
      { numRuns: 20 },
    );
  });
});

describe('a command', () => {
  test('has what is put into it as words', () => {
    expect(shell`kubectl -n ${'a b'} set image sts/${'x'} ${'c'}=${'i;j'}`).toBe(
      "kubectl -n 'a b' set image sts/x c='i;j'",
    );
    expect(shell`kubectl label ${['a/b', 'c d']} NAME-`).toBe("kubectl label a/b 'c d' NAME-");
  });

  test('has an option where it has a value, and the value is a word', () => {
    const version = (value: string | undefined) =>
      shell`helm upgrade ${'a'}${{ option: '--version', value }} -f ${'b'}`;
    expect(version('4.9.3')).toBe('helm upgrade a --version 4.9.3 -f b');
    expect(version("4'; id")).toBe(String.raw`helm upgrade a --version '4'\''; id' -f b`);
    expect(version(undefined)).toBe('helm upgrade a -f b');
    expect(version('')).toBe("helm upgrade a --version '' -f b");
    for (const value of ['--kubeconfig=/x', 'a\nb']) expect(version(value)).toBe(notPasteable);
  });

  test.each(['a\nb', 'a\rb', 'a\tb', '\x1b[201~', '\u202ea', 'a\u200b', '--kubeconfig=/x'])(
    'with the name %j is not given',
    (name) => {
      expect(shell`kubectl get pod ${name}`).toBe(notPasteable);
      expect(copyable(shell`kubectl get pod ${name}`)).toBe(notPasteable);
      expect(shellRemedy('Look.', shell`kubectl get pod ${name}`)).toEqual({ text: `Look. ${notPasteable}` });
    },
  );

  test('with lines of its own ends where it is meant to', () => {
    expect(hereDocument('kubectl apply -f -', ['a: b'])).toBe("kubectl apply -f - <<'EOF'\na: b\nEOF");
    expect(hereDocument('kubectl apply -f -', ['a', 'EOF', 'id'])).toBe(notPasteable);
    expect(hereDocument('kubectl apply -f -', ['a\nEOF\nid'])).toBe(notPasteable);
  });

  test('in a sentence has a longer fence than its own backticks', () => {
    expect(copyable("echo 'a`b'")).toBe("``echo 'a`b'``");
    expect(copyable('`id`')).toBe('`` `id` ``');
  });
});

describe('commands for psql', () => {
  test.each([
    ['DROP TABLE "a";\nDROP TABLE "b";', true],
    ['DROP TABLE "a\nb";', false],
    ['\\connect "a\n\\! id"', false],
    ["SELECT 'a''b\n';", false],
    [`SELECT '"';\nSELECT "'";`, true],
    ['DROP TABLE "a\x1b[201~";', false],
    ['DROP TABLE "a\tb";', false],
    ['\\connect "host=evil"\nVACUUM;', false],
    ['VACUUM;\n\\connect "postgresql://evil/x"', false],
    ["\\connect -reuse-previous=on 'dbname=''a=b'''", true],
  ])('%j', (commands, expected) => {
    expect(isPasteable(commands)).toBe(expected);
  });

  test('are left out one by one, and all of a database that can not be named', () => {
    const remedy = psqlRemedy('Drop it.', [
      ['\\connect a', 'DROP TABLE x;', 'DROP TABLE "y\n";'],
      ['\\connect "b\n"', 'DROP TABLE z;'],
      ['\\connect c', 'DROP TABLE "z\x07";'],
    ]);
    expect(remedy).toEqual({
      text: `Drop it. ${notPasteable}`,
      commands: [{ in: 'psql', lines: ['\\connect a', sessionStart, 'DROP TABLE x;'] }],
    });
    expect(psqlRemedy('Drop it.', [])).toEqual({ text: 'Drop it.' });
  });

  test('begin each session with a search_path and literals that no owner of a database has stored', () => {
    const { commands } = psqlRemedy('Drop it.', [
      ['\\connect a', 'DROP TABLE x;'],
      ['\\connect template1', '\\connect "B"\nVACUUM;'],
    ]);
    const first = ['\\connect a', sessionStart, 'DROP TABLE x;'];
    const second = ['\\connect template1', sessionStart, '\\connect "B"', sessionStart, 'VACUUM;'];
    expect(commands).toEqual([{ in: 'psql', lines: [...first, ...second] }]);
  });
});

describe('a remedy', () => {
  const remedy = shellRemedy('Grant it.', "kubectl apply -f - <<'EOF'\na: b\nEOF", 'kubectl get pods');
  const lines = ["kubectl apply -f - <<'EOF'", 'a: b', 'EOF', 'kubectl get pods'];

  test('has its commands as lines for one program', () => {
    expect(remedy).toEqual({ text: 'Grant it.', commands: [{ in: 'shell', lines }] });
  });

  test('as plain text has them behind its words', () => {
    expect(remedyText(remedy)).toBe(['Grant it.', 'In a shell:', ...lines].join('\n'));
    expect(remedyText({ text: 'Wait.' })).toBe('Wait.');
  });

  test('keeps them behind a sentence before it', () => {
    expect(remedyAfter('If not:', remedy)).toEqual({ ...remedy, text: 'If not: Grant it.' });
  });
});

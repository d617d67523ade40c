import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { databaseOfError, eachDatabase, repeated, rowsOfEach } from '../../../src/database/script.ts';
import { thrownBy } from '../thrown.ts';

describe('a script for several databases', () => {
  test.each([
    ['circle', String.raw`'dbname=''circle'''`],
    ["o'ha\\ra =x", String.raw`'dbname=''o\\''ha\\\\ra =x'''`],
    ['say "hi"', String.raw`'dbname=''say """"hi""""'''`],
    ['two\nlines', String.raw`'dbname=''two\nlines'''`],
  ])('connects to %j by one quoted argument, and announces it before its rows', (name, argument) => {
    expect(eachDatabase([name, 'next'], 'SELECT 1;').split('\n')).toEqual([
      `\\connect -reuse-previous=on ${argument}`,
      `\\connect -reuse-previous=on 'dbname=''next'''`,
      '',
      expect.stringContaining("json_build_object('database', current_database())"),
      'SELECT 1;',
    ]);
  });
});

test('the shell writes the script behind each connection as it is, up to \\q', () => {
  const script = [
    String.raw`SELECT '%s\n', '$HOME', "$(pwd)"`,
    '',
    String.raw`  \if :ERROR`,
    String.raw`'\q'`,
    '',
  ].join('\n');
  const input = eachDatabase(['a', String.raw`b\c`], script);
  const [a = '', b = '', , ...lines] = input.split('\n');
  const { stdout } = spawnSync('sh', ['-c', repeated], { input: `${input}\n\\q\nmore\n`, encoding: 'utf8' });
  // Empty lines at its end are no part of it.
  const written = lines.join('\n').trimEnd();
  expect(stdout).toBe(`${a}\n${written}\n${b}\n${written}\n`);
});

describe('the rows of several databases', () => {
  const output = '{"database" : "circle"}\n[1]\n{"database" : "vms", "more" : 1}\n{"database" : "empty"}\n';

  test('are separated by the announcements, and a database without rows is there', () => {
    expect([...rowsOfEach(['circle', 'empty'], output)]).toEqual([
      ['circle', [[1], { database: 'vms', more: 1 }]],
      ['empty', []],
    ]);
  });

  test.each([
    ['a database that is missing', ['circle', 'empty', 'last'], output],
    ['another database', ['circle', 'other'], output],
    ['a database more', ['circle'], output],
    ['rows before the first announcement', ['circle'], '[1]\n{"database":"circle"}\n'],
    ['no output at all', ['circle'], ''],
  ])('%s ends it: nothing is taken for measured that was not', async (_what, names, text) => {
    expect((await thrownBy(() => rowsOfEach(names, text))).code).toBe('unexpected-output');
  });
});

describe('the database of an error', () => {
  const names = ['a', 'b', 'c'];
  // As psql prints them; 12 leaves out the words before FATAL.
  const noDatabase =
    'psql:<stdin>:7: error: \\connect: connection to server on socket "/tmp/.s.PGSQL.5432" failed: FATAL:  database "b" does not exist\n';
  const statement = 'psql:<stdin>:9: ERROR:  permission denied for table builds\n';

  test.each([
    ['that can not be entered', '{"database" : "a"}\n[1]\n', noDatabase, 'b'],
    ['that is the first and can not be entered', '', noDatabase, 'a'],
    ['in which a statement failed', '{"database" : "a"}\n{"database" : "b"}\n[1]\n', statement, 'b'],
    ['before which psql ended', '', 'psql: error: FATAL:  password authentication failed', 'a'],
  ])('is the one %s', (_which, stdout, stderr, expected) => {
    expect(databaseOfError(names, { stdout, stderr })).toBe(expected);
  });

  test('is not known for a script that goes through none', () => {
    expect(databaseOfError([], { stdout: '', stderr: statement })).toBeUndefined();
  });
});

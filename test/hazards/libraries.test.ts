// Libraries that a real 12 uses, asked of a real 14 by probe.sh; and what a real pg_upgrade says to them.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { catalogue } from '../../src/prechecks/catalogue.ts';
import type { Answer } from '../../src/findings/finding.ts';
import { facts, known } from '../unit/prechecks/facts.ts';
import { commandsOf } from './findings.ts';
import { pgUpgrade } from './pg-upgrade.ts';
import { probeFor, readLibraries } from './probe-run.ts';
import { Installations, Server } from './server.ts';

jest.setTimeout(300_000);

let installations: Installations;
let server: Server;

/** What the check says when images like this machine's 14 were asked. */
async function answer(): Promise<Answer> {
  const check = catalogue.find((c) => c.id === 'libraries');
  if (check === undefined) throw new Error('there is no check libraries');
  return check.run(
    await facts({
      libraries: known(await readLibraries(server)),
      upgradeProbe: known(await probeFor(server, 'upgrade')),
      servingProbe: known(await probeFor(server, 'serving')),
    }),
  );
}

function libraryDirectory(major: 12 | 14): string {
  return join(installations.directory, String(major), major === 12 ? 'lib/postgresql' : 'lib');
}

beforeAll(() => {
  installations = new Installations();
  const twelve = libraryDirectory(12);
  expect(existsSync(join(twelve, 'citext.so'))).toBe(true);
  // What only the old installation has.
  copyFileSync(join(twelve, 'citext.so'), join(twelve, 'legacy_text.so'));
  // What PostgreSQL 14 has under the same name, built for the other major.
  copyFileSync(join(twelve, 'refint.so'), join(twelve, 'stale.so'));
  copyFileSync(join(twelve, 'refint.so'), join(libraryDirectory(14), 'stale.so'));
  mkdirSync(join(twelve, 'plugins'), { recursive: true });
  copyFileSync(join(twelve, 'refint.so'), join(twelve, 'plugins/only_here.so'));
  server = new Server(installations, 'old');
  server.initialise();
  server.configure('shared_preload_libraries = \'pg_stat_statements, "auto_explain"\'');
  server.start();
  server.createLogin();
});

afterAll(() => {
  server.stop();
  installations.remove();
});

describe('the libraries of a server', () => {
  test('with every extension, all of which 14 ships, are loaded by it', async () => {
    server.sql('postgres', 'CREATE DATABASE ordinary');
    server.sql(
      'ordinary',
      `SELECT format('CREATE EXTENSION %I CASCADE', name) FROM pg_available_extensions WHERE installed_version IS NULL AND name !~ 'pl(perl|python|tcl)' AND name <> 'uuid-ossp' \\gexec
CREATE FUNCTION key_check() RETURNS trigger LANGUAGE c AS '$libdir/refint', 'check_primary_key';`,
    );
    server.sql('postgres', "ALTER ROLE postgres SET session_preload_libraries = 'auto_explain'");
    const found = await answer();
    expect(found.status).toBe('passed');
    expect(found.evidence.join('\n')).toMatch(/^upgrade image .*\$libdir\/hstore.*\$libdir\/refint/m);
    expect(found.evidence.join('\n')).toMatch(/^serving image .*auto_explain.*pg_stat_statements/m);
    server.sql('postgres', 'ALTER ROLE postgres RESET session_preload_libraries');
  });

  const broken = `
CREATE FUNCTION legacy_eq(text, text) RETURNS boolean LANGUAGE c STRICT AS '$libdir/legacy_text', 'citext_eq';
CREATE FUNCTION stale() RETURNS trigger LANGUAGE c AS '$libdir/stale', 'check_primary_key';
CREATE FUNCTION old_handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
UPDATE pg_proc SET probin = '$libdir/it''s "odd" \\name$do$' WHERE proname = 'old_handler';
CREATE LANGUAGE "old one" HANDLER old_handler;
ALTER ROLE postgres SET local_preload_libraries = 'only_here';`;

  test('that PostgreSQL 14 lacks, or has for another major version, are reported with its words, their users and a remedy', async () => {
    server.sql('postgres', 'CREATE DATABASE "at li\'braries"');
    server.sql("at li\\'braries", broken);
    const found = await answer();
    expect(found.status).toBe('failed');
    const lines = found.evidence.join('\n');
    for (const image of ['upgrade image', 'serving image']) {
      expect(lines).toMatch(
        new RegExp(
          `^${image} .*legacy_text: could not access file .*No such file.*; at li'braries: public.legacy_eq\\(text,text\\)$`,
          'm',
        ),
      );
      expect(lines).toMatch(
        new RegExp(`^${image} .*stale: could not load library .*; at li'braries: public.stale\\(\\)$`, 'm'),
      );
      expect(lines).toMatch(new RegExp(`^${image} .*it's "odd" \\\\name\\$do\\$: could not access file`, 'm'));
      expect(lines).toMatch(
        new RegExp(
          `^${image} .*plugins/only_here: could not access .*; local_preload_libraries of role postgres$`,
          'm',
        ),
      );
      expect(lines).toMatch(new RegExp(`^${image} .*: loads .*refint`, 'm'));
    }
    server.stop();
    const before = pgUpgrade(server, 'before');
    expect(before.output).toMatch(/loadable libraries/);
    expect(before.status).not.toBe(0);
    server.start();
    server.sql('postgres', commandsOf(found));
    expect((await answer()).status).toBe('passed');
    server.stop();
    const after = pgUpgrade(server, 'after');
    expect(after.output).toContain('Upgrade Complete');
    server.start();
  });

  test('that the whole server loads stop 14 where it lacks them, and pass once ALTER SYSTEM is taken back', async () => {
    copyFileSync(join(libraryDirectory(12), 'refint.so'), join(libraryDirectory(12), 'only_in_12.so'));
    server.sql('postgres', "ALTER SYSTEM SET shared_preload_libraries = 'auto_explain', 'only_in_12'");
    server.stop();
    server.start();
    const found = await answer();
    expect(found.status).toBe('failed');
    expect(found.evidence.filter((line) => line.includes('could not access file "only_in_12"'))).toEqual([
      expect.stringMatching(/^serving image .*; shared_preload_libraries of the configuration$/),
    ]);
    server.sql('postgres', commandsOf(found));
    server.stop();
    server.start();
    expect((await answer()).status).toBe('passed');
  });

  test('one that ends the server which loads it gets no answer, and is unknown', async () => {
    const source = join(installations.directory, 'ends.c');
    writeFileSync(source, '__attribute__((constructor)) static void end(void) { __builtin_trap(); }\n');
    execFileSync('gcc', ['-shared', '-fPIC', '-o', join(libraryDirectory(14), 'ends.so'), source]);
    server.sql(
      'postgres',
      `CREATE FUNCTION ends() RETURNS trigger LANGUAGE c AS '$libdir/refint', 'check_primary_key'; UPDATE pg_proc SET probin = '$libdir/ends' WHERE proname = 'ends';`,
    );
    const found = await answer();
    expect(found.status).toBe('unknown');
    expect(found.evidence.join('\n')).toContain('no answer whether it loads $libdir/ends; postgres: public.ends()');
  });
});

import { describe, expect, test } from '@jest/globals';
import type { Libraries } from '../../../../src/database/libraries.ts';
import { sessionStart } from '../../../../src/text/remedy.ts';
import { answerOf, known, libraries, servingProbe, unread, upgradeProbe } from '../facts.ts';

const legacy: Libraries = {
  used: {
    circle: [
      {
        library: '$libdir/legacy',
        uses: 25,
        names: ['public.legacy_a(text)', 'extension old'],
        drop: ['DROP ROUTINE IF EXISTS public.legacy_a(text);', 'DROP EXTENSION old;'],
      },
    ],
    'o"dd': [
      { library: '$libdir/legacy', uses: 1, names: ['public.f()'], drop: ['DROP ROUTINE IF EXISTS public.f();'] },
    ],
  },
  preloaded: [],
};
const missing = 'could not access file "$libdir/legacy": No such file or directory';

describe('libraries', () => {
  test('that both images load pass, with what was loaded', async () => {
    const answer = await answerOf('libraries');
    expect(answer.status).toBe('passed');
    expect(answer.evidence).toEqual([
      expect.stringMatching(/^upgrade image .*: loads \$libdir\/pgcrypto$/),
      expect.stringMatching(/^serving image .*: loads \$libdir\/pgcrypto, pg_stat_statements$/),
    ]);
  });

  test.each(['upgrade', 'serving'] as const)(
    'that only the %s image lacks fail, with who uses them and how to end that',
    async (role) => {
      const loads = { '$libdir/legacy': 'ok' };
      const lacks = { '$libdir/legacy': missing };
      const answer = await answerOf('libraries', {
        libraries: known(legacy),
        upgradeProbe: known({ ...upgradeProbe, libraries: role === 'upgrade' ? lacks : loads }),
        servingProbe: known({ ...servingProbe, libraries: role === 'serving' ? lacks : loads }),
      });
      expect(answer.status).toBe('failed');
      expect(answer.evidence.slice(0, 2)).toEqual([
        expect.stringMatching(
          new RegExp(
            `^${role} image .*: \\$libdir/legacy: could not access file .*; circle: public.legacy_a\\(text\\), extension old and 23 more$`,
          ),
        ),
        expect.stringContaining('; o"dd: public.f()'),
      ]);
      expect(answer.remedy?.text).toBe('Use an image that has the library for PostgreSQL 14, or remove what uses it.');
      expect(answer.commands).toBe(
        [
          '\\connect circle',
          sessionStart,
          'DROP ROUTINE IF EXISTS public.legacy_a(text);',
          'DROP EXTENSION old;',
          `\\connect -reuse-previous=on 'dbname=''o""""dd'''`,
          sessionStart,
          'DROP ROUTINE IF EXISTS public.f();',
        ].join('\n'),
      );
    },
  );

  test('of the configuration are asked of the serving image alone, and are changed in the chart', async () => {
    const preloads = { pg_stat_statements: 'could not access file "pg_stat_statements": No such file or directory' };
    const answer = await answerOf('libraries', { servingProbe: known({ ...servingProbe, preloads }) });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('; shared_preload_libraries of the configuration');
    expect(answer.remedy?.text).toContain("chart's values");
    expect(answer.remedy?.commands).toBeUndefined();
  });

  test('that a role loads into its sessions are asked of both, with the command that ends it', async () => {
    const preloaded = [
      {
        setting: 'session_preload_libraries' as const,
        who: 'role audited',
        library: 'pgaudit',
        reset: 'ALTER ROLE audited RESET session_preload_libraries;',
      },
    ];
    const answer = await answerOf('libraries', {
      libraries: known({ used: {}, preloaded }),
      upgradeProbe: known({ ...upgradeProbe, libraries: { pgaudit: 'could not access file "pgaudit"' } }),
      servingProbe: known({ ...servingProbe, libraries: { pgaudit: 'ok' } }),
    });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('could not access file "pgaudit"; session_preload_libraries of role audited');
    expect(answer.commands).toMatch(
      /^\\connect template1\nSET [^\n]*\nALTER ROLE audited RESET session_preload_libraries;$/,
    );
  });

  test.each([['upgradeProbe'], ['servingProbe']] as const)(
    'of which %s told nothing are unknown, never passed',
    async (fact) => {
      const probe = { ...(fact === 'upgradeProbe' ? upgradeProbe : servingProbe), libraries: {} };
      const answer = await answerOf('libraries', { [fact]: known(probe) });
      expect(answer.status).toBe('unknown');
      expect(answer.text).toContain('no answer whether it loads $libdir/pgcrypto; circle: extension pgcrypto');
    },
  );

  test('an image that refuses one is failed, although another one did not answer', async () => {
    const answer = await answerOf('libraries', {
      upgradeProbe: known({ ...upgradeProbe, libraries: { '$libdir/pgcrypto': 'wrong ELF class' } }),
      servingProbe: unread('it was gone'),
    });
    expect(answer.status).toBe('failed');
    expect(answer.text).toContain('it was gone');
  });

  test('a server that uses none passes, whatever the images are', async () => {
    const none = { ...libraries, used: {}, preloaded: [] };
    expect((await answerOf('libraries', { libraries: known(none), upgradeProbe: unread('gone') })).status).toBe(
      'passed',
    );
  });
});

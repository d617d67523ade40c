import { describe, expect, test } from '@jest/globals';
import { librariesFor, localesOf, majorOf, parseProbe, probePod, type ProbeRole } from '../../../src/probes/probe.ts';
import { persistentVolume, statefulSet, target } from '../objects.ts';
import { sortOrder } from '../prechecks/facts.ts';

const log = [
  'old-version\tpostgres (PostgreSQL) 12.16',
  'pg_upgrade\tpg_upgrade (PostgreSQL) 14.22',
  'new-version\tpostgres (PostgreSQL) 14.22',
  'initdb\tUTF8 en_US.UTF-8 en_US.UTF-8\tok',
  'sort-order\tUTF8 en_US.UTF-8 en_US.UTF-8\tac95',
  'initdb\tUTF8 de_DE de_DE\tinitdb: error: invalid locale name "de_DE"',
  'initdb\tSQL_ASCII C C',
  'extension\tpgcrypto\t1.3',
  'extension\tplpgsql\t1.0',
  'library\t$libdir/pgcrypto\tok',
  'library\tlegacy\tcould not access file "legacy": No such file or directory',
  'preload\tpg_stat_statements\tok',
  'end',
];

describe('a probe pod', () => {
  test('goes where the volume can go, if it can where the server is', async () => {
    const found = await target();
    const affinityWith = (nodeAffinity: object) => {
      const volume = persistentVolume();
      const bound = { ...volume, spec: { ...volume.spec, ...nodeAffinity } };
      const there = { ...found, volume: { ...found.volume, persistentVolume: bound } };
      return probePod(there, 'upgrade', 'image:1', '', [], { load: [], preload: [] }, 'script').spec?.affinity
        ?.nodeAffinity;
    };
    const preferred = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node-1'] }] };
    const preferredDuringSchedulingIgnoredDuringExecution = [{ weight: 100, preference: preferred }];
    const zone = { matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['a'] }] };
    const required = { nodeSelectorTerms: [zone] };
    expect(affinityWith({ nodeAffinity: { required } })).toEqual({
      preferredDuringSchedulingIgnoredDuringExecution,
      requiredDuringSchedulingIgnoredDuringExecution: required,
    });
    expect(affinityWith({})).toEqual({ preferredDuringSchedulingIgnoredDuringExecution });
  });
});

describe('the probe', () => {
  const pulling = async (role: ProbeRole) => {
    const found = await target();
    const own = { imagePullSecrets: [{ name: 'mirror' }], serviceAccountName: 'postgresql' };
    const container = { ...found.container, imagePullPolicy: 'Always' };
    const { spec } = probePod(
      { ...found, statefulSet: statefulSet(own), container },
      ...([role, 'image:1', 'regcred', [], { load: [], preload: [] }, 'script'] as const),
    );
    expect(spec?.automountServiceAccountToken).toBe(false);
    return [spec?.imagePullSecrets, spec?.serviceAccountName, spec?.containers[0]?.imagePullPolicy];
  };

  test('of PostgreSQL 14 pulls as the StatefulSet does, that of the upgrade image with image-pull-secret', async () => {
    expect(await pulling('serving')).toEqual([[{ name: 'mirror' }], 'postgresql', 'Always']);
    expect(await pulling('upgrade')).toEqual([[{ name: 'mirror' }, { name: 'regcred' }], undefined, 'IfNotPresent']);
  });
});

describe('the log of a probe', () => {
  test('says what the image holds', () => {
    expect(parseProbe('image:1', `${log.join('\n')}\n`)).toEqual({
      image: 'image:1',
      oldVersion: 'postgres (PostgreSQL) 12.16',
      newVersion: 'postgres (PostgreSQL) 14.22',
      pgUpgrade: 'pg_upgrade (PostgreSQL) 14.22',
      initdb: {
        'UTF8 en_US.UTF-8 en_US.UTF-8': 'ok',
        'UTF8 de_DE de_DE': 'initdb: error: invalid locale name "de_DE"',
        // An answer that is missing is none.
        'SQL_ASCII C C': '',
      },
      sortOrders: { 'UTF8 en_US.UTF-8 en_US.UTF-8': 'ac95' },
      extensions: { pgcrypto: '1.3', plpgsql: '1.0' },
      libraries: { '$libdir/pgcrypto': 'ok', legacy: 'could not access file "legacy": No such file or directory' },
      preloads: { pg_stat_statements: 'ok' },
    });
  });

  test.each(log.map((_, index) => index))('cut after %i lines says nothing', (lines) => {
    expect(parseProbe('image:1', log.slice(0, lines).join('\n'))).toBeUndefined();
  });

  test('of something else says nothing', () => {
    expect(parseProbe('image:1', 'sh: 1: psql: not found\nthe end\nend of file\n')).toBeUndefined();
  });

  test('of a serving image has no old version', () => {
    const facts = parseProbe('image:1', 'new-version\tpostgres (PostgreSQL) 14.22\nend\n');
    expect(facts).toMatchObject({ newVersion: 'postgres (PostgreSQL) 14.22', initdb: {}, extensions: {} });
    expect([facts?.oldVersion, facts?.pgUpgrade]).toEqual([undefined, undefined]);
  });
});

describe('the major of a version', () => {
  test.each([
    ['postgres (PostgreSQL) 14.22', 14],
    ['postgres (PostgreSQL) 12.16 (Debian 12.16-1.pgdg110+1)', 12],
    ['pg_upgrade (PostgreSQL) 14.22', 14],
    ['postgres (PostgreSQL) 9.6.24', 9],
    ['postgres (PostgreSQL) 17devel', 17],
  ])('%s is %i', (version, major) => {
    expect(majorOf(version)).toBe(major);
  });

  test.each([undefined, '', '14.22', 'sh: 1: /usr/lib/postgresql/14/bin/postgres: not found', 'image:12-14'])(
    'is not to be told from %j',
    (version) => {
      expect(majorOf(version)).toBeUndefined();
    },
  );
});

describe('the locales that an image has to know', () => {
  test("are those of all databases and indexes, each once, the new cluster's first", () => {
    const of = (name: string, collate: string) => ({
      name,
      encoding: 'UTF8',
      collate,
      ctype: collate,
      allowsConnections: true,
      bytes: 0,
    });
    const initdb = { encoding: 'UTF8', collate: 'en_US.UTF-8', ctype: 'en_US.UTF-8' };
    const order = { ...sortOrder, collate: 'de_DE.UTF-8', ctype: 'de_DE.UTF-8' };
    const databases = [of('postgres', 'C'), of('template1', 'en_US.UTF-8'), of('circle', 'C')];
    expect(localesOf(initdb, databases, { circle: [order, { ...order, collate: 'und', provider: 'icu' }] })).toEqual([
      'UTF8 en_US.UTF-8 en_US.UTF-8',
      'UTF8 C C',
      'UTF8 de_DE.UTF-8 de_DE.UTF-8',
    ]);
  });
});

describe('the libraries that an image is asked for', () => {
  const used = (library: string) => ({ library, uses: 1, names: [], drop: [] });
  const preloaded = (setting: 'shared_preload_libraries' | 'session_preload_libraries', library: string) => ({
    setting,
    who: 'the configuration',
    library,
    reset: '',
  });
  const libraries = {
    used: {
      circle: [used('$libdir/hstore_plperl'), used('$libdir/hstore'), used('two\nlines')],
      vms: [used('$libdir/hstore')],
    },
    preloaded: [
      preloaded('shared_preload_libraries', 'pgaudit'),
      preloaded('session_preload_libraries', 'auto_explain'),
    ],
  };

  test('are each asked once, the one that another may need before it', () => {
    const load = ['auto_explain', '$libdir/hstore', '$libdir/hstore_plperl'];
    expect(librariesFor('upgrade', libraries)).toEqual({ load, preload: [] });
    expect(librariesFor('serving', libraries)).toEqual({ load, preload: ['pgaudit'] });
  });
});

import type { Hazard } from './hazard.ts';

/**
 * What share/postgresql/tsearch_data holds both in 12.22 and in 14.22, as test/job/install installs them. unaccent.rules and xsyn_sample.rules come with the
 * extensions that have the templates which read them.
 */
const stopwords =
  'danish dutch english finnish french german hungarian italian nepali norwegian portuguese russian spanish swedish turkish';
const ownFiles = [
  ...stopwords.split(' ').map((language) => `${language}.stop`),
  ...['hunspell_sample.affix', 'hunspell_sample_long.affix', 'hunspell_sample_long.dict', 'hunspell_sample_num.affix'],
  ...['hunspell_sample_num.dict', 'ispell_sample.affix', 'ispell_sample.dict', 'synonym_sample.syn'],
  ...['thesaurus_sample.ths', 'unaccent.rules', 'xsyn_sample.rules'],
];

export const textHazards: readonly Hazard[] = [
  {
    id: 'collations',
    title: 'Collations of the operating system or of ICU',
    expected: 'No object names a collation of the operating system or of ICU',
    why: "Both images must have the locale. Otherwise PostgreSQL 14 can't create what names it. The check locales-in-images asks for the locales of whole databases. ICU sorts by its own version, so its indexes may need a rebuild.",
    severity: 'warning',
    shows: 'upgrade',
    says: 'collation "pg_catalog.de_DE.utf8" for encoding "UTF8" does not exist; could not create locale "de_DE.utf8"',
    advice:
      'Look whether both images have the locale; the check prints a command for each. `locale -a` writes de_DE.UTF-8 as de_DE.utf8. Where an image lacks the locale, use another one, or drop the collation and what uses it. Rebuild indexes with ICU collations after the upgrade.',
    needsLocales: true,
    onlyIfExists: [
      `SELECT 1 FROM pg_depend WHERE refclassid = 'pg_collation'::regclass AND deptype <> 'p'`,
      'SELECT 1 FROM pg_collation WHERE oid >= 16384',
    ],
    // Nothing is noted to depend on default, C and POSIX, which are pinned; of all others pg_depend knows every use, within expressions too.
    database: `
WITH used AS (
  SELECT refobjid AS collation, pg_describe_object(classid, objid, 0) AS object FROM pg_depend WHERE refclassid = 'pg_collation'::regclass AND deptype <> 'p'
  UNION SELECT oid, 'defined here' FROM pg_collation WHERE oid >= 16384)
SELECT format('%I.%I', collnamespace::regnamespace, collname), format('locale %s of %s, used by %s', collcollate, CASE collprovider WHEN 'i' THEN 'ICU' ELSE 'the operating system' END, string_agg(DISTINCT object, ', ')), ''
FROM used JOIN pg_collation c ON c.oid = used.collation
WHERE c.oid <> 100 AND (collprovider = 'i' OR (collprovider = 'c' AND NOT (collcollate IN ('C', 'POSIX') AND collctype IN ('C', 'POSIX'))
  AND collcollate NOT IN (SELECT datcollate FROM pg_database)))
GROUP BY c.oid, collnamespace, collname, collcollate, collprovider`,
  },
  {
    id: 'text-search-files',
    title: 'Files of text search dictionaries',
    expected: "No text search dictionary reads a file that is not PostgreSQL's own",
    why: "Both images must have the file in the directory tsearch_data. Otherwise PostgreSQL 14 can't create the dictionary.",
    severity: 'failed',
    shows: 'upgrade',
    says: 'could not open synonym file ".../tsearch_data/company.syn": No such file or directory',
    advice: 'Use images that have the file, or drop the dictionary.',
    onlyIfExists: ['SELECT 1 FROM pg_ts_dict WHERE oid >= 16384'],
    database: `
SELECT format('%I.%I', dictnamespace::regnamespace, dictname), dictinitoption, format('DROP TEXT SEARCH DICTIONARY %I.%I;', dictnamespace::regnamespace, dictname)
FROM pg_ts_dict d, pg_ts_template t WHERE d.oid >= 16384 AND t.oid = dicttemplate
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_ts_dict'::regclass AND e.objid = d.oid AND e.deptype = 'e')
  AND EXISTS (SELECT FROM regexp_matches(dictinitoption, '\\m(dictfile|afffile|stopwords|synonyms|rules)\\s*=\\s*''?(\\w*)', 'gi') m
    WHERE m[2] || CASE lower(m[1]) WHEN 'afffile' THEN '.affix' WHEN 'stopwords' THEN '.stop' WHEN 'synonyms' THEN '.syn' WHEN 'rules' THEN '.rules'
      ELSE CASE tmplname WHEN 'thesaurus' THEN '.ths' ELSE '.dict' END END <> ALL ('{${ownFiles.join(',')}}'))`,
  },
];

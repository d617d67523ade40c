/** What to do about a message of PostgreSQL 14, or of a dump. The first row whose pattern matches counts. */
export const restoreTestRemedies: readonly { readonly message: RegExp; readonly remedy: string }[] = [
  {
    message:
      /pg_dump|pg_dumpall|query failed|cache lookup failed|newline or carriage return|cannot connect to invalid database/,
    remedy: 'pg_upgrade makes the same dump: repair or drop what the message names.',
  },
  {
    message: /unrecognized configuration parameter|invalid configuration parameter name|invalid value for parameter/,
    remedy:
      'Reset the setting where it is stored (ALTER ROLE, ALTER DATABASE or ALTER FUNCTION … RESET). Or set a value that PostgreSQL 14 of the upgrade image accepts.',
  },
  {
    message: /collation .* does not exist|could not create locale|locale .* (incompatible|not)|invalid locale name/,
    remedy: 'Use an upgrade image and a serving image that have the locale, or drop the collation and what uses it.',
  },
  {
    message: /could not open .* file|time zone .* not recognized/,
    remedy: 'Use images that have the file, or drop what reads it.',
  },
  {
    message:
      /could not (access file|load library)|could not find function .* in file|extension .* is not available|language .* does not exist/,
    remedy: 'Use images that have the library of the extension for PostgreSQL 14, or drop the extension.',
  },
  {
    message: /security label provider/,
    remedy: 'Remove the security labels (SECURITY LABEL … IS NULL) and set them again after the upgrade.',
  },
  {
    message: /role "\d+" does not exist|role with OID \d+ does not exist/,
    remedy:
      'The object belongs to a role that was dropped, or grants that role something. Give it another owner, or revoke the grant.',
  },
  {
    message: /role ".*" does not exist/,
    remedy: 'Rename the role (PostgreSQL 14 creates none whose name begins with pg_), or drop what names it.',
  },
  {
    message: /already exists/,
    remedy:
      'Rename the object of that name: PostgreSQL 14 creates one of that name for another object, or has one of its own.',
  },
  {
    message: /no built-in function|type ".*opaque" |(function|operator|relation|column|type|schema) .* does not exist/,
    remedy:
      'The definition names something that PostgreSQL 14 lacks, or finds only by a search path. Write it with what PostgreSQL 14 has and with the schema of each name, or drop it.',
  },
  {
    message:
      /syntax error|operator is not unique|function .* is not unique|ambiguous|cannot cast|is not allowed|invalid/,
    remedy: 'Change the definition to one that both PostgreSQL 12 and PostgreSQL 14 accept, or drop the object.',
  },
];

/** For a message that matches no row. */
export const otherRemedy =
  'Change the object so that PostgreSQL 14 accepts its definition. Or drop it before the upgrade, and create it again afterwards.';

/**
 * Messages that say nothing about the object: about the connection, somebody's lock, or the restore test's own programs, memory and space. pg_upgrade
 * reaches the server in another way, when nobody else is connected.
 */
export const circumstance =
  /canceling statement|could not obtain lock|deadlock detected|lock timeout|terminating connection|server closed the connection|connection to server .* failed(?!.*(invalid database|not currently accepting))|could not (connect|receive|send)|SSL|out of shared memory|out of memory|Cannot allocate|No space left|database system is|too many (clients|connections)|remaining connection slots|no pg_hba\.conf entry|authentication failed|terminated by signal (9|15)|output (file|directory)|failed to run command|ended with (12[4-7]|137|143)/;

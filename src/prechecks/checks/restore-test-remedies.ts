/** What to do about a message of 14, or of a dump. The first that fits is taken. */
export const restoreTestRemedies: readonly { readonly message: RegExp; readonly remedy: string }[] = [
  {
    message:
      /pg_dump|pg_dumpall|query failed|cache lookup failed|newline or carriage return|cannot connect to invalid database/,
    remedy: 'pg_upgrade makes the same dump: repair or drop what the message names.',
  },
  {
    message: /unrecognized configuration parameter|invalid configuration parameter name|invalid value for parameter/,
    remedy:
      'Take the setting away from whatever has it: ALTER ROLE, ALTER DATABASE or ALTER FUNCTION … RESET, or set a value that 14 (in the upgrade image) takes.',
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
    remedy: 'Use images that have the library of the extension for 14, or drop the extension.',
  },
  {
    message: /security label provider/,
    remedy: 'Remove the security labels (SECURITY LABEL … IS NULL) and set them again after the upgrade.',
  },
  {
    message: /role "\d+" does not exist|role with OID \d+ does not exist/,
    remedy:
      'The object belongs to a role that was dropped, or grants it something: give it another owner, or revoke that.',
  },
  {
    message: /role ".*" does not exist/,
    remedy: 'Rename the role (14 makes none whose name begins with pg_), or drop what names it.',
  },
  {
    message: /already exists/,
    remedy: 'Rename the object of that name: 14 makes one of it for another object, or has one of its own.',
  },
  {
    message: /no built-in function|type ".*opaque" |(function|operator|relation|column|type|schema) .* does not exist/,
    remedy:
      'The definition names something that 14 does not have, or that is not found without a search path: write it with what 14 has and with the schema of each name, or drop it.',
  },
  {
    message:
      /syntax error|operator is not unique|function .* is not unique|ambiguous|cannot cast|is not allowed|invalid/,
    remedy: 'Change the definition to one that both 12 and 14 take, or drop the object.',
  },
];

/** For a message that no row fits. */
export const otherRemedy =
  'Change the object so that 14 takes its definition, or drop it before the upgrade and make it again after.';

/**
 * What a dump or a restore says when the object has no part in it: the connection, somebody's lock, the restore test's own room. pg_upgrade
 * reaches the server in another way, when nobody else does.
 */
export const circumstance =
  /canceling statement|could not obtain lock|deadlock detected|lock timeout|terminating connection|server closed the connection|connection to server .* failed(?!.*(invalid database|not currently accepting))|could not (connect|receive|send)|SSL|out of shared memory|out of memory|Cannot allocate|No space left|database system is|too many (clients|connections)|remaining connection slots|no pg_hba\.conf entry|authentication failed|terminated by signal (9|15)|ended with (124|137|143)/;

// npm run page -- FILE: compares a text of the vendor's upgrade page with docs/vendors-page.md. Prints the statements that have no row, with the digest under
// which test/fixtures/vendors-page.json takes them, and the rows of which the page says nothing any more. Exits 1 if there are any.
import { readFileSync } from 'node:fs';
import { compareWithRows, digestOf, rowsOf, type RowsOfStatements } from './page-statements.ts';

const [file, document = 'docs/vendors-page.md', fixture = 'test/fixtures/vendors-page.json'] = process.argv.slice(2);
if (file === undefined) {
  console.error('Give a file with the text of the page: npm run page -- FILE');
  process.exit(1);
}
const rowsByDigest = JSON.parse(readFileSync(fixture, 'utf8')) as RowsOfStatements;
const { statements, withoutRow, gone } = compareWithRows(
  readFileSync(file, 'utf8'),
  rowsByDigest,
  rowsOf(readFileSync(document, 'utf8')),
);
for (const statement of withoutRow) console.log(`No row: ${digestOf(statement)} ${statement}`);
for (const row of gone) console.log(`Not on the page any more: what row ${row} of ${document} is about`);
console.log(
  `${String(statements)} statements, ${String(withoutRow.length)} without a row; ${String(gone.length)} rows without a statement.`,
);
if (withoutRow.length > 0 || gone.length > 0) process.exitCode = 1;

import type { SortOrder } from '../../database/sort-order.ts';
import type { DatabaseFacts } from '../../database/server.ts';
import { localeKey, type ImageFacts } from '../../probes/probe.ts';
import { judgeFact, passed, unknown, warning, type Answer } from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';
import { besidesClosed } from '../../findings/closed-databases.ts';
import { unaskedImage } from './not-probed.ts';

const sameLibrary =
  'The upgrade rebuilds these indexes (REINDEX) before it restarts the applications, which lengthens the downtime. To avoid it, use an image with the same C library. Check tables that are partitioned by ranges of such text yourself.';

export const sortOrderChecks: readonly Check[] = [
  {
    id: 'sort-order',
    title: 'Sort order of text in the serving image',
    expected: 'Text sorts in the serving image as it does now',
    subject: 'images',
    why: 'An index on text is only right for the C library (or ICU) that sorted it. With another order, queries miss rows, and the server accepts duplicate keys. PostgreSQL 14 does not warn. The check compares a digest of some 6,000 sorted strings for each collation that an index uses.',
    advice: sameLibrary,
    run: ({ sortOrders, databases, servingProbe }) =>
      besidesClosed(
        databases,
        judgeFact(sortOrders, (orders) =>
          judgeFact(databases, (list) => {
            if (Object.values(orders).every((used) => used.length === 0))
              return passed('no index is on text that sorts by a locale');
            if (!servingProbe.known) return unaskedImage('serving image', servingProbe, answerer);
            return compare(
              list.flatMap((d) => (orders[d.name] ?? []).map((order) => [d, order] as const)),
              servingProbe.value,
            );
          }),
        ),
      ),
  },
];

const answerer =
  'The upgrade compares the order once PostgreSQL 14 serves. It rebuilds what sorts differently before it restarts the applications.';

function compare(used: readonly (readonly [DatabaseFacts, SortOrder])[], image: ImageFacts): Answer {
  const lines = used.map(([database, order]) => {
    const seen = order.provider === 'icu' ? 'icu' : image.sortOrders[localeKey({ ...database, ...order })];
    const what = `${database.name}: collation ${order.collation} (${order.collate}), ${String(order.indexes)} indexes of about ${megabytes(order.bytes)} by the last VACUUM or ANALYZE`;
    return { what, seen, isSame: seen === order.digest };
  });
  const line = (text: string) => (l: (typeof lines)[number]) => `${l.what}: ${text}`;
  const same = lines.filter((l) => l.isSame).map(line('the same'));
  const icu = lines.filter((l) => l.seen === 'icu').map(line('of ICU; the upgrade compares it'));
  const unread = lines.filter((l) => l.seen === undefined).map(line('the image gave no answer'));
  const differing = lines.filter((l) => !l.isSame && l.seen !== 'icu' && l.seen !== undefined);
  if (unread.length > 0)
    return unknown('Do what the check locales-in-images says, then run the checks again.', ...unread, ...same);
  if (differing.length > 0)
    return warning(sameLibrary, ...differing.map(line(`sorts differently in ${image.image}`)), ...icu, ...same);
  return passed(...same, ...icu);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

import type { SortOrder } from '../../database/sort-order.ts';
import type { DatabaseFacts } from '../../database/server.ts';
import { localeKey, type ImageFacts } from '../../probes/probe.ts';
import { judgeFact, passed, unknown, warning, type Answer } from '../../findings/finding.ts';
import type { Check } from '../../facts/check.ts';
import { besidesClosed } from '../../findings/closed-databases.ts';
import { unaskedImage } from './not-probed.ts';

export const sortOrderChecks: readonly Check[] = [
  {
    id: 'sort-order',
    title: 'Sort order of text in the serving image',
    expected: 'Text sorts in the serving image as it does now',
    subject: 'images',
    why: 'An index on text is only right for the C library (or ICU) that sorted it. With another order rows are not found and duplicate keys are accepted, and PostgreSQL 14 does not warn. A digest of some 6,000 sorted strings is compared for each collation that an index uses.',
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
  'The upgrade tells: it compares once 14 serves, and rebuilds what sorts in another way before the applications come back.';

function compare(used: readonly (readonly [DatabaseFacts, SortOrder])[], image: ImageFacts): Answer {
  const lines = used.map(([database, order]) => {
    const seen = order.provider === 'icu' ? 'icu' : image.sortOrders[localeKey({ ...database, ...order })];
    const what = `${database.name}: collation ${order.collation} (${order.collate}), ${String(order.indexes)} indexes of about ${megabytes(order.bytes)} by the last VACUUM or ANALYZE`;
    return { what, seen, isSame: seen === order.digest };
  });
  const line = (text: string) => (l: (typeof lines)[number]) => `${l.what}: ${text}`;
  const same = lines.filter((l) => l.isSame).map(line('the same'));
  const icu = lines.filter((l) => l.seen === 'icu').map(line('of ICU; compared during the upgrade'));
  const unread = lines.filter((l) => l.seen === undefined).map(line('the image did not tell'));
  const differing = lines.filter((l) => !l.isSame && l.seen !== 'icu' && l.seen !== undefined);
  if (unread.length > 0)
    return unknown('Look at the check locales-in-images, and at the log of the probe.', ...unread, ...same);
  if (differing.length > 0)
    return warning(
      'The upgrade rebuilds these indexes before the applications come back (REINDEX), which lengthens the downtime. To avoid it, use an image with the same C library. Tables that are partitioned by ranges of such text have to be looked at by you.',
      ...differing.map(line(`sorts in another way in ${image.image}`)),
      ...icu,
      ...same,
    );
  return passed(...same, ...icu);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

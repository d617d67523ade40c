import type { Picks } from './picks.ts';

/** Scalars that a careless edit would rewrite, or read as something else. */
const scalars = [
  ...[
    '0755',
    '0x1F',
    '1e3',
    '12.10',
    '1_000',
    '12:30',
    'yes',
    'NO',
    '~',
    'null',
    '',
    '2001-12-14',
    '.inf',
    '-0',
    '0o14',
  ],
  ...['text', 'a b c', 'a:b', 'http://host/path#part', 'größe-日本-🐘', '[a, b]', '{a: 1, b: {c: 0755}}', '{}', '[]'],
  ...["'single'", "'it''s'", '"double"', '"a\\tb\\u00e9"', '"# no comment"', "'{{ template }}'", '!!str 5', '!local x'],
];
const comments = ['', '', '', ' # comment', '\t# after a tab', '  \t # both', ' # größe: "x" {', ' # tag: 12.0', '   '];
const blockHeaders = ['|', '>', '|-', '>-', '|+', '>+'];

/** Keys with anything but the image below a column, every line without a line end. */
export function filler(pick: Picks, name: string, column: number, step: number, depth = 0): string[] {
  const indent = ' '.repeat(column);
  const inner = ' '.repeat(column + step);
  const key = pick.one([name, name, `"${name}"`, `'${name}'`]);
  switch (pick.upTo(depth > 1 ? 6 : 8)) {
    case 0: {
      const header = pick.one(blockHeaders);
      return [`${indent}${key}: ${header}`, `${inner}postgresql:`, `${inner}  image: 12`, '', `${inner}# no comment`];
    }
    case 1:
      return [`${indent}${key}: folded over`, `${inner}two lines${pick.one(comments)}`];
    case 2:
      return [`${indent}${key}: "folded`, `${inner}  over # two lines"${pick.one(comments)}`];
    case 3:
      return [`${indent}# tag: 12.16`, `${indent}${key}: ${pick.one(scalars)}${pick.one(comments)}`, ''];
    case 4:
      return [`${indent}${key}:${pick.one(comments)}`, `${indent}- a: 1`, `${indent}  tag: 12`, `${indent}- [x, "y"]`];
    case 7:
    case 8: {
      const count = pick.upTo(2) + 1;
      const below = Array.from({ length: count }, (_, index) =>
        filler(pick, `${name}-${String(index)}`, column + step, step, depth + 1),
      );
      return [`${indent}${key}:${pick.one(comments)}`, ...below.flat(), `${inner}# last`];
    }
    default:
      return [`${indent}${key}: ${pick.one(scalars)}${pick.one(comments)}`];
  }
}

export { comments };

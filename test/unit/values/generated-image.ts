import { comments, filler } from './filler.ts';
import type { Picks } from './picks.ts';

/** What an edit of a generated file has to end with. */
export type Expected = 'edited' | 'refused';

/** The lines of a document that hold, or lack, the image. */
export interface ImageLines {
  readonly lines: string[];
  readonly kind: string;
  readonly expected?: Expected;
  /** Lines at the top and at the end of the document. */
  readonly top?: string[];
  readonly bottom?: string[];
}

const oldTags = [
  '12',
  '12.16',
  '12.10',
  '0755',
  '1e3',
  'yes',
  '12.16.2000-abc',
  '~',
  '"12.16"',
  "'12.16'",
  '!!str 12',
  '&t 12',
  '',
];
const oldNames = [
  'server-postgres',
  '"circleci/server-postgres"',
  "'bitnami/postgresql'",
  '~',
  '',
  '&r server-postgres',
];
const oldRegistries = ['docker.io', '"cciserver.azurecr.io"', "'localhost:5000'", 'null', ''];
const sha = `sha256:${'0123456789abcdef'.repeat(4)}`;

/** The image in one of the forms, or with one of the hazards, in which people have it. */
export function generatedImage(pick: Picks, column: number, step: number): ImageLines {
  const outer = ' '.repeat(column);
  const middle = ' '.repeat(column + step);
  const inner = ' '.repeat(column + 2 * step);
  const quote = pick.one(['', '', '"', "'"]);
  const key = (name: string) => `${quote}${name}${quote}:${pick.one([' ', ' ', '   '])}`;
  const comment = () => pick.one(comments);
  const postgresql = `${outer}${key('postgresql').trimEnd()}${comment()}`;
  const image = `${middle}${key('image').trimEnd()}${comment()}`;
  const sibling = () => (pick.rarely(3) ? filler(pick, 'sibling', column + step, step, 1) : []);
  const extra = () => (pick.rarely(3) ? filler(pick, 'pullPolicy', column + 2 * step, step, 2) : []);
  const values = () => ({ registry: pick.one(oldRegistries), repository: pick.one(oldNames), tag: pick.one(oldTags) });
  const block = (fields: [string, string][], more: string[] = []) => [
    postgresql,
    ...sibling(),
    image,
    ...extra(),
    ...fields.map(([name, value]) => `${inner}${key(name)}${value}${comment()}`),
    ...more,
  ];
  const fields = Object.entries(values());
  const kept = fields.filter(() => pick.upTo(3) > 0);
  const mapping = kept.length > 0 ? kept : fields;
  const flow = (pairs: [string, string][]) => {
    const separator = pick.one([', ', ',', ' , ']);
    return `{${pick.one(['', ' '])}${pairs.map(([name, value]) => `${key(name)}${value === '' ? '~' : value}`).join(separator)}${pick.one(['', ' ', ', '])}}`;
  };
  const hazard = (kind: string, value: string, rest: Partial<ImageLines> = {}): ImageLines => ({
    kind,
    expected: 'refused',
    lines: block([['tag', value]]),
    ...rest,
  });
  const forms: (() => ImageLines)[] = [
    () => ({ kind: 'block', lines: block(mapping) }),
    () => ({ kind: 'block', lines: block(mapping) }),
    () => ({ kind: 'block', lines: block(fields) }),
    () => ({
      kind: 'flow image',
      lines: [postgresql, ...sibling(), `${middle}${key('image')}${flow(mapping)}${comment()}`],
    }),
    () => ({ kind: 'flow', lines: [`${outer}${key('postgresql')}{${key('image')}${flow(mapping)}}${comment()}`] }),
    () => ({
      kind: 'flow lines',
      lines: [
        postgresql,
        `${middle}${key('image')}{`,
        ...mapping.map(([name, value]) => `${inner}${key(name)}${value === '' ? '~' : value},${comment()}`),
        `${inner}}`,
      ],
    }),
    () => ({
      kind: 'reference',
      lines: [
        postgresql,
        `${middle}${key('image')}${pick.one(['postgres:12', '"cciserver.azurecr.io/server-postgres:12.16"', `host:5000/x@${sha}`, `'a/b:1@${sha}'`])}${comment()}`,
        ...sibling(),
      ],
    }),
    () => ({ kind: 'no image', lines: [postgresql, ...filler(pick, 'persistence', column + step, step, 1)] }),
    () => ({
      kind: 'empty image',
      lines: [
        postgresql,
        ...sibling(),
        `${middle}${key('image')}${pick.one(['', '~', 'null', '{}', '{ }'])}${comment()}`,
      ],
    }),
    () => ({
      kind: 'empty postgresql',
      lines: [`${outer}${key('postgresql')}${pick.one(['', '~', 'null', '{}', '{ }'])}${comment()}`],
    }),
    () => ({ kind: 'nothing', lines: [] }),
    () => ({ kind: 'empty digest', lines: block([...fields, ['digest', pick.one(['', '""', '~'])]]) }),
    () => ({ kind: 'digest', lines: block([...fields, ['digest', pick.one([sha, `"${sha}"`])]]) }),
    () => ({ kind: 'digest in tag', lines: block([...fields.slice(0, 2), ['tag', `12@${sha}`]]) }),
    () => ({
      kind: 'anchors elsewhere',
      top: ['anchored: &d {x: 12, y: &e [1]}'],
      bottom: ['used: *d', 'merged:', `${' '.repeat(step)}<<: *d`, 'both: [*d, *e]'],
      lines: block(mapping),
    }),
    () => ({
      kind: 'merge above',
      top: ['anchored: &d {pullPolicy: Never, tag: 1}'],
      lines: block(fields).toSpliced(-3, 0, `${inner}<<: *d`),
    }),
  ];
  const hazards: (() => ImageLines)[] = [
    () => hazard('alias', '*t', { top: ['anchored: &t 12'] }),
    () =>
      hazard('alias', '', {
        top: ['anchored: &t {tag: 12}'],
        lines: [postgresql, `${middle}${key('image')}*t${comment()}`],
      }),
    () => hazard('shared value', '&s 12', { bottom: ['used: *s'] }),
    () =>
      hazard('shared mapping', '', {
        lines: [`${outer}${key('postgresql')}&s`, `${middle}image:`, `${inner}tag: 12`],
        bottom: ['used: {<<: *s}'],
      }),
    () => hazard('merged only', '', { top: ['anchored: &m {tag: 12}'], lines: [postgresql, image, `${inner}<<: *m`] }),
    () =>
      hazard('merge below', '', {
        top: ['anchored: &m {tag: 12}'],
        lines: [...block([['tag', '12']]), `${inner}<<: *m`],
      }),
    () => hazard('block scalar', '', { lines: [postgresql, image, `${inner}tag: >-`, `${inner} 12`, `${inner} 13`] }),
    () => hazard('template', pick.one(['{{ .Values.tag }}', '"{{ .Values.tag }}"', '${TAG}'])),
    () =>
      hazard('twice', '', {
        lines: block([
          ['tag', '12'],
          ['tag', '13'],
        ]),
      }),
    () => hazard('tagged', pick.one(['!!int 12', '!secret x', '!!float 12.1'])),
    () => hazard('not a mapping', '', { lines: [`${outer}${key('postgresql')}${pick.one(['[1]', 'text', '"12"'])}`] }),
    () =>
      hazard('not an image', '', {
        lines: [postgresql, `${middle}${key('image')}${pick.one(['[1]', '"a b"', '12'])}`],
      }),
  ];
  return pick.one(pick.rarely(4) ? hazards : forms)();
}

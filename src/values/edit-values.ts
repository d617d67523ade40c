import { apply, ordered, type Edit } from './edit.ts';
import { checkImage } from './grammar.ts';
import { makePlan } from './make-plan.ts';
import { parsePath } from './path.ts';
import type { EditOptions, Plan, Shape, Warning } from './plan.ts';
import { position } from './position.ts';
import { prove } from './proof.ts';
import { refusal } from './refusal.ts';
import { readSource } from './source.ts';
import { refuseTabsBelow } from './tabs.ts';

/** Where CircleCI Server's chart has the image of PostgreSQL. */
export const defaultPath = 'postgresql.image';

export interface Change {
  /** Such as `postgresql.image.tag`. */
  readonly path: string;
  /** In the file as it is after the edit, from 1. */
  readonly line: number;
  /** Undefined when it was missing or empty. */
  readonly before: string | undefined;
  readonly after: string;
}

export interface EditedValues {
  /** `none`: the file names the image already, and `text` is what was given. */
  readonly operation: 'none' | 'edited';
  readonly shape: Shape;
  /** With its byte order mark and line ends: in UTF-8, these are the bytes of the file. */
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly changes: readonly Change[];
  /** Where the given file names the image, or would: the line of its tag, where that is a value of its own. */
  readonly line: number;
  readonly warnings: readonly Warning[];
  /** What was replaced and added, in characters of the given text, its byte order mark included. */
  readonly edits: readonly Edit[];
}

/**
 * Sets the image in a values.yaml and leaves every other byte as it is. The result is proved by a second parser.
 * @throws ConfigurationError with file, line and column when that can't be done; nothing is ever done in part
 */
export function editValues(given: Uint8Array | string, options: EditOptions): EditedValues {
  checkImage(options.image);
  const path = parsePath(options.path ?? defaultPath);
  const source = readSource(given, options.file);
  const plan = makePlan(source, path, options);
  const { shape, warnings } = plan;
  const text = apply(source.text, plan.edits);
  const line = position(source.text, offsetOf(plan)).line;
  const whole = { line, text: source.mark + text, bytes: new TextEncoder().encode(source.mark + text) };
  if (plan.writes.length === 0) return { operation: 'none', shape, ...whole, changes: [], warnings, edits: [] };
  refuseTabsBelow(source, plan.edits);
  prove(source, text, plan);
  const edited = { ...source, text };
  const again = makePlan(edited, path, options);
  if (again.writes.length > 0) {
    const remedy = 'Edit it by hand and set "values-file" to "".';
    throw refusal(edited, again.writes[0]?.offset ?? 0, 'unproven', 'an edit would ask for one more', remedy);
  }
  const changes = plan.writes.map(({ path: keys, before, after }) => {
    const name = keys.join('.');
    return { path: name, line: position(text, again.offsets.get(name) ?? 0).line, before, after };
  });
  const move = source.mark.length;
  const edits = ordered(plan.edits).map((one) => ({ ...one, start: one.start + move, end: one.end + move }));
  return { operation: 'edited', shape, ...whole, changes, warnings, edits };
}

function offsetOf({ offsets, writes }: Plan): number {
  const [named] = [...offsets].filter(([name]) => name.endsWith('.tag'));
  return named?.[1] ?? [...offsets.values()].at(-1) ?? writes[0]?.offset ?? 0;
}

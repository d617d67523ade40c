import { isMap, isScalar } from 'yaml';
import { checkImage } from './image.ts';
import { choosePlace, type Place } from './locate.ts';
import { planMapping, planMissing } from './mapping.ts';
import { nodeAt } from './nodes.ts';
import { parseDocuments } from './parse.ts';
import { pathText, type Path } from './path.ts';
import type { EditOptions, Plan, ShapePlan, Warning } from './plan.ts';
import { prove } from './prove.ts';
import { planReference } from './reference.ts';
import { refuseTabsBelow } from './refuse.ts';
import { position, readSource, refusal, type Source } from './source.ts';
import { warningsOf } from './warnings.ts';

/** Where CircleCI Server's chart has the image of PostgreSQL. */
const defaultPath: Path = ['postgresql', 'image'];

interface Change {
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
  /** With its byte order mark and line ends: in UTF-8, these are the bytes of the file. */
  readonly text: string;
  readonly changes: readonly Change[];
  /** Where the given file names the image, or would: the line of its tag, where that is a value of its own. */
  readonly line: number;
  readonly warnings: readonly Warning[];
}

/**
 * Sets the image in a values.yaml and leaves every other byte as it is: the text is read (source.ts, parse.ts), the path followed
 * (locate.ts), what can't be changed alone refused (refuse.ts), the rest planned as edits (mapping.ts, reference.ts, write.ts),
 * and the result proved by a second parser (prove.ts).
 * Decision: docs/decisions/0021-values-file.md
 * @param given the file's text, with its byte order mark
 * @throws ConfigurationError with file, line and column when that can't be done; nothing is ever done in part
 */
export function editValues(given: string, options: EditOptions): EditedValues {
  checkImage(options.image);
  const path = options.path ?? defaultPath;
  const source = readSource(given, options.file);
  const plan = makePlan(source, path, options);
  const { warnings, writes } = plan;
  const line = position(source.text, offsetOf(plan)).line;
  if (writes.length === 0) return { operation: 'none', text: given, changes: [], line, warnings };
  refuseTabsBelow(source, plan.edits);
  const text = prove(source, plan);
  const edited = { ...source, text };
  const again = makePlan(edited, path, options);
  if (again.writes.length > 0) {
    const remedy = 'Edit it by hand and set "values-file" to "".';
    throw refusal(edited, again.writes[0]?.offset ?? 0, 'unproven', 'the edit would need another edit', remedy);
  }
  const changes = writes.map(({ path: keys, before, after }) => {
    const name = pathText(keys);
    return { path: name, line: position(text, again.offsets.get(name) ?? 0).line, before, after };
  });
  return { operation: 'edited', text: source.mark + text, changes, line, warnings };
}

function offsetOf({ offsets, writes }: Plan): number {
  const [named] = [...offsets].filter(([name]) => name.endsWith('.tag'));
  return named?.[1] ?? [...offsets.values()].at(-1) ?? writes[0]?.offset ?? 0;
}

/**
 * Finds the image in the file, and what has to be written so that it is the wanted one.
 * @throws ConfigurationError when it can't be found, or not be changed alone
 */
export function makePlan(source: Source, path: Path, options: EditOptions): Plan {
  const documents = parseDocuments(source);
  const place = choosePlace(source, documents, path);
  refuseEncrypted(source, place);
  const plan = planShape(source, place, path, options);
  const warnings = [...plan.warnings, ...warningsOf(source, documents, place, path, options.image, plan.writes)];
  return { ...plan, document: place.index, warnings };
}

function planShape(source: Source, place: Place, path: Path, options: EditOptions): ShapePlan {
  const { node } = place;
  if (node === undefined) return planMissing(source, place, path, options);
  if (isMap(node)) return planMapping(source, place, node, path, options);
  if (isScalar(node)) return planReference(source, place, node, path, options);
  const name = pathText(path);
  const what = `${name} is neither a mapping nor a string`;
  const remedy = 'Set "values-path" to the keys which lead to the image of PostgreSQL, or correct the file.';
  throw refusal(source, node.range[0], 'not-an-image', what, remedy);
}

/** SOPS signs the whole file, unless told to sign what is encrypted only: a changed one can't be decrypted any more. */
function refuseEncrypted(source: Source, { document: { root, document } }: Place): void {
  const mac = nodeAt(root, ['sops', 'mac'], document);
  const signsEncryptedOnly = nodeAt(root, ['sops', 'mac_only_encrypted'], document);
  if (mac === undefined || (isScalar(signsEncryptedOnly) && signsEncryptedOnly.value === 'true')) return;
  const remedy = 'Set "values-file" to a file that is not encrypted, or edit it with SOPS and set "values-file" to "".';
  throw refusal(source, mac.range[0], 'encrypted', 'the file is encrypted by SOPS, which signs all of it', remedy);
}

import { isMap, isScalar } from 'yaml';
import { choosePlace } from './choose-document.ts';
import { parseDocuments } from './documents.ts';
import type { Place } from './locate.ts';
import { nodeAt } from './nodes.ts';
import { planMapping } from './plan-mapping.ts';
import { planMissing } from './plan-missing.ts';
import { planReference } from './plan-reference.ts';
import type { EditOptions, Plan, ShapePlan } from './plan.ts';
import { refusal } from './refusal.ts';
import type { Source } from './source.ts';
import { warningsOf } from './warnings.ts';

/**
 * Finds the image in the file, and what has to be written so that it is the wanted one.
 * @throws ConfigurationError when it can't be found, or not be changed alone
 */
export function makePlan(source: Source, path: readonly string[], options: EditOptions): Plan {
  const place = choosePlace(source, parseDocuments(source), path);
  refuseEncrypted(source, place);
  const plan = planShape(source, place, path, options);
  const warnings = [...plan.warnings, ...warningsOf(source, place, options.image, plan.writes)];
  return { ...plan, document: place.index, warnings };
}

function planShape(source: Source, place: Place, path: readonly string[], options: EditOptions): ShapePlan {
  const { node } = place;
  if (node === undefined) return planMissing(source, place, path, options);
  if (isMap(node)) return planMapping(source, place, node, path, options);
  if (isScalar(node)) return planReference(source, place, node, path, options);
  const name = path.join('.');
  const what = `${name} is neither a mapping nor a string`;
  const remedy = 'Set "values-path" to the keys which lead to the image of PostgreSQL, or correct the file.';
  throw refusal(source, node.range[0], 'not-an-image', what, remedy);
}

/** SOPS signs the whole file: a changed one can't be decrypted any more. */
function refuseEncrypted(source: Source, { document: { root, document } }: Place): void {
  const mac = nodeAt(root, ['sops', 'mac'], document);
  if (mac === undefined) return;
  const remedy = 'Set "values-file" to a file that is not encrypted, or edit it with SOPS and set "values-file" to "".';
  throw refusal(source, mac.range[0], 'encrypted', 'the file is encrypted by SOPS, which signs all of it', remedy);
}

import { isMap, isScalar, type Scalar } from 'yaml';
import { namesRegistry, type Reference } from '../common/image.ts';
import { parseWritten, type WantedImage } from './image.ts';
import type { Place } from './locate.ts';
import { isNothing, pairsOf, textOf } from './nodes.ts';
import { pathText, type Path } from './path.ts';
import type { EditOptions, ShapePlan, Warning } from './plan.ts';
import { notAnImage, whyNotScalar } from './refuse.ts';
import { position, refusal, type Source } from './source.ts';
import { fileStyle, isString, replaceScalar } from './write.ts';

/** What is to be written where one string, `[registry/]repository[:tag][@digest]`, names the image. */
export function planReference(
  source: Source,
  place: Place,
  node: Scalar.Parsed,
  path: Path,
  { image }: EditOptions,
): ShapePlan {
  const name = pathText(path);
  const reason = whyNotScalar(source, place.document, node, name);
  if (reason !== undefined) throw reason;
  const before = textOf(node);
  const parsed = parseWritten(before);
  if (/[<>{}$%]/.test(before)) throw notAnImage(source, node, name, 'a reference to an image');
  if (parsed === undefined) {
    throw refusal(
      source,
      node.range[0],
      'not-an-image',
      `${name} is neither a mapping nor a reference such as registry.example.com/server-postgres:14`,
      'Set "values-path" to the keys which lead to the image of PostgreSQL, or write that image as a mapping.',
    );
  }
  refuseTagElsewhere(source, place, node, name, parsed);
  const after = wantedReference(parsed, image);
  const offset = node.range[0];
  const offsets = new Map([[name, offset]]);
  if (isString(node, after)) return { writes: [], edits: [], warnings: [], offsets };
  const { quotes } = fileStyle(source.text, place.document, place.maps);
  const inFlow = place.parent?.flow === true;
  return {
    writes: [{ path, before, after, offset }],
    edits: [replaceScalar(source.text, node, after, quotes, inFlow)],
    warnings: warningsOf(parsed, after, position(source.text, offset).line),
    offsets,
  };
}

/** A chart that joins a name and a tag which is a key beside it would add the old tag to the new one. */
function refuseTagElsewhere(source: Source, { parent }: Place, node: Scalar.Parsed, name: string, { tag }: Reference) {
  if (tag !== undefined) return;
  for (const { key, value } of isMap(parent) ? pairsOf(parent) : []) {
    if (value === node || !isScalar<string>(key) || !isScalar(value) || isNothing(value)) continue;
    if (!/^(image)?[-_]?(tag|version)$/i.test(key.value)) continue;
    const what = `${name} names an image without its tag, which ${key.value} beside it seems to be`;
    throw refusal(source, node.range[0], 'tag-elsewhere', what, 'Edit both by hand and set "values-file" to "".');
  }
}

/** Docker Hub is not named where it was not named before. */
function wantedReference({ name }: Reference, image: WantedImage): string {
  const full = `${image.registry}/${image.repository}`;
  const short = !namesRegistry(name) && image.registry === 'docker.io';
  const digest = image.digest === undefined ? '' : `@${image.digest}`;
  return `${short ? image.repository : full}:${image.tag}${digest}`;
}

function warningsOf(parsed: Reference, after: string, line: number): Warning[] {
  const warnings: Warning[] = [];
  if (parsed.digest !== undefined && !after.includes('@')) {
    const message = `The edit drops the digest ${parsed.digest}: it belongs to the old image.`;
    warnings.push({ code: 'digest-dropped', message, line });
  }
  if (!namesRegistry(parsed.name) && namesRegistry(after)) {
    const message =
      'The image had no registry before and has one now: a chart that adds a registry would then name two.';
    warnings.push({ code: 'registry-added', message, line });
  }
  return warnings;
}

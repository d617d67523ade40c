// How images are named: one grammar for inputs, the journal and values.yaml, that of the OCI distribution and image specifications
// (https://github.com/opencontainers/distribution-spec) and of container runtimes (https://github.com/distribution/reference).

/** An image by its parts. */
export interface Image {
  /** As `postgresql.image.registry` takes it. */
  readonly registry: string;
  readonly repository: string;
  /** With the digest behind it, `14.22@sha256:…`, where the inputs give one. */
  readonly tag: string;
  /** The three joined. */
  readonly reference: string;
}

const label = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const host = `(?:${label}(?:\\.${label})*|\\[[0-9A-Fa-f:]+\\])(?::[0-9]{1,5})?`;
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const path = `${component}(?:/${component})*`;
const tag = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const digest = '(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})';

const whole = (pattern: string) => new RegExp(`^(?:${pattern})$`);

/** Whole texts: the parts of an image, alone and as people join them. */
export const imageGrammar = {
  registry: whole(host),
  repository: whole(path),
  tag: whole(tag),
  digest: whole(digest),
  /** `[registry/]repository` */
  name: whole(`(?:${host}/)?${path}`),
  /** `registry[/path]` */
  registryWithPath: whole(`${host}(?:/${path})?`),
  /** `tag[@digest]` */
  tagWithDigest: whole(`${tag}(?:@${digest})?`),
  /** `[registry/]repository[:tag][@digest]` */
  reference: new RegExp(`^((?:${host}/)?${path})(?::(${tag}))?(?:@(${digest}))?$`),
};

export interface Reference {
  /** Registry (if any) and repository as written. */
  readonly name: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** The parts of `[registry/]repository[:tag][@digest]`; undefined when it is none. */
export function parseReference(text: string): Reference | undefined {
  const [, name, tagged, digested] = imageGrammar.reference.exec(text) ?? [];
  return name === undefined ? undefined : { name, tag: tagged, digest: digested };
}

/** Whether a name starts with a registry, as container runtimes see it: the first part looks like a host. */
export function namesRegistry(name: string): boolean {
  const [first = '', ...rest] = name.split('/');
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
}

/** Registry and repository of `[registry/]repository`; Docker Hub's where it names no registry. */
export function splitName(name: string): { readonly registry: string; readonly repository: string } {
  const [first = '', ...rest] = name.split('/');
  return namesRegistry(name)
    ? { registry: first, repository: rest.join('/') }
    : { registry: 'docker.io', repository: name };
}

/** An image by registry, repository and tag, which keeps its digest if it has one; undefined for a reference without a tag. */
export function parseImage(reference: string): Image | undefined {
  const { name = '', tag: tagged, digest: digested } = parseReference(reference) ?? {};
  if (tagged === undefined) return undefined;
  return { ...splitName(name), tag: digested === undefined ? tagged : `${tagged}@${digested}`, reference };
}

/** A reference without its digest. */
export function withoutDigest(reference: string): string {
  return reference.replace(new RegExp(`@${digest}$`), '');
}

/** `name@digest` or a digest alone, as a container runtime tells what it runs (`imageID`, with or without a scheme); undefined for anything else. */
export function parseImageId(
  imageId: string,
): { readonly name: string | undefined; readonly digest: string } | undefined {
  const [, name, found] = new RegExp(`^(?:[a-z-]+://)?(?:([^@]+)@)?(${digest})$`).exec(imageId) ?? [];
  return found === undefined ? undefined : { name, digest: found };
}

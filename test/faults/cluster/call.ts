import type { RequestOptions } from 'node:https';

/**
 * What a call to the API server changes, by the arguments of https.request: "patch statefulsets/postgresql", "create jobs", "exec pg_ctl";
 * undefined for reads, questions and dry runs, and for renewals of the Lease, which come by the clock.
 */
export function nameOf(args: readonly unknown[]): string | undefined {
  const options = args.find((arg): arg is RequestOptions => arg?.constructor === Object) ?? {};
  const given = args.find((arg): arg is string | URL => typeof arg === 'string' || arg instanceof URL);
  const url = given === undefined ? new URL(options.path ?? '/', 'https://server') : new URL(given);
  const [, resource = '', object, subresource] =
    /^\/apis?(?:\/[^/]+){1,2}?(?:\/namespaces\/[^/]+)?\/([a-z]+)(?:\/([^/]+))?(?:\/([a-z]+))?$/.exec(url.pathname) ??
    [];
  if (url.searchParams.has('dryRun') || resource.startsWith('selfsubject')) return undefined;
  if (subresource === 'exec') return `exec ${url.searchParams.get('command') ?? ''}`;
  const verb = { POST: 'create', PATCH: 'patch', DELETE: 'delete' }[options.method ?? 'GET'];
  if (verb === undefined || (verb === 'patch' && resource === 'leases')) return undefined;
  return object === undefined ? `${verb} ${resource}` : `${verb} ${resource}/${object}`;
}

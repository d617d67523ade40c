// GitHub's own OpenAPI description, as far as the double serves it, compiled on demand.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';

type Json = Record<string, unknown>;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: Json;
}

interface Answer {
  readonly content?: Record<string, { schema: Json; examples?: Record<string, { value: unknown }> }>;
}

export interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Record<string, { schema: Json }> };
  readonly responses: Record<string, Answer>;
}

interface Extract {
  readonly operations: Record<string, Operation>;
  readonly schemas: Json;
}

/** Answers that GitHub gives to any call, and describes only at some. */
const anywhere = [400, 401, 403, 404, 422, 429, 500, 502, 503];

export class Description {
  private readonly ajv = new Ajv({ strict: false, allErrors: true, coerceTypes: false });
  private readonly coercing = new Ajv({ strict: false, allErrors: true, coerceTypes: true });
  private readonly compiled = new Map<string, ValidateFunction>();
  private readonly extract: Extract;

  /** @param routes what is served: `GET /repos/{owner}/{repo}` */
  constructor(routes: readonly string[]) {
    this.extract = extractOf(routes);
    for (const ajv of [this.ajv, this.coercing]) {
      formats.default(ajv);
      ajv.addFormat('repo.nwo', /^[^/\s]+\/[^/\s]+$/);
      ajv.addSchema({ $id: 'github', components: { schemas: this.extract.schemas } });
    }
  }

  operation(route: string): Operation {
    const operation = this.extract.operations[route];
    if (operation === undefined) throw new Error(`GitHub's description has no ${route}`);
    return operation;
  }

  /** GitHub's own example of an answer, as a new object. */
  example(route: string, status: number): unknown {
    const examples = this.operation(route).responses[String(status)]?.content?.['application/json']?.examples ?? {};
    const [first] = Object.values(examples);
    if (first === undefined) throw new Error(`GitHub's description has no example of ${route} ${String(status)}`);
    return structuredClone(first.value);
  }

  /** What is wrong with a request, a line each. */
  requestFaults(
    route: string,
    parameters: Readonly<Record<string, string>>,
    query: URLSearchParams,
    body: unknown,
  ): string[] {
    const operation = this.operation(route);
    const declared = operation.parameters ?? [];
    const faults: string[] = [];
    for (const name of query.keys()) {
      if (!declared.some((p) => p.in === 'query' && p.name === name)) faults.push(`"${name}" is not a parameter.`);
    }
    for (const parameter of declared.filter((p) => p.in !== 'header')) {
      const value = parameter.in === 'path' ? parameters[parameter.name] : (query.get(parameter.name) ?? undefined);
      if (value === undefined && parameter.required === true) faults.push(`"${parameter.name}" wasn't supplied.`);
      if (value === undefined) continue;
      const check = this.validator(`${route} ${parameter.name}`, wrap(parameter.schema), this.coercing);
      if (!check({ value })) faults.push(...lines(check, parameter.name));
    }
    return [...faults, ...this.bodyFaults(route, operation, body)];
  }

  /** What is wrong with an answer, a line each. */
  responseFaults(route: string, status: number, body: unknown): string[] {
    const described = this.operation(route).responses[String(status)];
    const schema =
      described?.content?.['application/json']?.schema ??
      (anywhere.includes(status) ? { $ref: 'github#/components/schemas/basic-error' } : undefined);
    if (schema === undefined) {
      if (described !== undefined && body === undefined) return [];
      return [`${route} does not answer ${String(status)}${described === undefined ? '' : ' with a body'}`];
    }
    const check = this.validator(`${route} ${String(status)}`, schema, this.ajv);
    return check(body) ? [] : lines(check, `${route} ${String(status)}`);
  }

  private bodyFaults(route: string, operation: Operation, body: unknown): string[] {
    const schema = operation.requestBody?.content['application/json']?.schema;
    if (schema === undefined) return body === undefined ? [] : ['No body is expected.'];
    if (body === undefined) return operation.requestBody?.required === true ? ['A body is expected.'] : [];
    // GitHub ignores what it does not know; a typing mistake must not pass for that here.
    const known = schema['properties'] as Json | undefined;
    const strange = known === undefined ? [] : Object.keys(body as Json).filter((key) => !(key in known));
    const check = this.validator(`${route} body`, schema, this.ajv);
    return [...strange.map((key) => `"${key}" is not a permitted key.`), ...(check(body) ? [] : lines(check, 'body'))];
  }

  private validator(name: string, schema: Json, ajv: Ajv): ValidateFunction {
    const present = this.compiled.get(name);
    if (present !== undefined) return present;
    const made = ajv.compile(schema);
    this.compiled.set(name, made);
    return made;
  }
}

function wrap(schema: Json): Json {
  return { type: 'object', properties: { value: schema } };
}

function lines(check: ValidateFunction, where: string): string[] {
  return (check.errors ?? []).slice(0, 5).map((e) => `${where}${e.instancePath} ${e.message ?? ''}`.trim());
}

/** The description has 13 MB; the part that is needed is kept beside the packages, by its version and ours. */
function extractOf(routes: readonly string[]): Extract {
  const require = createRequire(import.meta.url);
  const folder = path.dirname(require.resolve('@octokit/openapi/package.json'));
  const { version } = require('@octokit/openapi/package.json') as { version: string };
  const reader = createHash('sha256')
    .update(readFileSync(import.meta.filename))
    .digest('hex')
    .slice(0, 8);
  const cache = path.join(folder, '..', '..', '.cache', `github-description-${version}-${reader}.json`);
  if (existsSync(cache)) {
    const kept = JSON.parse(readFileSync(cache, 'utf8')) as Extract;
    if (routes.every((route) => route in kept.operations)) return kept;
  }
  const whole = JSON.parse(readFileSync(path.join(folder, 'generated', 'api.github.com.json'), 'utf8')) as Json;
  const extract = extractFrom(whole, routes);
  mkdirSync(path.dirname(cache), { recursive: true });
  writeFileSync(`${cache}.${String(process.pid)}`, JSON.stringify(extract));
  renameSync(`${cache}.${String(process.pid)}`, cache);
  return extract;
}

function extractFrom(whole: Json, routes: readonly string[]): Extract {
  const components = whole['components'] as Record<string, Json>;
  const paths = whole['paths'] as Record<string, Json>;
  const schemas: Json = {};
  const adapt = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(adapt);
    if (node === null || typeof node !== 'object') return node;
    const { nullable, ...rest } = node as Json;
    // OpenAPI 3.0's nullable also stands beside $ref, enum and allOf, which JSON Schema knows nothing of.
    if (nullable === true) return { anyOf: [adapt(rest), { type: 'null' }] };
    if (typeof rest['$ref'] === 'string') return referred(rest['$ref']);
    // The alternatives of its oneOf overlap, so that the plainest answers would match two of them.
    const { oneOf, ...others } = rest;
    if (Array.isArray(oneOf)) return adapt({ ...others, anyOf: oneOf });
    return Object.fromEntries(
      Object.entries(rest).map(([key, value]) => [key, key === 'example' ? value : adapt(value)]),
    );
  };
  const referred = (reference: string): unknown => {
    const [, , kind = '', name = ''] = reference.split('/');
    // Responses, parameters and examples are put in their place; schemas refer to each other.
    if (kind !== 'schemas') return kind === 'examples' ? components[kind]?.[name] : adapt(components[kind]?.[name]);
    if (!(name in schemas)) {
      schemas[name] = true;
      schemas[name] = adapt(components['schemas']?.[name]);
    }
    return { $ref: `github#/components/schemas/${name}` };
  };
  referred('#/components/schemas/basic-error');
  const operations = Object.fromEntries(
    routes.map((route) => {
      const [method = '', template = ''] = route.split(' ');
      const operation = paths[template]?.[method.toLowerCase()] as Json | undefined;
      if (operation === undefined) throw new Error(`GitHub's description has no ${route}`);
      const { parameters, requestBody, responses } = operation;
      return [route, adapt({ parameters, requestBody, responses }) as Operation];
    }),
  );
  return { operations, schemas };
}

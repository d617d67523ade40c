// GraphQL, as far as it is asked, by GitHub's own schema: a query that the schema does not allow is answered with errors.
import { buildSchema, graphqlSync, type GraphQLSchema } from 'graphql';
import type { Answer } from './answer.ts';
import type { Token } from './token.ts';

/** Like GitHub: errors come with status 200. */
export async function answerQuery(query: unknown, token: Token): Promise<Answer> {
  const { data, errors } = graphqlSync({
    schema: await sharedSchema(),
    source: String(query),
    rootValue: { viewer: { login: token.login } },
  });
  return {
    status: 200,
    body: {
      ...(data === undefined ? {} : { data }),
      ...(errors === undefined ? {} : { errors: errors.map((e) => e.toJSON()) }),
    },
  };
}

let schema: GraphQLSchema | undefined;

/** It has 1.2 MB, and is read when it is asked for. */
async function sharedSchema(): Promise<GraphQLSchema> {
  schema ??= buildSchema((await import('@octokit/graphql-schema')).schema.idl, { assumeValid: true });
  return schema;
}

import { expect, test } from '@jest/globals';
import { sessionIn } from '../../../src/target/session.ts';
import { target } from '../objects.ts';

const server = await target();
const { secret } = server;
const withVariable = (name: string, reference = secret) => ({
  ...server,
  container: { ...server.container, env: [{ name, valueFrom: { secretKeyRef: reference } }] },
});
const fromSecret = (key: string) =>
  `{ kubectl -n circleci-server get secret ${secret.name} -o jsonpath=${key} | base64 -d; echo; cat; } | kubectl -n circleci-server exec -i postgresql-0 -c postgresql -- sh -c 'IFS= read -r PGPASSWORD; export PGPASSWORD; exec psql -U postgres'`;

test("a session has the password from the container's variable of the Secret", () => {
  expect(sessionIn(withVariable('POSTGRES_PASSWORD'))).toBe(
    `kubectl -n circleci-server exec -it postgresql-0 -c postgresql -- sh -c 'PGPASSWORD="$POSTGRES_PASSWORD" exec psql -U postgres'`,
  );
});

test('without such a variable it has the password from the Secret, and not in an argument', () => {
  const without = { ...server, container: { ...server.container, env: [] } };
  const others = [
    without,
    withVariable('POSTGRES_PASSWORD', { ...secret, key: 'another' }),
    withVariable('POSTGRES_PASSWORD', { ...secret, name: 'another' }),
    withVariable('X"; rm -rf /'),
  ];
  for (const other of others) expect(sessionIn(other)).toBe(fromSecret("'{.data.postgres-password}'"));
  expect(sessionIn({ ...without, secret: { ...secret, key: 'a.b' } })).toBe(fromSecret(String.raw`'{.data.a\.b}'`));
});

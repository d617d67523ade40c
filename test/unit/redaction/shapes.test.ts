import { expect, test } from '@jest/globals';
import { vocabulary } from '../../../src/vocabulary.ts';
import { Redactor } from '../../../src/redaction/redactor.ts';

const redact = (text: string) => new Redactor(vocabulary).redact(text);
const secret = 'S3cret/x';
const jwt = 'eyJhbGciOiJSUzI1NiJ9.dGhlLXRva2VuLW9mLWE.c2lnbmF0dXJl';

test.each([
  `ALTER ROLE app PASSWORD '${secret}';`,
  `ALTER ROLE app PASSWORD E'${secret}\\'${secret}';`,
  `CREATE USER MAPPING FOR app SERVER s OPTIONS ("user" 'app', "password" '${secret}')`,
  `OPTIONS (\n    "password" '${secret}\n${secret}'\n)`,
  `PASSWORD "${secret}"`,
  `host=db password=${secret} port=5432`,
  `password = '${secret}''${secret}'`,
  `p := '${secret}', password := '${secret}'`.replace(`p := '${secret}', `, ''),
  `password => E'${secret}'`,
  `connect(password=>'${secret}')`,
  `PGPASSWORD=${secret} psql`,
  `--from-literal=postgres-password=${secret}`,
  `{"password":"${secret}"}`,
  `{\\"password\\":\\"${secret}\\"}`,
  `{\\\\\\"client_secret\\\\\\":\\\\\\"${secret}\\\\\\"}`,
  `password: ${secret}`,
  `  token: ${secret}`,
  `- client-secret: ${secret}`,
  `aws_secret_access_key = ${secret}`,
  `GET /?token=${secret}&x=1`,
  `Authorization: Bearer ${secret}`,
  `authorization: ${secret}`,
  `"Authorization": "Basic ${secret}"`,
  `headers: {Authorization=[Bearer ${secret}]}`,
  `Set-Cookie: session=${secret}`,
  `X-Auth-Token: ${secret}`,
  `https://user:${secret.replace('/', '.')}@db.example.com/x`,
  `postgres%3A%2F%2Fu%3A${secret.replace('/', '.')}%40db`,
  `SCRAM-SHA-256$4096:c2FsdA==$S3cretx=:S3cretx=`,
  `md5${'5ec2e7'.repeat(5)}ab`,
  `x ${jwt} y`,
  `x\\n${jwt}\\ny`,
  `ghp_${'S3cretx'.repeat(4)}`,
  `github_pat_${'S3cret_x'.repeat(4)}`,
  `k8s-aws-v1.S3cretx`,
  `AKIAS3CRETXS3CRETXAB`.replace('3', 'E').replace('3', 'E'),
  `-----BEGIN RSA PRIVATE KEY-----\nS3cretx\nS3cretx\n-----END RSA PRIVATE KEY-----`,
  `-----BEGIN PRIVATE KEY-----\\nS3cretx\\nS3cr`,
  `tried bearer S3cretxS3cretxS3cretx`,
  `helm upgrade server --username "$USERNAME" --password "${secret}"`,
  `--password "$PASSWORD${secret}"`,
  `--password '$S3CRET'`,
  `--password "$(S3cretx)"`,
  `PGPASSWORD=$$S3cretx$$`,
  `PGPASSWORD="$S3cretx"`,
  `PGPASSWORD=\\"${secret}\\" psql`,
])('what looks like a secret is taken out of %s', (text) => {
  const told = redact(text);
  expect(told).toContain('***');
  expect(told).not.toMatch(/S3cr|S3CR|5ec2e7|c2lnbmF0|SECRET|SCRAM-SHA-256\$/);
  expect(told.length).toBeGreaterThan(2);
});

test.each([
  'FATAL: password authentication failed for user "app"',
  'fe_sendauth: no password supplied',
  "Login with the superuser's password from the Secret",
  'Renew the token: GitHub does not accept it.',
  'the API server does not accept the token of user "upgrader" of the kubeconfig: Unauthorized (HTTP 401)',
  'There is no Secret "postgresql" in namespace "circleci-server".',
  'Set "secret-name" and "secret-key" to the Secret and the key with the password of role postgres, or repair the Secret.',
  'Set "github-token" to a token with the permissions for it, such as ${{ github.token }}',
  'variable DB_PASSWORD (Secret postgresql)',
  "password_encryption = 'md5'",
  'automountServiceAccountToken: false',
  '- name: POSTGRES_PASSWORD\n  valueFrom:\n    secretKeyRef:\n      key: postgres-password',
  'oci://registry.example.com/server-postgres@sha256:0123',
  'https://github.com/admins/server/actions/runs/1/attempts/1',
  'Can\'t read ConfigMap x: configmaps "x" is forbidden: User "system:serviceaccount:ci:upgrader" cannot get resource "configmaps"',
  'rbac.authorization.k8s.io/v1',
  'basic authentication and bearer authentication-with-words',
  'helm upgrade server --username "$USERNAME" --password "$PASSWORD"',
  `sh -c 'PGPASSWORD="$POSTGRES_PASSWORD" exec psql -U postgres'`,
  `"sh -c 'PGPASSWORD=\\"$POSTGRES_PASSWORD\\" exec psql -U postgres'"`,
  'PGPASSWORD=$POSTGRES_PASSWORD psql',
])('%s stays', (text) => {
  expect(redact(text)).toBe(text);
});

test('what is around it can still be read', () => {
  expect(redact(`{"user":"app","password":"${secret}","port":5432}`)).toBe(
    '{"user":"app","password":"***","port":5432}',
  );
  expect(redact(`x (password=${secret}), y`)).toBe('x (password=***), y');
  expect(redact(`GET /?token=${secret}&x=1`)).toBe('GET /?token=***&x=1');
  expect(redact(`Authorization: Bearer ${secret}\r\nHost: x`)).toBe('Authorization: ***\r\nHost: x');
  expect(redact("ALTER ROLE app PASSWORD 'x''y' VALID UNTIL '2027'")).toBe(
    "ALTER ROLE app PASSWORD '***' VALID UNTIL '2027'",
  );
});

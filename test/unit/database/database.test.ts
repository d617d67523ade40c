import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { Database } from '../../../src/database/database.ts';
import { jsonLines } from '../../../src/database/script.ts';
import { firstStatement } from '../../../src/database/session-options.ts';
import { readClients } from '../../../src/database/clients.ts';
import { readAll } from '../../../src/database/measurement.ts';
import { extensionsOf, extensionsQuestion, readDatabases, readServer } from '../../../src/database/server.ts';
import { FakeCluster } from '../fake-cluster.ts';
import { fakeDatabase, serverState } from '../fake-database.ts';
import { password, target } from '../objects.ts';
import { thrownBy } from '../thrown.ts';

async function setUp() {
  const cluster = new FakeCluster();
  const given: { command: readonly string[]; stdin: string }[] = [];
  cluster.onExec = (command, stdin) => {
    given.push({ command, stdin });
    return { exitCode: 0, stdout: 'answer\n', stderr: '' };
  };
  return { cluster, given, database: new Database(cluster, await target(), password, 'postgres') };
}

describe('psql in the pod', () => {
  test('the password is in the input only, never in an argument', async () => {
    const { database, given, cluster } = await setUp();
    await database.read('circle', 'SELECT 1;');
    await database.write('circle', 'ANALYZE;', 1000);
    for (const { command, stdin } of given) {
      expect(stdin.split('\n')[0]).toBe(password);
      expect(JSON.stringify(command)).not.toContain(password);
    }
    expect(JSON.stringify(cluster.calls)).not.toContain(password);
  });

  test('runs in the container of the server, and ends by itself', async () => {
    const { database, given, cluster } = await setUp();
    expect(await database.read('circle', 'SELECT 1;')).toBe('answer\n');
    expect(cluster.calls[0]).toMatchObject({
      method: 'exec',
      name: 'postgresql-0',
      options: { container: 'postgresql' },
    });
    expect(given[0]?.stdin).toBe(`${password}\n${firstStatement}\nSELECT 1;\n\\q\n`);
  });

  test('a read can change nothing, and its statements end before it is given up', async () => {
    const { database, given, cluster } = await setUp();
    await database.read('circle', 'SELECT 1;', 10_000);
    const options = given[0]?.command.find((part) => part.includes('default_transaction_read_only'));
    expect(options).toContain('default_transaction_read_only=on');
    expect(options).toContain('statement_timeout=9000');
    expect(cluster.calls[0]).toMatchObject({ options: { timeout: 10_000 } });
  });

  test("a script of the administrator's is one session that may change things, whose statements end before it is given up", async () => {
    const { database, given, cluster } = await setUp();
    expect((await database.runScript('postgres', 'SELECT 1', 10_000)).stdout).toBe('answer\n');
    const [{ command, stdin } = { command: [], stdin: '' }] = given;
    const options = command.find((part) => part.includes('default_transaction_read_only'));
    expect(options).toContain('default_transaction_read_only=off');
    expect(options).toContain('statement_timeout=9000');
    expect(command).toEqual(expect.arrayContaining(['ON_ERROR_STOP=1', "dbname='postgres'"]));
    expect(stdin).toBe(`${password}\n${firstStatement} SELECT 1\n\\q\n`);
    expect(JSON.stringify(command)).not.toContain('SELECT 1');
    expect(cluster.calls[0]).toMatchObject({ options: { timeout: 10_000 } });
  });

  test('and reaches psql as a file with an end, so that its last statement needs no semicolon', async () => {
    const { database, given } = await setUp();
    await database.runScript('postgres', "SELECT 1;\nSELECT '\\q'\n", 10_000);
    const [{ command, stdin } = { command: [], stdin: '' }] = given;
    const through = /\{ (script=.*); \} \| "\$@"$/.exec(command[2] ?? '')?.[1] ?? '';
    const script = stdin.slice(stdin.indexOf('\n') + 1);
    const { stdout } = spawnSync('sh', ['-c', through], { input: `${script}what is read no more\n`, encoding: 'utf8' });
    expect(stdout).toBe(`${firstStatement} SELECT 1;\nSELECT '\\q'\n\n`);
    // Cut on its way: at the end of a statement, within one, and within the end mark.
    for (const length of [script.indexOf(';\nSELECT') + 2, script.length - 6, script.length - 2]) {
      const cut = spawnSync('sh', ['-c', through], { input: script.slice(0, length), encoding: 'utf8' });
      expect(cut.stdout).toBe('the script was cut on its way;\n');
    }
  });

  test('a write is not cut short by the settings of a role or database', async () => {
    const { database, given } = await setUp();
    await database.write('circle', 'ANALYZE;', 10_000);
    const options = given[0]?.command.find((part) => part.includes('default_transaction_read_only'));
    expect(options).toContain('default_transaction_read_only=off');
    expect(options).toContain('statement_timeout=0');
  });

  test.each([
    ['circle', "dbname='circle'"],
    ["o'hara", "dbname='o\\'hara'"],
    ['back\\slash', "dbname='back\\\\slash'"],
    ['host=evil sslmode=disable', "dbname='host=evil sslmode=disable'"],
    ['-c', "dbname='-c'"],
  ])('a database called %j is one word of the connection', async (name, expected) => {
    const { database, given } = await setUp();
    await database.read(name, 'SELECT 1;');
    const command = given[0]?.command ?? [];
    expect(command[command.indexOf('-d') + 1]).toBe(expected);
  });

  test("psql's error is reported, with pod and database, and without the password", async () => {
    const { database, cluster } = await setUp();
    const message = 'psql: error: FATAL:  password authentication failed for user "postgres"';
    cluster.onExec = () => ({ exitCode: 2, stdout: '', stderr: `${message}\n` });
    const error = await thrownBy(() => database.read('circle', 'SELECT 1;'));
    expect(error.code).toBe('psql-failed');
    expect(error.message).toContain(message);
    expect(error.message).toContain('postgresql-0');
    expect(error.message).toContain('"circle"');
    expect(error.message).not.toContain(password);
  });

  test('a failure without a message is reported with its exit code', async () => {
    const { database, cluster } = await setUp();
    cluster.onExec = () => ({ exitCode: 137, stdout: '', stderr: '' });
    expect((await thrownBy(() => database.read('circle', 'SELECT 1;'))).message).toContain('exit code 137');
  });

  test('a command without psql gets no password', async () => {
    const { database, given } = await setUp();
    await database.command(['pg_ctl', 'stop']);
    expect(given).toEqual([{ command: ['pg_ctl', 'stop'], stdin: '' }]);
  });
});

describe('lines of JSON', () => {
  test.each([
    ['', []],
    ['\n', []],
    ['{"a":1}\n[2]\n"text"\n', [{ a: 1 }, [2], 'text']],
  ])('%j → %j', (output, expected) => {
    expect(jsonLines(output)).toEqual(expected);
  });

  test('a line that is none ends it, and is shown', async () => {
    const error = await thrownBy(() => jsonLines(`{"a":1}\nTiming is on.${'x'.repeat(500)}\n`));
    expect(error.code).toBe('unexpected-output');
    expect(error.message).toContain('Timing is on.');
    expect(error.message.length).toBeLessThan(300);
  });
});

describe('what is read of the server', () => {
  test('server, databases, extensions and clients come as they are', async () => {
    const state = serverState();
    state.clients = [
      { pid: 42, database: 'circle', user: 'circle', application: 'api', address: '10.0.0.7', state: 'idle' },
    ];
    const database = fakeDatabase(new FakeCluster(), await target(), state);
    expect(await readServer(database)).toMatchObject({ version: '12.16', versionNumber: 120016, inRecovery: false });
    expect((await readDatabases(database)).map((d) => [d.name, d.allowsConnections])).toEqual([
      ['postgres', true],
      ['template0', false],
      ['template1', true],
      ['circle', true],
    ]);
    const extensions = await readAll(database, await readDatabases(database), extensionsQuestion.statements.join(), 2);
    expect(extensionsOf(extensions)['circle']).toEqual([{ name: 'plpgsql', version: '1.0', shadows: [] }]);
    expect(await readClients(database)).toEqual(state.clients);
  });

  test('an empty answer is an error, never an empty server', async () => {
    const cluster = new FakeCluster();
    await expect(readServer(new Database(cluster, await target(), password, 'postgres'))).rejects.toThrow();
  });

  test('a field that is missing is an error', async () => {
    const cluster = new FakeCluster();
    cluster.onExec = () => ({ exitCode: 0, stdout: '{"name":"circle"}\n', stderr: '' });
    await expect(readDatabases(new Database(cluster, await target(), password, 'postgres'))).rejects.toThrow();
  });
});

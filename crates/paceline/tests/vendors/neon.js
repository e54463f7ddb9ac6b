// The vendor's driver on an endpoint that should be one of its own, and `pg` on the same database as the oracle.
//
//   node neon.js ENDPOINT CONNECTION_STRING PG_URL
//
// Each check throws when it fails; the last line says how many there were.

import assert from 'node:assert/strict';
import { neon, neonConfig, NeonDbError } from '@neondatabase/serverless';
import pg from 'pg';

const [endpoint, connectionString, pgUrl] = process.argv.slice(2);
neonConfig.fetchEndpoint = endpoint;
neonConfig.disableWarningInBrowsers = true;

const sql = neon(connectionString);
const full = neon(connectionString, { fullResults: true });
const direct = new pg.Client({ connectionString: pgUrl });

let checks = 0;
async function check(name, test) {
  try {
    await test();
    checks += 1;
  } catch (error) {
    console.error(`${name}: ${error?.stack ?? error}`);
    process.exitCode = 1;
  }
}

async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

await direct.connect();

await check('tagged templates', async () => {
  const [post] = await sql`SELECT ${1}::int + 1 AS two, ${"it's"} AS text, ${null}::text AS nothing`;
  assert.deepEqual(post, { two: 2, text: "it's", nothing: null });
  assert.deepEqual(await sql`SELECT 1 AS one WHERE false`, []);
});

await check('conventional calls, array mode and full results', async () => {
  assert.deepEqual(await sql.query('SELECT $1::int, $2', [1, 'x'], { arrayMode: true }), [[1, 'x']]);
  const result = await full`INSERT INTO note(body) VALUES (${'a'}), (${'b'}) RETURNING id, body`;
  assert.equal(result.command, 'INSERT');
  assert.equal(result.rowCount, 2);
  assert.deepEqual(result.rows.map((row) => row.body), ['a', 'b']);
  const expected = await direct.query('SELECT id, body FROM note ORDER BY id');
  assert.deepEqual(
    (await full`SELECT id, body FROM note ORDER BY id`).fields,
    expected.fields.map((field) => ({ ...field })),
  );
});

// Each is sent to both; the rows must be the same to the last bit.
const SAME = [
  ['SELECT 9223372036854775807::int8 AS a, 1.10::numeric AS b, (-1.5)::float8 AS c, 0.1::float4 AS d', []],
  ["SELECT 'NaN'::float8 AS a, 'Infinity'::float4 AS b, '-Infinity'::float8 AS c, 'NaN'::numeric AS d", []],
  ['SELECT true AS a, false AS b, NULL::bool AS c', []],
  ['SELECT $1::int[] AS a, $2::text[] AS b', [[1, null, 3], ['a"b', 'c\\d', 'NULL', null, '', 'e,f', '{}']]],
  ['SELECT $1::int[] AS a', [[[1, 2], [3, 4]]]],
  ["SELECT ARRAY[1,NULL]::int8[] AS a, '{}'::text[] AS b, '[0:1]={1,2}'::int[] AS c", []],
  ['SELECT $1::bytea AS a', [Buffer.from([0, 1, 255, 92, 39])]],
  ['SELECT $1::timestamptz AS a, $2::date AS b', [new Date('2026-11-25T20:00:00.123Z'), '2026-02-28']],
  ["SELECT 'infinity'::timestamptz AS a, '2026-01-01 10:00'::timestamp AS b, '25:00'::interval::text AS c", []],
  ['SELECT $1::jsonb AS a, $2::json AS b', [{ x: [1, { y: null }] }, JSON.stringify([1, 'a'])]],
  ["SELECT 'happy'::mood AS a, ARRAY['sad', NULL, 'happy']::mood[] AS b, ROW(1, 'x') AS c", []],
  ['SELECT 1 AS a, 2 AS a', []],
  ["SELECT '(1,1),(0,0)'::box AS a, ARRAY['(1,1),(0,0)', '(3,3),(2,2)']::box[] AS b", []],
  ["SELECT 'a\u{1F600}\u00e9' AS a, E'line\\nbreak\\ttab\\u0001' AS b", []],
  ['SELECT', []],
  ['', []],
];
for (const [text, values] of SAME) {
  await check(`the same as pg: ${text}`, async () => {
    const ours = await full.query(text, values);
    const theirs = await direct.query(text, values);
    assert.deepEqual(ours.rows, theirs.rows.map((row) => ({ ...row })));
    assert.equal(ours.rowCount, theirs.rowCount ?? null);
  });
}

await check('a transaction gives all results', async () => {
  const [first, second] = await sql.transaction(
    [sql`SELECT ${'a'} AS a`, sql`SELECT current_setting('transaction_isolation') AS level, current_setting('transaction_read_only') AS ro`],
    { isolationLevel: 'RepeatableRead', readOnly: true },
  );
  assert.deepEqual(first, [{ a: 'a' }]);
  assert.deepEqual(second, [{ level: 'repeatable read', ro: 'on' }]);
  const deferrable = await sql.transaction([sql`SHOW transaction_deferrable`], {
    isolationLevel: 'Serializable', readOnly: true, deferrable: true,
  });
  assert.deepEqual(deferrable, [[{ transaction_deferrable: 'on' }]]);
});

await check('a batch is undone when its second statement fails', async () => {
  const error = await failure(sql.transaction([
    sql`INSERT INTO note(body) VALUES ('kept?')`,
    sql`INSERT INTO note(id, body) VALUES (1, 'taken')`,
    sql`INSERT INTO note(body) VALUES ('never')`,
  ]));
  assert.ok(error instanceof NeonDbError);
  assert.equal(error.code, '23505');
  assert.equal(error.constraint, 'note_pkey');
  assert.equal(error.table, 'note');
  assert.equal(error.severity, 'ERROR');
  assert.match(error.detail, /\(id\)=\(1\)/);
  const { rows } = await direct.query("SELECT count(*)::int AS n FROM note WHERE body IN ('kept?', 'never')");
  assert.equal(rows[0].n, 0);
});

await check('errors are told as pg tells them', async () => {
  for (const text of ['SELECT nothing', 'SELEC 1', 'SELECT 1/0', 'SELECT 1; SELECT 2', "SELECT 'x'::int"]) {
    const ours = await failure(sql.query(text));
    const theirs = await failure(direct.query(text, text.includes(';') ? ['unused'] : []));
    assert.ok(ours instanceof NeonDbError, text);
    if (!text.includes(';')) {
      for (const part of ['message', 'code', 'severity', 'position', 'detail', 'hint', 'file', 'line', 'routine']) {
        assert.equal(ours[part] ?? undefined, theirs[part] ?? undefined, `${text}: ${part}`);
      }
    } else {
      assert.equal(ours.code, '42601');
    }
  }
});

await check('a wrong password is refused and told as such', async () => {
  const wrong = neon(connectionString.replace(/:[^:@/]+@/, ':wrong@'));
  const error = await failure(wrong`SELECT 1`);
  assert.ok(error instanceof NeonDbError);
  assert.equal(error.code, '28P01');
});

await check('a token instead of a password', async () => {
  const tokened = neon(connectionString.replace(/:[^:@/]+@/, '@'), { authToken: 'a-token-of-the-tests' });
  assert.deepEqual(await tokened`SELECT 1 AS one`, [{ one: 1 }]);
  const wrong = neon(connectionString, { authToken: 'another-token' });
  assert.equal((await failure(wrong`SELECT 1`)).code, '28P01');
});

await check('more than 10 MiB is a 507, and less is not', async () => {
  const [{ x }] = await sql`SELECT repeat('x', 10000000) AS x`;
  assert.equal(x.length, 10_000_000);
  const error = await failure(sql`SELECT repeat('x', 1000000) AS x FROM generate_series(1, 11)`);
  assert.match(error.message, /HTTP status 507/);
  assert.deepEqual(await sql`SELECT 1 AS one`, [{ one: 1 }]);
});

await check('many at once', async () => {
  const all = await Promise.all(Array.from({ length: 50 }, (_, n) => sql`SELECT ${n}::int AS n`));
  assert.deepEqual(all.map(([row]) => row.n), Array.from({ length: 50 }, (_, n) => n));
});

await direct.end();
console.log(`${checks} checks passed`);

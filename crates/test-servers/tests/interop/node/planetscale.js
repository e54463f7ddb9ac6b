// PlanetScale's own client against the double of its server. Every check throws when the double is not as the client
// needs it; the table of checks that ran is printed, so that whoever starts this can count them.
import assert from 'node:assert/strict'
import { connect, DatabaseError } from '@planetscale/database'

const url = process.env.PLANETSCALE_URL
const brief = process.env.PLANETSCALE_BRIEF_URL // its transactions end after a second
const connection = () => connect({ url })
const fails = async (promise, code, message) => {
  const error = await promise.then(
    () => assert.fail('it was not refused'),
    (error) => error
  )
  assert(error instanceof DatabaseError, String(error))
  assert.equal(error.body.code, code, error.message)
  assert.match(error.message, message)
  return error
}

const checks = {
  async 'every type is told and cast'() {
    const conn = connection()
    await conn.execute(`CREATE TABLE types (
      t TINYINT, tu TINYINT UNSIGNED, s SMALLINT, su SMALLINT UNSIGNED, m MEDIUMINT, mu MEDIUMINT UNSIGNED,
      i INT, iu INT UNSIGNED, b BIGINT, bu BIGINT UNSIGNED, f FLOAT, d DOUBLE, n DECIMAL(30,10), bt BIT(10),
      y YEAR, da DATE, dt DATETIME(3), ts TIMESTAMP NULL, ti TIME, c CHAR(4), v VARCHAR(20), bi BINARY(3),
      vb VARBINARY(10), te TEXT, bl BLOB, j JSON, e ENUM('one','two'), se SET('a','b'))`)
    await conn.execute(`INSERT INTO types VALUES (
      -128, 255, -32768, 65535, -8388608, 16777215, -2147483648, 4294967295, -9223372036854775808,
      18446744073709551615, 1.5, 0.1, 12345678901234567890.0123456789, b'1000000001', 2026, '2026-01-31',
      '2026-01-31 12:30:00.250', '2026-01-31 12:30:00', '-100:00:01', 'äb', 'žluť', x'000102', x'ff00', 'text', x'00ff',
      '{"a":[1,null]}', 'two', 'a,b')`)
    const { rows, types, fields } = await conn.execute('SELECT * FROM types')
    assert.deepEqual(types, {
      t: 'INT8', tu: 'UINT8', s: 'INT16', su: 'UINT16', m: 'INT24', mu: 'UINT24', i: 'INT32', iu: 'UINT32',
      b: 'INT64', bu: 'UINT64', f: 'FLOAT32', d: 'FLOAT64', n: 'DECIMAL', bt: 'BIT', y: 'YEAR', da: 'DATE',
      dt: 'DATETIME', ts: 'TIMESTAMP', ti: 'TIME', c: 'CHAR', v: 'VARCHAR', bi: 'BINARY', vb: 'VARBINARY',
      te: 'TEXT', bl: 'BLOB', j: 'JSON', e: 'ENUM', se: 'SET'
    })
    assert.deepEqual(rows[0], {
      t: -128, tu: 255, s: -32768, su: 65535, m: -8388608, mu: 16777215, i: -2147483648, iu: 4294967295,
      b: '-9223372036854775808', bu: '18446744073709551615', f: 1.5, d: 0.1, n: '12345678901234567890.0123456789',
      bt: Uint8Array.of(2, 1), y: 2026, da: '2026-01-31', dt: '2026-01-31 12:30:00.250', ts: '2026-01-31 12:30:00',
      ti: '-100:00:01', c: 'äb', v: 'žluť', bi: Uint8Array.of(0, 1, 2), vb: Uint8Array.of(255, 0), te: 'text',
      bl: Uint8Array.of(0, 255), j: { a: [1, null] }, e: 'two', se: 'a,b'
    })
    const t = fields.find((field) => field.name === 'v')
    assert.equal(t.orgName, 'v')
    assert.equal(t.orgTable, 'types')
    assert.equal(t.columnLength, 80)
    assert.equal(fields.find((field) => field.name === 'bl').charset, 63)
  },

  async 'null is no text, and has a type of its own'() {
    const { rows, types } = await connection().execute("SELECT NULL AS n, '' AS e, CAST(NULL AS CHAR) AS c")
    assert.deepEqual(rows, [{ n: null, e: '', c: null }])
    assert.equal(types.n, 'NULL')
  },

  async 'rows come as arrays, and none at all'() {
    const conn = connection()
    assert.deepEqual((await conn.execute('SELECT 1, 2', null, { as: 'array' })).rows, [[1, 2]])
    const none = await conn.execute('SELECT 1 AS one FROM DUAL WHERE FALSE')
    assert.deepEqual([none.rows, none.headers, none.size], [[], ['one'], 0])
  },

  async 'parameters come back as they were sent'() {
    const conn = connection()
    for (const text of [
      "it's", 'a "b"', 'back\\slash', "\\' OR 1=1 -- ", 'nul\0nul', 'ctrl\x1az', 'line\r\n\ttab\b', 'žluťoučký 🐎', '', '?', ':a',
      "'; DROP TABLE types; --", '\u202e', '%_'
    ]) {
      const { rows } = await conn.execute('SELECT ? AS a, :b AS b'.replace(':b', '?'), [text, text])
      assert.deepEqual(rows, [{ a: text, b: text }])
    }
    const date = new Date('2026-01-31T12:30:00.250Z')
    const values = [null, true, false, 42, -0.5, 12345678901234567890n, date, Uint8Array.of(0, 39, 92, 255)]
    const { rows } = await conn.execute('SELECT ?, ?, ?, ?, ?, ?, CAST(? AS DATETIME(3)), ?', values, { as: 'array' })
    assert.deepEqual(rows[0], [null, 1, 0, 42, '-0.5', '12345678901234567890', '2026-01-31 12:30:00.250',
      Uint8Array.of(0, 39, 92, 255)])
    const inside = await conn.execute('SELECT 2 IN (?) AS found', [[1, 2, 3]])
    assert.equal(inside.rows[0].found, 1)
    const named = await conn.execute('SELECT :name AS n', { name: "O'Hara" })
    assert.equal(named.rows[0].n, "O'Hara")
  },

  async 'ids and counts of rows are told'() {
    const conn = connection()
    await conn.execute('CREATE TABLE counted (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, a INT)')
    const first = await conn.execute('INSERT INTO counted (a) VALUES (1), (2)')
    assert.deepEqual([first.insertId, first.rowsAffected], ['1', 2])
    await conn.execute('ALTER TABLE counted AUTO_INCREMENT = 9007199254740993')
    assert.equal((await conn.execute('INSERT INTO counted (a) VALUES (3)')).insertId, '9007199254740993')
    const unchanged = await conn.execute('UPDATE counted SET a = 1 WHERE a = 1')
    assert.equal(unchanged.rowsAffected, 1, 'rows that are found count')
    const none = await conn.execute('DELETE FROM counted WHERE a = 77')
    assert.deepEqual([none.insertId, none.rowsAffected], ['0', 0])
  },

  async 'a transaction lives on its session'() {
    const conn = connection()
    await conn.execute('CREATE TABLE account (id INT PRIMARY KEY, amount INT)')
    await conn.execute('INSERT INTO account VALUES (1, 100), (2, 0)')
    await conn.transaction(async (tx) => {
      await tx.execute('UPDATE account SET amount = amount - 10 WHERE id = 1')
      await tx.execute('UPDATE account SET amount = amount + 10 WHERE id = 2')
      const seen = await conn.execute('SELECT amount FROM account ORDER BY id')
      assert.deepEqual(seen.rows, [{ amount: 100 }, { amount: 0 }], 'others do not see it before the commit')
      const own = await tx.execute('SELECT amount FROM account ORDER BY id')
      assert.deepEqual(own.rows, [{ amount: 90 }, { amount: 10 }])
    })
    const seen = await conn.execute('SELECT amount FROM account ORDER BY id')
    assert.deepEqual(seen.rows, [{ amount: 90 }, { amount: 10 }])
  },

  async 'a transaction that fails leaves nothing'() {
    const conn = connection()
    const failing = conn.transaction(async (tx) => {
      await tx.execute('UPDATE account SET amount = 0')
      throw new Error('mine')
    })
    await assert.rejects(failing, /mine/)
    await fails(
      conn.transaction(async (tx) => {
        await tx.execute('INSERT INTO account VALUES (3, 1)')
        await tx.execute('INSERT INTO account VALUES (3, 1)')
      }),
      'UNKNOWN',
      /rpc error: code = AlreadyExists desc = Duplicate entry '3' for key '.*PRIMARY' \(errno 1062\) \(sqlstate 23000\)/
    )
    const { rows } = await conn.execute('SELECT id, amount FROM account ORDER BY id')
    assert.deepEqual(rows, [{ id: 1, amount: 90 }, { id: 2, amount: 10 }])
  },

  async 'errors have codes, and the session goes on'() {
    const conn = connection()
    const syntax = await fails(conn.execute('SELEC 1'), 'UNKNOWN', /\(errno 1064\) \(sqlstate 42000\)/)
    assert.equal(syntax.status, 400)
    await fails(conn.execute('SELECT * FROM nowhere'), 'UNKNOWN', /code = NotFound .*\(errno 1146\)/)
    await fails(conn.execute('SELECT 1; SELECT 2'), 'INVALID_ARGUMENT', /more than one statement/)
    assert.equal((await conn.execute('SELECT 1 AS one')).rows[0].one, 1)
  },

  async 'sessions must come back as they were handed out'() {
    const conn = connection()
    await conn.refresh()
    await conn.execute('SET @kept = 7')
    const old = conn.session
    assert.equal((await conn.execute('SELECT @kept AS kept')).rows[0].kept, '7')
    const other = connection()
    assert.equal((await other.execute('SELECT @kept AS kept')).rows[0].kept, null, 'another session')
    other.session = old
    assert.equal((await other.execute('SELECT 1 AS one')).rows[0].one, 1, 'an older one will do without a transaction')
    await conn.execute('BEGIN')
    const open = conn.session
    await conn.execute('SELECT 1')
    for (const stale of [old, open]) {
      other.session = stale
      await fails(other.execute('SELECT 1'), 'invalid_argument', /invalid session/)
    }
    await conn.execute('COMMIT')
    other.session = open
    await fails(other.execute('SELECT 1'), 'invalid_argument', /invalid session/)
    other.session = { ...conn.session, signature: 'AAAA' }
    await fails(other.execute('SELECT 1'), 'invalid_argument', /invalid session/)
    other.session = { signature: 'AAAA', vitessSession: { SessionUUID: 'nobody' } }
    await fails(other.execute('SELECT 1'), 'invalid_argument', /invalid session/)
    assert.equal((await conn.execute('SELECT @kept AS kept')).rows[0].kept, '7')
  },

  async 'a wrong password is refused'() {
    const wrong = new URL(url)
    wrong.password = 'wrong'
    const error = await fails(connect({ url: wrong.toString() }).execute('SELECT 1'), 'unauthenticated', /authorization/)
    assert.equal(error.status, 401)
  },

  async 'an answer has 100,000 rows at most'() {
    const conn = connection()
    assert.equal((await conn.execute('SELECT seq FROM seq_1_to_100000')).size, 100000)
    await fails(conn.execute('SELECT seq FROM seq_1_to_100001'), 'UNKNOWN', /Row count exceeded 100000/)
    assert.equal((await conn.execute('SELECT 1 AS one')).rows[0].one, 1)
  },

  async 'a transaction ends when it is open for too long'() {
    const conn = connect({ url: brief })
    await conn.execute('CREATE TABLE late (id INT PRIMARY KEY)')
    const tx = connect({ url: brief })
    await tx.execute('BEGIN')
    await tx.execute('INSERT INTO late VALUES (1)')
    // Waits for the lock until the first transaction is ended.
    await conn.execute('INSERT INTO late VALUES (1)')
    await fails(tx.execute('INSERT INTO late VALUES (2)'), 'UNKNOWN', /exceeded timeout: 1s/)
    assert.deepEqual((await tx.execute('SELECT id FROM late')).rows, [{ id: 1 }])
  }
}

for (const [name, check] of Object.entries(checks)) {
  try {
    await check()
    console.log(`ok: ${name}`)
  } catch (error) {
    console.log(`not ok: ${name}\n${error.stack}`)
    process.exitCode = 1
  }
}

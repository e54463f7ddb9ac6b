// The same tutorial on PostgreSQL: Express, compression, a pool of pg, two queries a page, and pg-cursor for the export.
// PORT, DATABASE_URL and CONNECTIONS come from the environment.
import compression from 'compression';
import express from 'express';
import pg from 'pg';
import Cursor from 'pg-cursor';

const { PORT, DATABASE_URL, CONNECTIONS } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: Number(CONNECTIONS) });
const app = express();
app.use(compression());

const POST = 'SELECT id, user_id, title, body, created_at FROM posts';

app.get('/api/posts', async (request, response) => {
  const page = Math.max(parseInt(request.query.page, 10) || 1, 1);
  const limit = Math.min(parseInt(request.query.limit, 10) || 20, 100);
  const rows = await pool.query(`${POST} ORDER BY id LIMIT $1 OFFSET $2`, [limit, (page - 1) * limit]);
  const count = await pool.query('SELECT count(*) AS total FROM posts');
  const total = Number(count.rows[0].total);
  response.json({ data: rows.rows, pagination: { page, limit, total, pages: Math.ceil(total / limit) } });
});

app.get('/api/posts-after/:id', async (request, response) => {
  const rows = await pool.query(`${POST} WHERE id > $1 ORDER BY id LIMIT 20`, [Number(request.params.id)]);
  response.json({ data: rows.rows });
});

app.get('/api/posts/:id', async (request, response) => {
  const rows = await pool.query(`${POST} WHERE id = $1`, [Number(request.params.id)]);
  if (rows.rows.length === 0) return response.status(404).json({ error: 'Not found' });
  response.json(rows.rows[0]);
});

app.get('/api/export', async (_request, response) => {
  const client = await pool.connect();
  const cursor = client.query(new Cursor('SELECT id, name, email, created_at FROM people ORDER BY id'));
  response.type('json');
  response.write('[');
  let first = true;
  for (let rows = await cursor.read(1000); rows.length > 0; rows = await cursor.read(1000)) {
    for (const row of rows) {
      const more = response.write((first ? '' : ',') + JSON.stringify(row));
      first = false;
      if (!more) await new Promise((drained) => response.once('drain', drained));
    }
  }
  await cursor.close();
  client.release();
  response.end(']');
});

app.get('/noop', (_request, response) => response.send('ok'));

app.listen(Number(PORT), '127.0.0.1', () => console.log('ready'));

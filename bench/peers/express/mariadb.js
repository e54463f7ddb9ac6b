// The same tutorial on MariaDB: Express, compression, a pool of mysql2, two queries a page, and a stream of rows for the
// export. PORT, DATABASE_URL and CONNECTIONS come from the environment.
import compression from 'compression';
import express from 'express';
import { createPool } from 'mysql2';

const { PORT, DATABASE_URL, CONNECTIONS } = process.env;
const connections = createPool({ uri: DATABASE_URL, connectionLimit: Number(CONNECTIONS), timezone: 'Z' });
const pool = connections.promise();
const app = express();
app.use(compression());

const POST = 'SELECT id, user_id, title, body, created_at FROM posts';

app.get('/api/posts', async (request, response) => {
  const page = Math.max(parseInt(request.query.page, 10) || 1, 1);
  const limit = Math.min(parseInt(request.query.limit, 10) || 20, 100);
  const [rows] = await pool.query(`${POST} ORDER BY id LIMIT ? OFFSET ?`, [limit, (page - 1) * limit]);
  const [[{ total }]] = await pool.query('SELECT COUNT(*) AS total FROM posts');
  response.json({ data: rows, pagination: { page, limit, total, pages: Math.ceil(total / limit) } });
});

app.get('/api/posts-after/:id', async (request, response) => {
  const [rows] = await pool.query(`${POST} WHERE id > ? ORDER BY id LIMIT 20`, [Number(request.params.id)]);
  response.json({ data: rows });
});

app.get('/api/posts/:id', async (request, response) => {
  const [rows] = await pool.query(`${POST} WHERE id = ?`, [Number(request.params.id)]);
  if (rows.length === 0) return response.status(404).json({ error: 'Not found' });
  response.json(rows[0]);
});

app.get('/api/export', async (_request, response) => {
  const rows = connections.query('SELECT id, name, email, created_at FROM people ORDER BY id').stream({ highWaterMark: 1000 });
  response.type('json');
  response.write('[');
  let first = true;
  for await (const row of rows) {
    const more = response.write((first ? '' : ',') + JSON.stringify(row));
    first = false;
    if (!more) await new Promise((drained) => response.once('drain', drained));
  }
  response.end(']');
});

app.get('/noop', (_request, response) => response.send('ok'));

app.listen(Number(PORT), '127.0.0.1', () => console.log('ready'));

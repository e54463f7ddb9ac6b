// The tutorial that everyone copies: Express, compression, a rate limit, SQLite, BullMQ on Redis.
// PORT, SHOP (an SQLite file) and EXPORT (one with a table of many rows) come from the environment;
// with REDIS_PORT the mail routes are there too.
import Database from 'better-sqlite3';
import compression from 'compression';
import express from 'express';
import { rateLimit } from 'express-rate-limit';

const { PORT, SHOP, EXPORT, REDIS_PORT } = process.env;
const shop = new Database(SHOP, { readonly: true });
const app = express();
app.use(compression());
app.use(express.json());

const listPosts = shop.prepare('SELECT id, user_id, title, body, created_at FROM posts ORDER BY id LIMIT ? OFFSET ?');
const listPostsAfter = shop.prepare('SELECT id, user_id, title, body, created_at FROM posts WHERE id > ? ORDER BY id LIMIT ?');
const countPosts = shop.prepare('SELECT count(*) AS total FROM posts');
const findUser = shop.prepare('SELECT id, name, email, created_at FROM users WHERE id = ?');

function pageOf(request) {
  const page = Math.max(parseInt(request.query.page, 10) || 1, 1);
  const limit = Math.min(parseInt(request.query.limit, 10) || 20, 100);
  return { page, limit, rows: listPosts.all(limit, (page - 1) * limit) };
}

app.get('/api/posts', (request, response) => {
  const { page, limit, rows } = pageOf(request);
  const { total } = countPosts.get();
  response.json({ data: rows, pagination: { page, limit, total, pages: Math.ceil(total / limit) } });
});

app.get('/api/posts-without-count', (request, response) => {
  const { page, limit, rows } = pageOf(request);
  response.json({ data: rows, pagination: { page, limit } });
});

app.get('/api/posts-after/:id', (request, response) => {
  response.json({ data: listPostsAfter.all(Number(request.params.id), 20) });
});

app.get('/api/users/:id', (request, response) => {
  const user = findUser.get(Number(request.params.id));
  if (!user) return response.status(404).json({ error: 'Not found' });
  response.json(user);
});

app.get('/api/export', (_request, response) => {
  const big = new Database(EXPORT, { readonly: true });
  const rows = big.prepare('SELECT id, name, email, created_at FROM people ORDER BY id').iterate();
  response.type('json');
  response.write('[');
  let first = true;
  const pump = () => {
    for (let step = rows.next(); !step.done; step = rows.next()) {
      const more = response.write((first ? '' : ',') + JSON.stringify(step.value));
      first = false;
      if (!more) return response.once('drain', pump);
    }
    big.close();
    response.end(']');
  };
  pump();
});

app.get('/noop', (_request, response) => response.send('ok'));
app.get('/noop-limited', rateLimit({ windowMs: 15 * 60 * 1000, limit: 1e12 }), (_request, response) => response.send('ok'));

// What the tutorial begins with: the mail is sent (3 seconds) before the answer.
app.post('/send-email-synchronous', async (_request, response) => {
  await new Promise((sent) => setTimeout(sent, 3000));
  response.json({ success: true, message: 'Email sent' });
});

if (REDIS_PORT) {
  const { Queue } = await import('bullmq');
  const emails = new Queue('emails', {
    connection: { host: '127.0.0.1', port: Number(REDIS_PORT) },
    defaultJobOptions: { attempts: 5, backoff: { type: 'exponential', delay: 2000 }, removeOnComplete: 1000, removeOnFail: 1000 },
  });
  app.post('/send-email', async (request, response) => {
    const { to, subject, body } = request.body;
    if (!to || !subject || !body) return response.status(422).json({ error: 'to, subject and body are needed' });
    const job = await emails.add('send', { to, subject, body });
    response.status(202).json({ success: true, message: 'Email queued', jobId: job.id });
  });
}

app.listen(Number(PORT), '127.0.0.1', () => console.log('ready'));

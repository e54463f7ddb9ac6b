// Bull Board over HTTP. Its packages are loaded when a board is asked for: most tests need none.
import { queueOf } from './shared.js';

let base;

export const commands = {
  /** Serves the board for these queues. */
  async board({ queues }) {
    const { createBullBoard } = await import('@bull-board/api');
    const { BullMQAdapter } = await import('@bull-board/api/bullMQAdapter');
    const { ExpressAdapter } = await import('@bull-board/express');
    const { default: express } = await import('express');
    const serverAdapter = new ExpressAdapter();
    serverAdapter.setBasePath('/board');
    createBullBoard({ queues: queues.map((name) => new BullMQAdapter(queueOf(name))), serverAdapter });
    const app = express();
    app.use('/board', serverAdapter.getRouter());
    const server = app.listen(0, '127.0.0.1');
    await new Promise((ready) => server.once('listening', ready));
    base = `http://127.0.0.1:${server.address().port}/board/api`;
  },
  /** Asks the board. */
  async ask({ method, path, body }) {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await fetch(`${base}${path}`, { method, headers, body: text });
    const said = await answer.text();
    return { status: answer.status, body: said === '' ? null : JSON.parse(said) };
  },
};

// The smallest handler that Node can start: what a cold start is compared with.
import { createServer } from 'node:http';

const answer = JSON.stringify({ id: 1, name: 'A', email: 'a@example.com' });
createServer((_request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(answer);
}).listen(Number(process.env.PORT), '127.0.0.1');

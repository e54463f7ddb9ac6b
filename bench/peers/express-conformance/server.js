// Express as its guides put it together: default tags, the compression middleware, flush() after each piece of a
// stream. What it answers is read from the file named by BEHAVIOURS.
import { readFileSync } from 'node:fs';
import compression from 'compression';
import express from 'express';

const behaviours = JSON.parse(readFileSync(process.env.BEHAVIOURS, 'utf8'));
for (const behaviour of Object.values(behaviours)) {
  behaviour.frames = behaviour.frames.map(({ data, pause }) => (pause ? { pause } : { data: Buffer.from(data, 'base64') }));
}
const writes = new Map();
const app = express();
app.disable('x-powered-by');
app.use(compression());

app.get('/writes-of/:mark', (request, response) => {
  response.type('text/plain').send(String(writes.get(request.params.mark) ?? 0));
});

app.all('/:name', async (request, response) => {
  const behaviour = behaviours[request.params.name];
  if (!behaviour) return response.status(404).send('no such case');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    const mark = request.get('x-conformance-mark');
    writes.set(mark, (writes.get(mark) ?? 0) + 1);
  }
  response.status(behaviour.status);
  for (const [name, value] of behaviour.headers) response.append(name, value);
  if (!behaviour.stream) return whole(request, response, behaviour);
  response.flushHeaders();
  for (const { data, pause } of behaviour.frames) {
    if (pause) await new Promise((resolve) => setTimeout(resolve, pause));
    else {
      response.write(data);
      response.flush();
    }
  }
  if (behaviour.broken) return setTimeout(() => response.destroy(), 50);
  response.end();
});

function whole(request, response, behaviour) {
  const body = behaviour.frames[0].data;
  const condition = request.get('if-range');
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.get('range') ?? '');
  if (!behaviour.ranges || !range || (condition && condition !== response.get('etag'))) return response.send(body);
  const last = Math.min(range[2] === '' ? Infinity : Number(range[2]), body.length - 1);
  response.status(206).set('content-range', `bytes ${range[1]}-${last}/${body.length}`);
  response.send(body.subarray(Number(range[1]), last + 1));
}

app.listen(Number(process.env.PORT), '127.0.0.1');

// A BullMQ program that is told what to do: one JSON line in is a command, one JSON line out is its answer
// or something that happened meanwhile. The Redis to use is in REDIS_PORT.
import { createInterface } from 'node:readline';
import * as board from './board.js';
import * as events from './events.js';
import * as keys from './keys.js';
import * as manage from './manage.js';
import * as producer from './producer.js';
import * as schedulers from './schedulers.js';
import * as steps from './steps.js';
import * as workers from './workers.js';
import { tell } from './shared.js';

const commands = {
  ...producer.commands,
  ...schedulers.commands,
  ...workers.commands,
  ...steps.commands,
  ...manage.commands,
  ...events.commands,
  ...keys.commands,
  ...board.commands,
};

async function answer(line) {
  const { id, command, ...values } = JSON.parse(line);
  try {
    if (!commands[command]) throw new Error(`there is no command ${command}`);
    tell({ id, answer: (await commands[command](values)) ?? null });
  } catch (error) {
    tell({ id, error: error.message });
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('line', answer);
lines.on('close', () => process.exit(0));
tell({ happening: 'ready' });

// Delivers the queued mails: one file each into the folder MAIL, as Paceline's maildir delivery does.
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'bullmq';

const { MAIL, REDIS_PORT } = process.env;
const connection = { host: '127.0.0.1', port: Number(REDIS_PORT), maxRetriesPerRequest: null };
new Worker(
  'emails',
  async ({ data }) => {
    const mail = `To: ${data.to}\r\nSubject: ${data.subject}\r\n\r\n${data.body}\r\n`;
    await writeFile(join(MAIL, randomUUID()), mail);
  },
  { connection, concurrency: 4 },
);

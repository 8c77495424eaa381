import { readFile } from 'node:fs/promises';

/** Where Linux counts what each network interface has received and sent since it started. */
const COUNTERS = '/proc/net/dev';

type Bytes = { readonly received: number; readonly sent: number };

/** Measures the machine's network traffic, from one reading to the next; 0 where the system does not count it. */
export class NetworkMeter {
  #before: Bytes | undefined;

  /**
   * @param elapsedMs milliseconds since the last reading.
   * @returns bits a second, of the direction that has more; loopback is left out.
   */
  async read(elapsedMs: number): Promise<number> {
    const text = await readFile(COUNTERS, 'utf8').catch(() => '');
    const now = sumOf(text);
    const before = this.#before ?? now;
    this.#before = now;
    const bytes = Math.max(now.received - before.received, now.sent - before.sent, 0);
    return (bytes * 8 * 1000) / elapsedMs;
  }
}

/** Each line after the two of the head: a name and a colon, eight counters of what came, and eight of what went. */
export function sumOf(counters: string): Bytes {
  let received = 0;
  let sent = 0;
  for (const line of counters.split('\n').slice(2)) {
    const [name = '', ...numbers] = line.trim().split(/[:\s]+/);
    if (name === '' || name === 'lo') continue;
    received += Number(numbers[0]);
    sent += Number(numbers[8]);
  }
  return { received, sent };
}

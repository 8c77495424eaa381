import { readFileSync } from 'node:fs';

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
  read(elapsedMs: number): number {
    const now = sumOf(counters());
    const before = this.#before ?? now;
    this.#before = now;
    const bytes = Math.max(now.received - before.received, now.sent - before.sent, 0);
    return (bytes * 8 * 1000) / elapsedMs;
  }
}

/** The kernel writes them when they are read, so that no disk is waited for; a thread of the pool would cost more. */
function counters(): string {
  try {
    return readFileSync(COUNTERS, 'utf8');
  } catch {
    return '';
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

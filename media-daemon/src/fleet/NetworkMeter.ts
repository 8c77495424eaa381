import { readFileSync } from 'node:fs';

/** Linux's counters of the bytes that each network interface has received and sent. */
const COUNTERS = '/proc/net/dev';

type Bytes = { readonly received: number; readonly sent: number };

/** Measures the machine's network traffic between two readings; 0 when the system has no counters. */
export class NetworkMeter {
  #before: Bytes | undefined;

  /**
   * @param elapsedMs milliseconds since the last reading.
   * @returns bits a second of the busier direction, without loopback.
   */
  read(elapsedMs: number): number {
    const now = sumOf(counters());
    const before = this.#before ?? now;
    this.#before = now;
    const bytes = Math.max(now.received - before.received, now.sent - before.sent, 0);
    return (bytes * 8 * 1000) / elapsedMs;
  }
}

/** Reads synchronously: the kernel makes the file up without a disk, and a pool thread would cost more. */
function counters(): string {
  try {
    return readFileSync(COUNTERS, 'utf8');
  } catch {
    return '';
  }
}

/** Each line after the two header lines: a name and a colon, eight counters of reception, eight of transmission. */
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

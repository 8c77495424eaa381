import { addressOwner } from '@mediasoup-server/server-kit/limitConnections';
import { type Rate, TokenBucket } from './TokenBucket.ts';

/** How often addresses without open sockets are forgotten, ms. */
const SWEEP_INTERVAL_MS = 60_000;

export type IpLimitsOptions = {
  /** The most sockets of one address at a time. */
  readonly maxSockets: number;
  /** How often one address may open a socket. */
  readonly rate: Rate;
};

type Address = { open: number; readonly bucket: TokenBucket };

/** Limits the sockets of each IP address. */
export class IpLimits {
  readonly #options: IpLimitsOptions;
  readonly #addresses = new Map<string, Address>();
  readonly #sweeper = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS).unref();

  constructor(options: IpLimitsOptions) {
    this.#options = options;
  }

  /** Counts a new socket, or returns the limit that it exceeds. */
  open(ip: string): 'ipSockets' | 'ipSocketRate' | undefined {
    const key = addressOwner(ip);
    const address = this.#addresses.get(key) ?? { open: 0, bucket: new TokenBucket(this.#options.rate) };
    this.#addresses.set(key, address);
    if (address.open >= this.#options.maxSockets) return 'ipSockets';
    if (!address.bucket.take(1)) return 'ipSocketRate';
    address.open++;
    return undefined;
  }

  /** Takes back the count of a socket that closed. */
  close(ip: string): void {
    const address = this.#addresses.get(addressOwner(ip));
    if (address) address.open--;
  }

  stop(): void {
    clearInterval(this.#sweeper);
  }

  #sweep(): void {
    for (const [key, { open, bucket }] of this.#addresses)
      if (open === 0 && bucket.isFull()) this.#addresses.delete(key);
  }
}

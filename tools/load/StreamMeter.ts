/** The measurements of one stream. */
export type StreamReport = {
  readonly received: number;
  readonly bytes: number;
  /** Sequence numbers that are missing between the first and the last received. */
  readonly lost: number;
  readonly duplicates: number;
  /** Packets that came after one with a higher sequence number. */
  readonly outOfOrder: number;
  /** The interarrival jitter of RFC 3550, ms. */
  readonly jitterMs: number;
  /** From the request for media to the first packet, ms; undefined without a packet. */
  readonly firstPacketMs: number | undefined;
};

/** Measures one stream as its packets arrive. */
export class StreamMeter {
  readonly #clockRate: number;
  readonly #seen = new Set<number>();
  #askedAt: number | undefined;
  #firstAt: number | undefined;
  #first = 0;
  #highest = 0;
  #bytes = 0;
  #duplicates = 0;
  #outOfOrder = 0;
  #jitter = 0;
  #transit: number | undefined;

  /** @param clockRate ticks of the RTP timestamp a second. */
  constructor(clockRate: number) {
    this.#clockRate = clockRate;
  }

  /** Marks the time at which the media is requested. */
  asked(now: number): void {
    this.#askedAt = now;
  }

  /** @param now when the packet came, ms. */
  take(packet: Buffer, now: number): void {
    const short = packet.readUInt16BE(2);
    if (this.#firstAt === undefined) {
      this.#firstAt = now;
      this.#first = this.#highest = short;
    }
    // The extended sequence number that is nearest to the highest one.
    const step = ((short - this.#highest + 0x8000) & 0xffff) - 0x8000;
    const sequence = this.#highest + step;
    if (this.#seen.has(sequence)) {
      this.#duplicates++;
      return;
    }
    this.#seen.add(sequence);
    this.#bytes += packet.length;
    this.#first = Math.min(this.#first, sequence);
    if (step < 0) this.#outOfOrder++;
    else this.#highest = sequence;
    const transit = now - (packet.readUInt32BE(4) / this.#clockRate) * 1000;
    if (this.#transit !== undefined) this.#jitter += (Math.abs(transit - this.#transit) - this.#jitter) / 16;
    this.#transit = transit;
  }

  get report(): StreamReport {
    const received = this.#seen.size;
    return {
      received,
      bytes: this.#bytes,
      lost: received === 0 ? 0 : this.#highest - this.#first + 1 - received,
      duplicates: this.#duplicates,
      outOfOrder: this.#outOfOrder,
      jitterMs: this.#jitter,
      firstPacketMs:
        this.#firstAt === undefined || this.#askedAt === undefined ? undefined : this.#firstAt - this.#askedAt,
    };
  }
}

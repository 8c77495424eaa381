import type { NotificationData, Snapshot } from '@mediasoup-server/proto/signaling';
import type { types } from 'mediasoup-client';
import { RoomError } from '../errors.ts';
import type { Data } from '../messages/numbered.ts';
import type { Ask, MediaTransports } from './MediaTransports.ts';

/** How many messages wait for a channel to open; beyond that the oldest are dropped. */
const MOST_WAITING = 256;

type DataProducerInfo = NotificationData<'newDataProducer'>;
/** Whether every message arrives, in order, or is sent once and may be lost. */
export type Reliability = 'reliable' | 'lossy';

interface Channel {
  readonly producer: Promise<types.DataProducer>;
  open: types.DataProducer | undefined;
  readonly waiting: Data[];
}

/** A peer's data channels with one daemon: one of each reliability to send on, and one to receive of each of the others'. */
export class DataChannels {
  readonly #transports: MediaTransports;
  readonly #ask: Ask;
  readonly #protocol: string;
  readonly #received: (peerId: string, protocol: string, data: Data) => void;
  readonly #sending = new Map<Reliability, Channel>();
  readonly #receiving = new Map<string, { readonly peerId: string; consumer?: types.DataConsumer }>();

  /** @param protocol says to the others how the messages that are sent are written. */
  constructor(
    transports: MediaTransports,
    ask: Ask,
    protocol: string,
    received: (peerId: string, protocol: string, data: Data) => void,
  ) {
    this.#transports = transports;
    this.#ask = ask;
    this.#protocol = protocol;
    this.#received = received;
    transports.send.on('producedata', ({ sctpStreamParameters, label = '' }, done, failed) => {
      ask('produceData', { sctpStreamParameters: sctpStreamParameters as never, label, protocol }).then(
        ({ dataProducerId }) => done({ id: dataProducerId }),
        failed,
      );
    });
  }

  /** Makes the channel, so that the others listen by the time of the first message. */
  prepare(reliability: Reliability): Channel {
    const existing = this.#sending.get(reliability);
    if (existing) return existing;
    const producer = this.#transports.send.produceData({
      ordered: reliability === 'reliable',
      ...(reliability === 'lossy' && { maxRetransmits: 0 }),
      label: reliability,
      protocol: this.#protocol,
    });
    const channel: Channel = { producer, open: undefined, waiting: [] };
    this.#sending.set(reliability, channel);
    producer.then(
      (made) => {
        const opened = (): void => {
          channel.open = made;
          for (const data of channel.waiting.splice(0)) made.send(data as never);
        };
        if (made.readyState === 'open') opened();
        else made.on('open', opened);
        made.on('close', () => this.#sending.delete(reliability));
      },
      // Not granted, or lost with the session: another message tries again.
      () => this.#sending.delete(reliability),
    );
    return channel;
  }

  /** Whether what is sent now is on its way at once. */
  isOpen(reliability: Reliability): boolean {
    return this.#sending.get(reliability)?.open !== undefined;
  }

  /** Sends to everybody, when the channel is open. */
  send(data: Data, reliability: Reliability): void {
    const channel = this.prepare(reliability);
    if (channel.open) {
      channel.open.send(data as never);
      return;
    }
    if (channel.waiting.length >= MOST_WAITING) channel.waiting.shift();
    channel.waiting.push(data);
  }

  /** Another peer's channel is there: it is listened to. */
  async opened({ dataProducerId, peerId }: DataProducerInfo): Promise<void> {
    if (this.#receiving.has(dataProducerId)) return;
    const receiving: { readonly peerId: string; consumer?: types.DataConsumer } = { peerId };
    this.#receiving.set(dataProducerId, receiving);
    try {
      const answer = await this.#ask('consumeData', { dataProducerId });
      const { dataConsumerId: id, label, protocol } = answer;
      const sctpStreamParameters = answer.sctpStreamParameters as types.SctpStreamParameters;
      const consumer = await this.#transports.recv.consumeData({
        id,
        dataProducerId,
        sctpStreamParameters,
        label,
        protocol,
      });
      consumer.binaryType = 'arraybuffer';
      receiving.consumer = consumer;
      consumer.on('message', (data: unknown) => {
        this.#received(peerId, protocol, typeof data === 'string' ? data : new Uint8Array(data as ArrayBuffer));
      });
      if (this.#receiving.get(dataProducerId) !== receiving) consumer.close();
    } catch (error) {
      this.#receiving.delete(dataProducerId);
      const { status, code } = RoomError.from(error);
      // Gone meanwhile, not granted, or lost with the session.
      if (status !== 404 && status !== 403 && code !== 'CONNECTION_LOST') throw error;
    }
  }

  closed(dataProducerId: string): void {
    this.#receiving.get(dataProducerId)?.consumer?.close();
    this.#receiving.delete(dataProducerId);
  }

  /** Brings both sides in line after a resume. */
  reconcile({ dataProducers }: Snapshot): void {
    const there = new Set(dataProducers.map(({ dataProducerId }) => dataProducerId));
    for (const dataProducerId of [...this.#receiving.keys()])
      if (!there.has(dataProducerId)) this.closed(dataProducerId);
    for (const dataProducer of dataProducers) void this.opened(dataProducer);
  }
}

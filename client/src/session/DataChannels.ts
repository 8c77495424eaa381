import type { NotificationData, Snapshot } from '@mediasoup-server/proto/signaling';
import type { types } from 'mediasoup-client';
import { RoomError } from '../errors.ts';
import type { Data } from '../messages/numbered.ts';
import type { MediaTransports, SendRequest } from './MediaTransports.ts';

/** How many messages wait for a channel to open at most; the oldest are dropped. */
const MOST_WAITING = 256;

type DataProducerInfo = NotificationData<'newDataProducer'>;
interface Channel {
  open: types.DataProducer | undefined;
  readonly waiting: Data[];
}

/** The data channels of one session: one to send messages that may be lost, and one to receive from each other peer. */
export class DataChannels {
  readonly #transports: MediaTransports;
  readonly #request: SendRequest;
  readonly #protocol: string;
  readonly #received: (peerId: string, protocol: string, data: Data) => void;
  #sending: Channel | undefined;
  readonly #receiving = new Map<string, { readonly peerId: string; consumer?: types.DataConsumer }>();

  /** @param protocol tells the receivers how sent messages are encoded. */
  constructor(
    transports: MediaTransports,
    request: SendRequest,
    protocol: string,
    received: (peerId: string, protocol: string, data: Data) => void,
  ) {
    this.#transports = transports;
    this.#request = request;
    this.#protocol = protocol;
    this.#received = received;
    transports.send.on('producedata', ({ sctpStreamParameters, label = '' }, done, failed) => {
      request('produceData', { sctpStreamParameters: sctpStreamParameters as never, label, protocol }).then(
        ({ dataProducerId }) => done({ id: dataProducerId }),
        failed,
      );
    });
  }

  /** Creates the channel to send on, so that the other peers receive it by the time of the first message. */
  prepare(): Channel {
    if (this.#sending) return this.#sending;
    const options = { ordered: false, maxRetransmits: 0, label: 'lossy', protocol: this.#protocol };
    const channel: Channel = { open: undefined, waiting: [] };
    this.#sending = channel;
    const gone = (): void => {
      if (this.#sending === channel) this.#sending = undefined;
    };
    this.#transports.send.produceData(options).then(
      (made) => {
        const opened = (): void => {
          channel.open = made;
          for (const data of channel.waiting.splice(0)) made.send(data as never);
        };
        if (made.readyState === 'open') opened();
        else made.on('open', opened);
        made.on('close', gone);
      },
      // Not granted, or lost with the session: another message tries again.
      gone,
    );
    return channel;
  }

  /** Whether what is sent now is on its way at once. */
  get isOpen(): boolean {
    return this.#sending?.open !== undefined;
  }

  /** Sends to everybody, when the channel is open; each message once, so that it may be lost. */
  send(data: Data): void {
    const channel = this.prepare();
    if (channel.open) {
      channel.open.send(data as never);
      return;
    }
    if (channel.waiting.length >= MOST_WAITING) channel.waiting.shift();
    channel.waiting.push(data);
  }

  /** Another peer has opened a channel: consumes it. */
  async opened({ dataProducerId, peerId }: DataProducerInfo): Promise<void> {
    if (this.#receiving.has(dataProducerId)) return;
    const receiving: { readonly peerId: string; consumer?: types.DataConsumer } = { peerId };
    this.#receiving.set(dataProducerId, receiving);
    try {
      const answer = await this.#request('consumeData', { dataProducerId });
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
      // The channel or the session is gone, or the peer may not use data channels.
      if (status !== 404 && status !== 403 && code !== 'CONNECTION_LOST') throw error;
    }
  }

  closed(dataProducerId: string): void {
    this.#receiving.get(dataProducerId)?.consumer?.close();
    this.#receiving.delete(dataProducerId);
  }

  /** Applies the snapshot of a resumed session. */
  reconcile({ dataProducers }: Snapshot): void {
    const there = new Set(dataProducers.map(({ dataProducerId }) => dataProducerId));
    for (const dataProducerId of [...this.#receiving.keys()])
      if (!there.has(dataProducerId)) this.closed(dataProducerId);
    for (const dataProducer of dataProducers) void this.opened(dataProducer);
  }
}

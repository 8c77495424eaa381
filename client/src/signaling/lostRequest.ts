import type { Method, RequestData, Snapshot } from '@mediasoup-server/proto/signaling';

/** What became of a request whose answer was lost with its socket. */
export type Fate =
  /** It was done; this would have been the answer. */
  | { readonly is: 'done'; readonly answer: unknown }
  /** It was not done, or doing it twice does no harm. */
  | { readonly is: 'ask again' };

/**
 * Reads from the snapshot of a resumed session what became of a request. The snapshot waits for what was asked over the
 * lost socket (S27), so that what it lacks was not done.
 */
export function fateOf(method: Method, data: unknown, snapshot: Snapshot): Fate {
  switch (method) {
    case 'produce': {
      const { mid } = (data as RequestData<'produce'>).rtpParameters;
      const producer = mid === undefined ? undefined : snapshot.ownProducers.find((own) => own.mid === mid);
      return producer ? { is: 'done', answer: { producerId: producer.producerId } } : { is: 'ask again' };
    }
    case 'produceData': {
      const { streamId } = (data as RequestData<'produceData'>).sctpStreamParameters;
      const producer = snapshot.ownDataProducers.find((own) => own.streamId === streamId);
      return producer ? { is: 'done', answer: { dataProducerId: producer.dataProducerId } } : { is: 'ask again' };
    }
    case 'connectWebRtcTransport': {
      const { transportId } = data as RequestData<'connectWebRtcTransport'>;
      const connected = snapshot.transports.some((own) => own.transportId === transportId && own.connected);
      return connected ? { is: 'done', answer: {} } : { is: 'ask again' };
    }
    default:
      // A consumer whose parameters were lost cannot be used: whoever reconciles closes it, and here it is made anew.
      return { is: 'ask again' };
  }
}

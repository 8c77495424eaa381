import type { Method, RequestData, Snapshot } from '@mediasoup-server/proto/signaling';

/** What became of a request whose answer was lost with its socket. */
export type LostRequestOutcome =
  /** It was done; this would have been the answer. */
  | { readonly kind: 'done'; readonly answer: unknown }
  /** It was not done, or doing it twice does no harm. */
  | { readonly kind: 'repeat' };

/**
 * Reads from the snapshot of a resumed session what became of a request. The snapshot waits for what was asked over the
 * lost socket (S27), so that what it lacks was not done.
 */
export function outcomeOf(method: Method, data: unknown, snapshot: Snapshot): LostRequestOutcome {
  switch (method) {
    case 'produce': {
      const { mid } = (data as RequestData<'produce'>).rtpParameters;
      const producer = mid === undefined ? undefined : snapshot.ownProducers.find((own) => own.mid === mid);
      return producer ? { kind: 'done', answer: { producerId: producer.producerId } } : { kind: 'repeat' };
    }
    case 'produceData': {
      const { streamId } = (data as RequestData<'produceData'>).sctpStreamParameters;
      const producer = snapshot.ownDataProducers.find((own) => own.streamId === streamId);
      return producer ? { kind: 'done', answer: { dataProducerId: producer.dataProducerId } } : { kind: 'repeat' };
    }
    case 'connectWebRtcTransport': {
      const { transportId } = data as RequestData<'connectWebRtcTransport'>;
      const connected = snapshot.transports.some((own) => own.transportId === transportId && own.connected);
      return connected ? { kind: 'done', answer: {} } : { kind: 'repeat' };
    }
    default:
      // A consumer whose parameters were lost cannot be used: whoever reconciles closes it, and here it is made anew.
      return { kind: 'repeat' };
  }
}

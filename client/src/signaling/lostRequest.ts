import type { Method, RequestData, Snapshot } from '@mediasoup-server/proto/signaling';

/** What to do with a request whose answer was lost with its socket. */
export type LostRequestOutcome =
  /** The daemon has handled the request; `answer` is what it answered. */
  | { readonly kind: 'done'; readonly answer: unknown }
  /** The daemon has not handled it, or handling it twice does no harm. */
  | { readonly kind: 'repeat' };

/**
 * Reads from the snapshot of a resumed session whether a request was handled. The daemon takes the snapshot after it has
 * handled all requests of the lost socket (S27), so that anything missing in it was not done.
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
      // A consumer whose parameters were lost cannot be used: `Consumers.reconcile` closes it, and this creates another.
      return { kind: 'repeat' };
  }
}

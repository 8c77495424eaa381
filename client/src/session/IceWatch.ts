import type { types } from 'mediasoup-client';
import { RoomError } from '../errors.ts';

/** How long the first connection may take, ms. A browser whose packets are blocked may try for ever without failing. */
const FIRST_CONNECT_MS = 10_000;
/** How long ICE may be disconnected before it is restarted, ms: most losses end earlier. */
const DISCONNECTED_MS = 1_000;
/** How long a restart may take to reconnect, ms. */
const RESTART_MS = 4_000;
/** How many restarts in a row may fail. */
const MOST_RESTARTS = 3;

type State =
  /** Never connected: nothing was sent, or nothing received. */
  | { readonly kind: 'unused' }
  /** Connects for the first time. */
  | { readonly kind: 'connecting'; readonly timer: ReturnType<typeof setTimeout> }
  | { readonly kind: 'flowing' }
  | { readonly kind: 'disconnected'; readonly timer: ReturnType<typeof setTimeout> }
  /** `timer` starts with the daemon's answer, so that a lost socket does not count as a failed restart. */
  | { readonly kind: 'restarting'; timer?: ReturnType<typeof setTimeout> }
  | { readonly kind: 'over' };

export interface IceWatchHandlers {
  /** Restarts ICE. Resolves with whether the transport is connected: a restart need not interrupt it. */
  restart(): Promise<boolean>;
  flowChanged(): void;
  failed(error: RoomError): void;
}

/** Restarts ICE of one transport when its connection is lost. */
export class IceWatch {
  readonly #handlers: IceWatchHandlers;
  #state: State = { kind: 'unused' };

  constructor(handlers: IceWatchHandlers) {
    this.#handlers = handlers;
  }

  /** Whether media can flow, or soon will. */
  get flowing(): boolean {
    const { kind } = this.#state;
    return kind === 'flowing' || kind === 'unused' || kind === 'connecting';
  }

  changed(to: types.ConnectionState): void {
    switch (to) {
      case 'connected':
        this.#become({ kind: 'flowing' });
        break;
      case 'disconnected':
        if (this.#state.kind === 'flowing') {
          this.#become({ kind: 'disconnected', timer: setTimeout(() => this.#restartNow(1), DISCONNECTED_MS) });
        }
        break;
      case 'failed':
        // A transport that never connected is restarted too; during a restart its timer decides.
        if (this.#state.kind !== 'restarting') this.#restartNow(1);
        break;
      case 'connecting':
        if (this.#state.kind === 'unused')
          this.#become({ kind: 'connecting', timer: setTimeout(() => this.#restartNow(1), FIRST_CONNECT_MS) });
        break;
      case 'new':
      case 'closed':
        break;
    }
  }

  /** Restarts ICE of a transport that was connected, unless that is under way. */
  restart(): void {
    if (this.#state.kind === 'flowing' || this.#state.kind === 'disconnected') this.#restartNow(1);
  }

  fail(error: RoomError): void {
    if (this.#state.kind === 'over') return;
    this.close();
    this.#handlers.failed(error);
  }

  close(): void {
    this.#become({ kind: 'over' });
  }

  #restartNow(attempt: number): void {
    if (this.#state.kind === 'over') return;
    if (attempt > MOST_RESTARTS) {
      this.fail(new RoomError('TRANSPORT_FAILED', 'No media gets through the network'));
      return;
    }
    const state: State = { kind: 'restarting' };
    this.#become(state);
    this.#handlers
      .restart()
      // A restart that is refused counts as failed.
      .catch(() => false)
      .then((connected) => {
        if (this.#state !== state) return;
        if (connected) this.#become({ kind: 'flowing' });
        else state.timer = setTimeout(() => this.#restartNow(attempt + 1), RESTART_MS);
      });
  }

  #become(next: State): void {
    const before = this.flowing;
    if (this.#state.kind === 'over') return;
    if ('timer' in this.#state) clearTimeout(this.#state.timer);
    this.#state = next;
    if (next.kind !== 'over' && before !== this.flowing) this.#handlers.flowChanged();
  }
}

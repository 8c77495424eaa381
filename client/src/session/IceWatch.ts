import type { types } from 'mediasoup-client';
import { RoomError } from '../errors.ts';

/** How long ICE may be disconnected before it is restarted, ms: most losses are over by themselves before that. */
const DISCONNECTED_MS = 1_000;
/** How long a restart may take to bring media back, ms. */
const RESTART_MS = 4_000;
/** How often it is restarted in a row. */
const MOST_RESTARTS = 3;

type State =
  /** Not used so far: nothing is published, or nothing received. */
  | { readonly kind: 'unused' }
  | { readonly kind: 'flowing' }
  | { readonly kind: 'disconnected'; readonly timer: ReturnType<typeof setTimeout> }
  /** `timer` runs from the daemon's answer on: while there is no socket nothing is counted. */
  | { readonly kind: 'restarting'; timer?: ReturnType<typeof setTimeout> }
  | { readonly kind: 'over' };

export interface IceWatchHandlers {
  /** Restarts ICE; resolves with whether it is connected already, which a restart need not interrupt. */
  restart(): Promise<boolean>;
  flowChanged(): void;
  failed(error: RoomError): void;
}

/** Watches one transport's connection, and restarts its ICE when it is lost. */
export class IceWatch {
  readonly #handlers: IceWatchHandlers;
  #state: State = { kind: 'unused' };

  constructor(handlers: IceWatchHandlers) {
    this.#handlers = handlers;
  }

  /** Whether media flows, or would if there were any. */
  get flowing(): boolean {
    return this.#state.kind === 'flowing' || this.#state.kind === 'unused';
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
        // One that was never connected gets its chance too; during a restart the restart's own timer decides.
        if (this.#state.kind !== 'restarting') this.#restartNow(1);
        break;
      case 'new':
      case 'connecting':
      case 'closed':
        break;
    }
  }

  /** Restarts ICE, where it is in use and not being restarted already. */
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
      this.fail(new RoomError('TRANSPORT_FAILED', 'No media gets through'));
      return;
    }
    const state: State = { kind: 'restarting' };
    this.#become(state);
    this.#handlers
      .restart()
      // One that was refused counts as one that did not help.
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

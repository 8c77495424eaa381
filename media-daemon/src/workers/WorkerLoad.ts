import type { types } from 'mediasoup';
import { isSaturated, type Load, loadRatio, type SaturationLimits } from './saturation.ts';
import type { WorkerCpu } from './WorkerCpu.ts';

/** What one worker carries: its CPU time as it was last told, and its consumers as they come and go. */
export class WorkerLoad {
  readonly #cpu: WorkerCpu;
  readonly #limits: SaturationLimits;
  readonly #changed: (saturated: boolean) => void;
  #consumers = 0;
  #saturated: boolean;

  /** @param changed called when the worker becomes saturated, and when it is relieved. */
  constructor(worker: types.Worker, cpu: WorkerCpu, limits: SaturationLimits, changed: (saturated: boolean) => void) {
    this.#cpu = cpu;
    this.#limits = limits;
    this.#changed = changed;
    this.#saturated = isSaturated(false, this.#load, limits);
    const count = ({ observer }: { observer: { once(event: 'close', listener: () => void): unknown } }) => {
      this.#consumers++;
      this.reevaluate();
      observer.once('close', () => {
        this.#consumers--;
        this.reevaluate();
      });
    };
    worker.observer.on('newrouter', (router) =>
      router.observer.on('newtransport', (transport) => {
        transport.observer.on('newconsumer', count);
        transport.observer.on('newdataconsumer', count);
      }),
    );
  }

  /** Consumers and data consumers, those of pipes among them. */
  get consumers(): number {
    return this.#consumers;
  }

  /** How near the worker is to its limits; at 1 it is saturated. */
  get ratio(): number {
    return loadRatio(this.#load, this.#limits);
  }

  get saturated(): boolean {
    return this.#saturated;
  }

  /** Decides again whether it is saturated, after its CPU time or its consumers changed. */
  reevaluate(): void {
    const saturated = isSaturated(this.#saturated, this.#load, this.#limits);
    if (saturated === this.#saturated) return;
    this.#saturated = saturated;
    this.#changed(saturated);
  }

  get #load(): Load {
    return { cpu: this.#cpu.ratio, consumers: this.#consumers };
  }
}

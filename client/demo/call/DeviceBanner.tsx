import type { LocalDevices } from '../devices/LocalDevices.ts';
import { deviceWords } from '../words/deviceWords.ts';

/** Says during a call which device is missing, until it is back. */
export function DeviceBanner({ devices }: { devices: LocalDevices }) {
  return [devices.camera, devices.microphone].map((capture) => {
    if (capture.state.status !== 'failed') return null;
    const { title, text } = deviceWords(capture.state.problem, capture.kind);
    return (
      <div
        key={capture.kind}
        class="banner"
        role="status"
        data-testid={`${capture.kind}-problem`}
        data-problem={capture.state.problem}
      >
        <p>
          <strong>{title}.</strong> {text}
        </p>
        <button type="button" class="small" onClick={() => void capture.start()}>
          Try again
        </button>
        <button type="button" class="small quiet" onClick={() => capture.stop()}>
          Go on without
        </button>
      </div>
    );
  });
}

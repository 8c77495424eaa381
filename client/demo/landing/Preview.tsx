import { useEffect, useRef } from 'preact/hooks';
import type { Capture } from '../devices/Capture.ts';
import type { LocalDevices } from '../devices/LocalDevices.ts';
import { Icon } from '../Icon.tsx';
import { deviceWords } from '../words/deviceWords.ts';
import { LevelMeter } from './LevelMeter.tsx';

/** The person's picture as others will see it, and the switches of camera and microphone. */
export function Preview({ devices }: { devices: LocalDevices }) {
  const { camera, microphone } = devices;
  const video = useRef<HTMLVideoElement>(null);
  const track = camera.track;
  useEffect(() => {
    if (video.current) video.current.srcObject = track ? new MediaStream([track]) : null;
  }, [track]);
  return (
    <section class="preview" aria-label="Preview" data-testid="preview" data-camera={camera.state.status}>
      <div class="preview-picture">
        <video ref={video} autoplay playsInline muted hidden={!track} aria-label="Your camera" />
        <CameraWords camera={camera} />
        <div class="preview-switches">
          <Switch capture={microphone} icon="mic" label="Microphone" />
          <Switch capture={camera} icon="camera" label="Camera" />
        </div>
      </div>
      <LevelMeter track={microphone.track} />
      {microphone.state.status === 'failed' && <Problem capture={microphone} />}
    </section>
  );
}

/** The text that is shown instead of the picture. */
function CameraWords({ camera }: { camera: Capture }) {
  const { state } = camera;
  switch (state.status) {
    case 'on':
      return null;
    case 'off':
      return <p class="preview-words">Your camera is off</p>;
    case 'starting':
      return <p class="preview-words">Starting your camera… Your browser may ask whether it may.</p>;
    case 'failed':
      return <Problem capture={camera} />;
  }
}

function Problem({ capture }: { capture: Capture }) {
  if (capture.state.status !== 'failed') return null;
  const { title, text } = deviceWords(capture.state.problem, capture.kind);
  return (
    <div
      class="device-problem"
      role="status"
      data-testid={`${capture.kind}-problem`}
      data-problem={capture.state.problem}
    >
      <strong>{title}</strong>
      <span>{text}</span>
      {capture.state.problem !== 'insecure' && (
        <button type="button" class="small" onClick={() => void capture.start()}>
          Try again
        </button>
      )}
    </div>
  );
}

function Switch({ capture, icon, label }: { capture: Capture; icon: 'mic' | 'camera'; label: string }) {
  const { status } = capture.state;
  return (
    <button
      type="button"
      class={`round ${status === 'on' ? '' : 'off'}`}
      aria-pressed={capture.wanted}
      aria-label={label}
      title={`${label} ${capture.wanted ? 'on' : 'off'}`}
      data-testid={`switch-${capture.kind}`}
      onClick={() => (capture.wanted ? capture.stop() : void capture.start())}
    >
      <Icon name={icon} crossed={status !== 'on'} />
      {status === 'failed' && <span class="flag" aria-hidden="true" />}
    </button>
  );
}

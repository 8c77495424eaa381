import { canShareScreen } from '../devices/canShareScreen.ts';
import { Icon, type IconName } from '../Icon.tsx';

interface ControlsProps {
  readonly microphoneOn: boolean;
  readonly cameraOn: boolean;
  readonly sharing: boolean;
  readonly chatOpen: boolean;
  readonly unread: number;
  readonly onMicrophone: () => void;
  readonly onCamera: () => void;
  readonly onScreen: () => void;
  readonly onChat: () => void;
  readonly onLeave: () => void;
}

/** The most used controls, at the bottom where a thumb reaches them. */
export function Controls(props: ControlsProps) {
  const { microphoneOn, cameraOn, sharing, chatOpen, unread } = props;
  return (
    <footer class="controls">
      <Control
        id="mute"
        icon="mic"
        off={!microphoneOn}
        label={microphoneOn ? 'Mute' : 'Unmute'}
        onClick={props.onMicrophone}
      />
      <Control
        id="camera"
        icon="camera"
        off={!cameraOn}
        label="Camera"
        title={cameraOn ? 'Turn the camera off' : 'Turn the camera on'}
        onClick={props.onCamera}
      />
      {canShareScreen() && (
        <Control
          id="screen"
          icon="screen"
          active={sharing}
          label={sharing ? 'Stop sharing' : 'Share'}
          onClick={props.onScreen}
        />
      )}
      <Control id="chat" icon="chat" active={chatOpen} label="Chat" count={unread} onClick={props.onChat} />
      <Control id="leave" icon="leave" danger label="Leave" onClick={props.onLeave} />
    </footer>
  );
}

interface ControlProps {
  readonly id: string;
  readonly icon: IconName;
  readonly label: string;
  /** What the button does, if its label does not say it. */
  readonly title?: string;
  readonly off?: boolean;
  readonly active?: boolean;
  readonly danger?: boolean;
  readonly count?: number;
  readonly onClick: () => void;
}

function Control({
  id,
  icon,
  label,
  title,
  off = false,
  active = false,
  danger = false,
  count = 0,
  onClick,
}: ControlProps) {
  return (
    <button
      type="button"
      data-testid={id}
      class={`control ${off ? 'off' : ''} ${active ? 'active' : ''} ${danger ? 'danger' : ''}`}
      onClick={onClick}
      title={title ?? label}
      aria-label={title && `${label}: ${title}`}
    >
      <Icon name={icon} crossed={off} />
      <span>{label}</span>
      {count > 0 && (
        <span class="count">
          {count}
          <span class="visually-hidden"> unread</span>
        </span>
      )}
    </button>
  );
}

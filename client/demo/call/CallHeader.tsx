import type { Room } from '../../src/index.ts';
import { CopyLink } from '../CopyLink.tsx';
import { Icon, type IconName } from '../Icon.tsx';
import { ThemeSwitch } from '../ThemeSwitch.tsx';
import type { StageView } from './Stage.tsx';
import { StateBadge } from './StateBadge.tsx';

export type PanelName = 'chat' | 'connection' | 'keys' | 'break';

interface CallHeaderProps {
  readonly room: Room;
  readonly view: StageView;
  readonly panel: PanelName | undefined;
  /** Whether a development server that can cause failures served this page. */
  readonly canBreak: boolean;
  readonly onView: () => void;
  readonly onPanel: (name: PanelName) => void;
}

export function CallHeader({ room, view, panel, canBreak, onView, onPanel }: CallHeaderProps) {
  const other = view === 'grid' ? 'speaker' : 'grid';
  const opener = (name: PanelName, icon: IconName, label: string) => (
    <button
      type="button"
      class={`quiet icon-only ${panel === name ? 'active' : ''}`}
      aria-expanded={panel === name}
      aria-label={label}
      title={label}
      data-testid={`open-${name}`}
      onClick={() => onPanel(name)}
    >
      <Icon name={icon} />
    </button>
  );
  return (
    <header class="call-header">
      <h1 title={room.roomId}>{room.roomId}</h1>
      <StateBadge state={room.state} />
      <div class="tools">
        <CopyLink roomId={room.roomId} compact />
        <button
          type="button"
          class="quiet icon-only"
          aria-label={`Show the ${other} view`}
          title={`Show the ${other} view`}
          data-testid="view"
          onClick={onView}
        >
          <Icon name={other === 'grid' ? 'grid' : 'spotlight'} />
        </button>
        {opener('connection', 'chart', 'Connection')}
        {canBreak && opener('break', 'hammer', 'Break something')}
        {opener('keys', 'keyboard', 'Keyboard')}
        <ThemeSwitch />
      </div>
    </header>
  );
}

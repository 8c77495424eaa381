import { Panel } from './Panel.tsx';
import type { Shortcut } from './shortcuts.ts';

interface ShortcutsPanelProps {
  readonly shortcuts: readonly Shortcut[];
  readonly enabled: boolean;
  readonly onEnable: (enabled: boolean) => void;
  readonly onClose: () => void;
}

/** Lists the shortcuts. They can be turned off for people who press keys by accident or by speech input. */
export function ShortcutsPanel({ shortcuts, enabled, onEnable, onClose }: ShortcutsPanelProps) {
  return (
    <Panel title="Keyboard" name="keys" onClose={onClose}>
      <div class="panel-body">
        <dl class="keys">
          {shortcuts.map(({ key, does }) => (
            <div key={key}>
              <dt>
                <kbd>{key === 'escape' ? 'Esc' : key.toUpperCase()}</kbd>
              </dt>
              <dd>{does}</dd>
            </div>
          ))}
          <div>
            <dt>
              <kbd>Tab</kbd>
            </dt>
            <dd>Go to the next button; every control is one</dd>
          </div>
        </dl>
        <label class="check">
          <input type="checkbox" checked={enabled} onChange={(event) => onEnable(event.currentTarget.checked)} />
          Single keys do this
        </label>
      </div>
    </Panel>
  );
}

import { useEffect, useState } from 'preact/hooks';
import { Icon } from './Icon.tsx';
import { chooseTheme, currentTheme } from './theme.ts';

/** Switches between light and dark; until it is used, the system's theme applies. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState(currentTheme);
  useEffect(() => {
    const system = matchMedia('(prefers-color-scheme: light)');
    const follow = () => setTheme(currentTheme());
    system.addEventListener('change', follow);
    return () => system.removeEventListener('change', follow);
  }, []);
  const other = theme === 'dark' ? 'light' : 'dark';
  return (
    <button
      type="button"
      class="quiet icon-only"
      data-testid="theme"
      aria-label={`Use the ${other} theme`}
      title={`Use the ${other} theme`}
      onClick={() => {
        chooseTheme(other);
        setTheme(other);
      }}
    >
      <Icon name={other === 'light' ? 'sun' : 'moon'} />
    </button>
  );
}

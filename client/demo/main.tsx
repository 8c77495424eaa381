import { render } from 'preact';
import { App } from './App.tsx';
import { ErrorBoundary } from './ErrorBoundary.tsx';
import { restoreTheme } from './theme.ts';

restoreTheme();

const root = document.getElementById('app');
if (root) {
  root.textContent = '';
  render(
    <ErrorBoundary>
      <App />
    </ErrorBoundary>,
    root,
  );
}

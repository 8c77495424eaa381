import { Component, type ComponentChildren } from 'preact';

/** Shows an error of the rendering instead of a blank page. */
export class ErrorBoundary extends Component<{ children: ComponentChildren }, { message?: string }> {
  static override getDerivedStateFromError(error: unknown): { message: string } {
    return { message: error instanceof Error ? error.message : String(error) };
  }

  override render() {
    if (this.state.message === undefined) return this.props.children;
    return (
      <main class="page">
        <section class="card" role="alert">
          <h1>Something broke on this page</h1>
          <p class="muted">{this.state.message}</p>
          <button type="button" class="primary" onClick={() => location.reload()}>
            Reload
          </button>
        </section>
      </main>
    );
  }
}

// A view that fails shows that it did; the others and the frame stay.

import { Component, type ReactNode } from 'react';

export class ErrorBoundary extends Component<
  { readonly children: ReactNode },
  { readonly message: string | null }
> {
  override readonly state: { readonly message: string | null } = { message: null };

  static getDerivedStateFromError(error: unknown) {
    return { message: error instanceof Error ? error.message : String(error) };
  }

  override render(): ReactNode {
    const { message } = this.state;
    if (message === null) return this.props.children;
    return (
      <div className="nothing" role="alert">
        <strong>This view has failed</strong>
        <span className="mono">{message}</span>
        <button className="plain" onClick={() => this.setState({ message: null })}>
          Show it again
        </button>
      </div>
    );
  }
}

// Catches an error that a screen throws while it renders, so that the rest of the page stays usable.
import { Component, type ComponentChildren } from "preact";
import { ErrorPanel } from "../components/error-panel.tsx";

interface State {
  readonly failure: unknown;
}

export class ErrorBoundary extends Component<{ readonly children: ComponentChildren }, State> {
  override state: State = { failure: undefined };

  override componentDidCatch(failure: unknown): void {
    console.error(failure);
    this.setState({ failure });
  }

  override render() {
    if (this.state.failure === undefined) return this.props.children;
    return <ErrorPanel failure={this.state.failure} onRetry={() => this.setState({ failure: undefined })} />;
  }
}

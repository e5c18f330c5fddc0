// The whole page: asks for a token once, then shows the view that the address names, in its frame.

import { lazy, Suspense, useCallback, useEffect, useState, type ComponentType } from 'react';
import { Frame, type ViewEntry } from './frame';
import { GatewayClient } from './gateway/client';
import { Live } from './gateway/live';
import { SourceContext, type Source } from './gateway/live-context';
import { ErrorBoundary } from './parts/error-boundary';
import { AddressesIcon, HostsIcon, RaftIcon, TimelineIcon, TopologyIcon } from './parts/icons';
import { SignIn } from './session/sign-in';
import { forgetToken, keepToken, loadToken } from './session/token';

interface View extends ViewEntry {
  readonly Component: ComponentType;
}

const views: readonly View[] = [
  {
    path: 'topology',
    title: 'Topology',
    Icon: TopologyIcon,
    Component: lazy(() => import('./views/topology/topology-view')),
  },
  {
    path: 'raft',
    title: 'Raft',
    Icon: RaftIcon,
    Component: lazy(() => import('./views/raft/raft-view')),
  },
  {
    path: 'addresses',
    title: 'Addresses',
    Icon: AddressesIcon,
    Component: lazy(() => import('./views/addresses/addresses-view')),
  },
  {
    path: 'hosts',
    title: 'Hosts',
    Icon: HostsIcon,
    Component: lazy(() => import('./views/hosts/hosts-view')),
  },
  {
    path: 'timeline',
    title: 'Timeline',
    Icon: TimelineIcon,
    Component: lazy(() => import('./views/timeline/timeline-view')),
  },
];
const firstView = views[0] as View;

function viewOf(hash: string): View {
  const path = hash.replace(/^#\/?/, '').split('?')[0];
  return views.find((view) => view.path === path) ?? firstView;
}

export function App() {
  const [token, setToken] = useState(loadToken);
  const [refusal, setRefusal] = useState<string>();
  const [source, setSource] = useState<Source>();

  useEffect(() => {
    if (token === undefined) return undefined;
    const client = new GatewayClient(token);
    const live = new Live(client);
    setSource({ client, live });
    live.start();
    return () => live.close();
  }, [token]);

  const enter = useCallback((given: string) => {
    keepToken(given);
    setRefusal(undefined);
    setToken(given);
  }, []);
  const leave = useCallback((why?: string) => {
    forgetToken();
    setRefusal(why);
    setToken(undefined);
    setSource(undefined);
  }, []);

  if (token === undefined) return <SignIn problem={refusal} onEnter={enter} />;
  if (source === undefined) return null;
  return (
    <SourceContext value={source}>
      <Shown onLeave={leave} />
    </SourceContext>
  );
}

function Shown({ onLeave }: { readonly onLeave: (why?: string) => void }) {
  const view = useView();
  return (
    <Frame views={views} view={view} onLeave={onLeave}>
      <ErrorBoundary key={view.path}>
        <Suspense fallback={<p className="unseen">Loading</p>}>
          <view.Component />
        </Suspense>
      </ErrorBoundary>
    </Frame>
  );
}

function useView(): View {
  const [view, setView] = useState(() => viewOf(window.location.hash));
  useEffect(() => {
    const follow = () => setView(viewOf(window.location.hash));
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, []);
  return view;
}

// The graph itself, on a canvas. It is told what to show and tells which endpoint was pressed; what it holds from one moment to
// the next is only where the reader looks.

import { useEffect, useMemo, useRef } from 'react';
import cytoscape, { type Core, type ElementDefinition } from 'cytoscape';
import type { Reachability } from '../../gateway/live';
import { networkColors } from '../../model/palette';
import { place, type Placement } from '../../model/placement';
import type { World } from '../../model/world';
import { themeColor, useThemeCount } from '../../parts/theme';
import { elementsOf } from './graph-elements';
import { graphStyle } from './graph-style';

const margin = 34;

export function TopologyGraph(props: {
  readonly world: World;
  readonly reachability?: Reachability | undefined;
  readonly focus?: string | undefined;
  readonly chosen: readonly string[];
  readonly onChoose?: (endpointId: string) => void;
}) {
  const { world, reachability, focus, chosen, onChoose } = props;
  const container = useRef<HTMLDivElement>(null);
  const graph = useRef<Core | null>(null);
  const former = useRef<Placement | undefined>(undefined);
  const choose = useRef(onChoose);
  choose.current = onChoose;
  const themeCount = useThemeCount();

  const placement = useMemo(() => (former.current = place(world, former.current)), [world]);
  const colors = useMemo(() => networkColors(world.networks.values()), [world.networks]);

  useEffect(() => {
    const cy = cytoscape({
      container: container.current,
      autoungrabify: true,
      boxSelectionEnabled: false,
      minZoom: 0.1,
      maxZoom: 3,
    });
    graph.current = cy;
    cy.on('tap', 'node.endpoint', ({ target }) => choose.current?.(target.id() as string));
    const watch = new ResizeObserver(() => {
      cy.resize();
      cy.fit(undefined, margin);
    });
    if (container.current !== null) watch.observe(container.current);
    return () => {
      watch.disconnect();
      cy.destroy();
      graph.current = null;
    };
  }, []);

  useEffect(() => {
    const cy = graph.current;
    if (cy === null) return;
    const colorOf = (networkId: string) => themeColor(colors.get(networkId) ?? 'line-strong');
    const look = { colorOf, reachability, focus, chosen };
    const hosts = cy.nodes('.host').length;
    show(cy, elementsOf(world, placement, look));
    // The reader's view is kept while hosts stay; with other hosts all of them are shown.
    if (cy.nodes('.host').length !== hosts) cy.fit(undefined, margin);
  }, [world, placement, colors, reachability, focus, chosen, themeCount]);

  useEffect(() => void graph.current?.style(graphStyle()), [themeCount]);

  const zoom = (factor: number) => {
    const cy = graph.current;
    cy?.zoom({
      level: cy.zoom() * factor,
      renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 },
    });
  };
  return (
    <div className="graph">
      <div className="canvas" ref={container} aria-hidden="true" />
      <div className="zoom">
        <button className="plain" onClick={() => zoom(1.3)} aria-label="Closer">
          +
        </button>
        <button className="plain" onClick={() => zoom(1 / 1.3)} aria-label="Further away">
          −
        </button>
        <button className="plain" onClick={() => graph.current?.fit(undefined, margin)}>
          All
        </button>
      </div>
    </div>
  );
}

/** Adds, changes and removes what differs. */
function show(cy: Core, elements: readonly ElementDefinition[]): void {
  cy.batch(() => {
    const wanted = new Set(elements.map(({ data }) => data.id));
    cy.elements()
      .filter((element) => !wanted.has(element.id()))
      .remove();
    for (const element of elements) {
      const known = cy.getElementById(String(element.data.id));
      if (known.empty()) {
        cy.add(element);
        continue;
      }
      known.data(element.data);
      known.classes(element.classes ?? '');
      if (element.position !== undefined) known.position(element.position);
    }
  });
}

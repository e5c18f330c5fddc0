// The graph itself, on a canvas. It is told what to show and tells which endpoint was pressed; what it holds from one moment to
// the next is only where the reader looks.

import { useEffect, useMemo, useRef, useState } from 'react';
import cytoscape, { type Core, type ElementDefinition } from 'cytoscape';
import type { Reachability } from '../../gateway/live';
import { networkColors } from '../../model/palette';
import { place, type Placement } from '../../model/placement';
import type { Rates } from '../../model/traffic';
import type { World } from '../../model/world';
import { themeColor, useThemeCount } from '../../parts/theme';
import { elementsOf } from './graph-elements';
import { graphStyle } from './graph-style';

const margin = 24;
/** Of hosts' names, in the graph's units; the second is on the screen. */
const leastLabel = 17;
const readableLabel = 10.5;
const mostLabel = 54;

export function TopologyGraph(props: {
  readonly world: World;
  readonly reachability?: Reachability | undefined;
  readonly focus?: string | undefined;
  readonly chosen: readonly string[];
  readonly rates?: Rates | undefined;
  readonly onChoose?: (endpointId: string) => void;
}) {
  const { world, reachability, focus, chosen, rates, onChoose } = props;
  const container = useRef<HTMLDivElement>(null);
  const graph = useRef<Core | null>(null);
  const former = useRef<Placement | undefined>(undefined);
  const choose = useRef(onChoose);
  choose.current = onChoose;
  const themeCount = useThemeCount();
  /** Whether the reader has moved or zoomed: then the view is his. */
  const isHis = useRef(false);
  const [aspect, setAspect] = useState(1.4);

  const placement = useMemo(
    () => (former.current = place(world, former.current, aspect)),
    [world, aspect],
  );
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
    cy.on('dragpan pinchzoom scrollzoom', () => void (isHis.current = true));
    cy.on('zoom', () => sizeLabels(cy));
    cy.on('tap', 'node.endpoint', ({ target }) => choose.current?.(target.id() as string));
    const watch = new ResizeObserver(() => {
      cy.resize();
      // In steps, so that a scroll bar that comes or goes moves nobody.
      setAspect(Math.round((10 * cy.width()) / Math.max(1, cy.height())) / 10);
      if (!isHis.current) cy.fit(undefined, margin);
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
    const look = { colorOf, reachability, focus, chosen, rates };
    const hosts = cy.nodes('.host').length;
    show(cy, elementsOf(world, placement, look));
    // The reader's own view is kept while hosts stay; with other hosts all of them are shown.
    if (cy.nodes('.host').length !== hosts) isHis.current = false;
    if (!isHis.current) cy.fit(undefined, margin);
    sizeLabels(cy);
  }, [world, placement, colors, reachability, focus, chosen, rates, themeCount]);

  useEffect(() => void graph.current?.style(graphStyle()), [themeCount]);

  const zoom = (factor: number) => {
    const cy = graph.current;
    isHis.current = true;
    cy?.zoom({
      level: cy.zoom() * factor,
      renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 },
    });
  };
  const showAll = () => {
    isHis.current = false;
    graph.current?.fit(undefined, margin);
  };
  return (
    <div className="graph">
      <div className="zoom">
        <button className="plain" onClick={() => zoom(1.3)} aria-label="Closer">
          +
        </button>
        <button className="plain" onClick={() => zoom(1 / 1.3)} aria-label="Further away">
          −
        </button>
        <button className="plain" onClick={showAll}>
          All
        </button>
      </div>
      <div className="canvas" ref={container} aria-hidden="true" />
    </div>
  );
}

/** Names of hosts can be read from far away too, as far as there is room above the boxes. */
function sizeLabels(cy: Core): void {
  const size = Math.round(Math.min(mostLabel, Math.max(leastLabel, readableLabel / cy.zoom())));
  cy.nodes('.host')
    .filter((host) => host.numericStyle('font-size') !== size)
    .style('font-size', size);
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

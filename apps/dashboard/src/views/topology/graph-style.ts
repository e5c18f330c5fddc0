// How the graph looks, in the colours of the theme. A state is told by shape and line as well as by colour.

import type { StylesheetJson } from 'cytoscape';
import { themeColor } from '../../parts/theme';

export function graphStyle(): StylesheetJson {
  const ink = themeColor('ink');
  return [
    {
      selector: 'node',
      style: {
        'font-family': 'system-ui, sans-serif',
        color: ink,
        'text-outline-width': 0,
        'overlay-opacity': 0,
      },
    },
    {
      selector: 'node.host',
      style: {
        shape: 'round-rectangle',
        width: 'data(box)',
        height: 'data(box)',
        'background-color': themeColor('sunken'),
        'border-width': 1.5,
        'border-color': themeColor('line-strong'),
        label: 'data(label)',
        'font-size': 17,
        'font-weight': 600,
        'text-max-width': 'data(room)',
        'text-wrap': 'ellipsis',
        'text-valign': 'top',
        'text-margin-y': -7,
        'z-index': 1,
        events: 'no',
      },
    },
    {
      selector: 'node.host.down',
      style: {
        'border-style': 'dashed',
        'border-width': 3,
        'border-color': themeColor('bad'),
        color: themeColor('bad'),
        'background-color': themeColor('bad-soft'),
      },
    },
    {
      selector: 'node.endpoint',
      style: {
        shape: 'ellipse',
        width: 19,
        height: 19,
        'background-color': 'data(color)',
        'border-width': 0,
        label: 'data(label)',
        'font-size': 9,
        'min-zoomed-font-size': 7,
        'text-valign': 'bottom',
        'text-margin-y': 3,
        'text-max-width': '34px',
        'text-wrap': 'ellipsis',
        'z-index': 3,
      },
    },
    {
      selector: 'node.endpoint.suspended',
      style: {
        shape: 'diamond',
        'background-opacity': 0,
        'border-width': 2.5,
        'border-color': 'data(color)',
      },
    },
    {
      selector: 'node.endpoint.chosen',
      style: { width: 26, height: 26, 'border-width': 4, 'border-color': ink },
    },
    {
      selector: 'edge',
      style: {
        'curve-style': 'bezier',
        'control-point-step-size': 26,
        width: 'data(width)',
        label: 'data(label)',
        'font-family': 'system-ui, sans-serif',
        'font-size': 11,
        'min-zoomed-font-size': 7,
        color: ink,
        'text-background-color': themeColor('surface'),
        'text-background-opacity': 0.85,
        'text-background-padding': '2px',
        'text-rotation': 'autorotate',
        'line-color': 'data(color)',
        'line-opacity': 0.65,
        'overlay-opacity': 0,
        'z-index': 0,
        events: 'no',
      },
    },
    { selector: 'edge.many', style: { width: 1, 'line-opacity': 0.25 } },
    { selector: 'edge.small, edge.damaged', style: { 'line-style': 'dashed', width: 3 } },
    {
      selector: 'edge.none, edge.cut',
      style: { 'line-style': 'dotted', 'line-color': themeColor('bad'), width: 3 },
    },
    { selector: 'edge.way', style: { width: 7, 'line-opacity': 1, 'z-index': 2 } },
    { selector: '.faded', style: { opacity: 0.14 } },
  ];
}

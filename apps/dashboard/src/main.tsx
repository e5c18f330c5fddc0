// Where the page begins.

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { applyTheme } from './parts/theme';
import './style/theme.css';
import './style/base.css';
import './style/frame.css';

applyTheme();
const place = document.getElementById('page');
if (place === null) throw new Error('The document has no place for the page');
createRoot(place).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

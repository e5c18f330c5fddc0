// Light or dark: the system's wish until the reader chooses, and then the choice.

import { useCallback, useEffect, useState } from 'react';

export type Theme = 'light' | 'dark';
const storageKey = 'skein-theme';
const wish = window.matchMedia('(prefers-color-scheme: dark)');

function current(): Theme {
  const kept = localStorage.getItem(storageKey);
  if (kept === 'light' || kept === 'dark') return kept;
  return wish.matches ? 'dark' : 'light';
}

export function applyTheme(): void {
  document.documentElement.dataset['theme'] = current();
}

export function useTheme(): { theme: Theme; toggle: () => void } {
  const [theme, setTheme] = useState(current);
  useEffect(() => {
    const follow = () => setTheme(current());
    wish.addEventListener('change', follow);
    return () => wish.removeEventListener('change', follow);
  }, []);
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
    window.dispatchEvent(new Event(themeEvent));
  }, [theme]);
  const toggle = useCallback(() => {
    const next = current() === 'dark' ? 'light' : 'dark';
    localStorage.setItem(storageKey, next);
    setTheme(next);
  }, []);
  return { theme, toggle };
}

const themeEvent = 'skein-theme';

/** Counts up with each change of the theme: what is drawn on a canvas is then drawn anew. */
export function useThemeCount(): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const follow = () => setCount((before) => before + 1);
    window.addEventListener(themeEvent, follow);
    return () => window.removeEventListener(themeEvent, follow);
  }, []);
  return count;
}

/** A colour of the theme as canvases want it. */
export function themeColor(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// How the page is built. `npx vite apps/dashboard` serves it while one works on it, before the gateway of `./skein up`.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const root = new URL('../..', import.meta.url).pathname;

export default defineConfig({
  root: `${root}apps/dashboard`,
  plugins: [react()],
  resolve: { alias: [{ find: /^@skein\/([a-z-]+)$/, replacement: `${root}libs/$1/src/index.ts` }] },
  server: { port: 8_481, proxy: { '/v1': 'http://127.0.0.1:8480' } },
  build: {
    target: 'es2022',
    // Inlined images and fonts would need holes in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The largest part is the graph library, loaded when its view is opened.
    chunkSizeWarningLimit: 700,
  },
});

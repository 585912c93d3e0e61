import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

// The built page is part of the Python package: it is served by `wheretaken web` and by nobody else.
export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: '../src/wheretaken/web/static',
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 1300,
    assetsInlineLimit: 0,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080' } },
  worker: { format: 'es' },
  test: { include: ['test/**/*.test.ts'] },
})

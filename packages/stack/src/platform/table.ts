import path from 'node:path';
import { megabytes } from '../report.ts';
import type { StackSettings } from '../settings.ts';
import type { Platform } from './start-platform.ts';

/** @returns rows of words, each column as wide as its widest */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)));
  return rows
    .map((row) => `  ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('   ')}`.trimEnd())
    .join('\n');
}

/** @returns what to tell a person once everything is ready */
export function readyTable(platform: Platform, settings: StackSettings): string {
  const shown = (file: string): string => path.relative(settings.checkout, file);
  const { services, servers, home } = platform;
  const rows = [
    ...Object.entries(services).reverse(),
    ...Object.entries(servers).map(([name, address]) => [name, address.replace(/(\/\/[^:/@]*):[^@/]*@/, '$1:***@')]),
    ['logs', shown(home.logs)],
  ];
  if (services.auth !== undefined && settings.adminPassword === undefined) {
    rows.push(['sign in', `${settings.adminEmail}, password in ${shown(home.adminPassword)}`]);
  }
  const seconds = (platform.startedInMs / 1000).toFixed(1);
  return `\n${columns(rows)}\n\nready in ${seconds} s, ${megabytes(platform.memoryBytes())} resident; Ctrl-C ends it`;
}

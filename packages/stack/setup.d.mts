export function isInstalled(wanted: unknown, installed: unknown): boolean;

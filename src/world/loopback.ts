/** Whether a host, as it stands in a URL or alone, is this machine: the only one that is reached without TLS. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/.test(host);
}

// Keeps web pages of other sites away from a server that asks for no password.

const loopbackNames = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * True for a request some other site's page made: its Origin is not the host it asks for, or, on a loopback
 * server, its Host is not a loopback name (a foreign name that resolves to 127.0.0.1).
 */
export function isCrossSite(host: string | undefined, origin: string | undefined, listenHost: string): boolean {
  if (origin !== undefined && origin !== `http://${host}`) return true;
  return isLoopback(listenHost) && !loopbackNames.has((host ?? "").replace(/:\d+$/, ""));
}

export function isLoopback(listenHost: string): boolean {
  return listenHost === "::1" || listenHost === "localhost" || listenHost.startsWith("127.");
}

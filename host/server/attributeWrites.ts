// Writes and deletes attributes on the server's side and tells the device of the shared ones (spec 2.5).

import { printDeleted, printValues } from "./attributes.ts";
import type { Device } from "./device.ts";
import type { AttributeScope, ServerEvents } from "./events.ts";
import type { Value } from "./values.ts";

/** Stores and, for the shared scope, tells a subscribed device in one message. */
export function writeAttributes(
  device: Device,
  scope: AttributeScope,
  values: readonly (readonly [string, Value])[],
  nowMs: number,
  events: ServerEvents,
): void {
  const stored = values.filter(([key, value]) => device.storeAttribute(scope, key, { value, lastUpdateTsMs: nowMs }));
  for (const [key, value] of stored) events.emit("attribute", { device, scope, key, value });
  if (scope === "SHARED_SCOPE" && stored.length > 0) device.session?.sendAttributesUpdate(printValues(stored));
}

/** The update names every key of the request, whether it was there or not. */
export function deleteAttributes(device: Device, scope: AttributeScope, keys: readonly string[], events: ServerEvents): void {
  const deleted = keys.filter((key) => device.attributes[scope].delete(key));
  for (const key of deleted) events.emit("attributeDeleted", { device, scope, key });
  if (scope === "SHARED_SCOPE") device.session?.sendAttributesUpdate(printDeleted(keys));
}

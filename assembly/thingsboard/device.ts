// Makes the generic client a ThingsBoard device: its configuration and its poll.
import { EventKind, Status } from "../abi";
import { mayBeDue } from "../base/time";
import { isConfigured, setConfigured } from "../client/backoff";
import { configure } from "../client/configure";
import * as connection from "../client/connection";
import { setGreeting } from "../client/hello";
import { SEND_BUFFER_NAME, SEND_BUFFER_NAME_LENGTH, setting, Setting } from "../client/settings";
import { declareFilter } from "../client/subscribe";
import { carved, carveFrom, fail } from "../memory";
import { announce, carveChildren } from "./gateway/children";
import * as ota from "./ota";
import * as provision from "./provision";
import { classify } from "./receive";
import { carveRequests, expire } from "./requests";
import { addressOf, ATTRIBUTES, ATTRIBUTES_RESPONSE_FILTER, GATEWAY_ATTRIBUTES, GATEWAY_ATTRIBUTES_RESPONSE, GATEWAY_RPC, lengthOf, RPC_REQUEST_FILTER, RPC_SUBSCRIBE, SESSION_LIMITS_REQUEST } from "./topics";

// @ts-ignore: decorator
@inline
function subscribe(filter: usize): i32 {
  return declareFilter(addressOf(filter), lengthOf(filter));
}

/** The body of the export `configure`. `memoryBegin` is the first byte that the module may carve. */
// @ts-ignore: decorator
@inline
export function configureDevice(text: usize, length: i32, memoryBegin: usize, memoryEnd: usize): i32 {
  if (isConfigured()) return Status.BadState;
  carveFrom(memoryBegin);
  const status = configure(text, length);
  if (status) return status;
  if (FEATURE_ATTRIBUTES) carveRequests(setting(Setting.MaxRequests));
  if (FEATURE_OTA) {
    const fault = ota.configureOta();
    if (fault) return fault;
  }
  if (FEATURE_GATEWAY) carveChildren(setting(Setting.ChildrenBuffer));
  if (carved > memoryEnd) return fail(Status.TooLarge, <i32>carved, 0, 0);
  if (FEATURE_PROVISIONING) {
    const fault = provision.configureProvisioning();
    if (fault) return fault;
  }
  // Packet ids; one Status among them makes them negative together.
  let ids = 0;
  if (!FEATURE_RAW) setGreeting(<usize>setting(Setting.Rpc) * addressOf(RPC_SUBSCRIBE));
  else if (setting(Setting.Rpc)) ids = subscribe(RPC_REQUEST_FILTER);
  if (FEATURE_ATTRIBUTES) {
    if (setting(Setting.SharedAttributes) | <i32>(FEATURE_OTA && ota.isActive())) ids |= subscribe(ATTRIBUTES) | subscribe(ATTRIBUTES_RESPONSE_FILTER);
  }
  if (FEATURE_OTA) ids |= ota.spareRoom();
  if (FEATURE_GATEWAY) ids |= subscribe(GATEWAY_ATTRIBUTES) | subscribe(GATEWAY_ATTRIBUTES_RESPONSE) | subscribe(GATEWAY_RPC);
  if (FEATURE_RAW && ids < 0) return fail(Status.InvalidValue, 0, SEND_BUFFER_NAME, SEND_BUFFER_NAME_LENGTH);
  if (FEATURE_LIMITS) setGreeting(<usize>setting(Setting.SessionLimits) * addressOf(SESSION_LIMITS_REQUEST));
  setConfigured();
  return Status.Ok;
}

/** The body of the export `poll`. */
export function poll(): i32 {
  let kind = FEATURE_PROVISIONING ? provision.poll() : connection.poll();
  if (kind == EventKind.Message) kind = classify();
  else if (FEATURE_ATTRIBUTES && !kind && mayBeDue) kind = expire();
  if (FEATURE_OTA && ota.isActive()) kind = ota.step(kind);
  if (FEATURE_GATEWAY) announce(kind == EventKind.Connected);
  return kind;
}

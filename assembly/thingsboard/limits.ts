// Asks the server what it allows and reads the answer (ThingsBoard: getSessionLimits, answered by the MQTT transport itself).
import { placeOf, readDigits } from "../base/text";
import { setLimit, setMaxRemainingLength, settleLimits } from "../client/limits";
import { from, length, next, open, skip, Token } from "../json/scan";

/** Replaced at compile time by literals.mjs. */
declare function words(words: string): usize;

/** Limits of a gateway's children, which are not this device's; then those of client/limits.ts in their order. */
const LIMIT_NAMES = words("gatewayRateLimits messages telemetryMessages telemetryDataPoints maxPayloadSize");
const GATEWAY: i32 = 0;
const MAX_PAYLOAD_SIZE: i32 = 4;

/**
 * Takes over what the answer says. It is known to be valid JSON; a limit that is null or empty is none, and one that is
 * absent stays as it was. The limits stand in `rateLimits`, of early servers in `rateLimit`.
 */
// @ts-ignore: decorator
@inline
export function readLimits(text: usize, textLength: i32): void {
  open(text, textLength);
  for (let token = next(); token > 0; token = next()) {
    if (token != Token.Key) continue;
    const which = placeOf(LIMIT_NAMES, MAX_PAYLOAD_SIZE + 1, from, length);
    if (which > MAX_PAYLOAD_SIZE) continue;
    token = skip();
    if (which == MAX_PAYLOAD_SIZE) {
      const size = readDigits(from, length);
      if (size > 0) setMaxRemainingLength(size);
    } else if (which > GATEWAY && token <= Token.Text) {
      setLimit(which - 1, from, token == Token.Text ? length : 0);
    }
  }
  settleLimits();
}

// MQTT 5 reason codes the server uses (spec 2.13), and the one SUBACK failure code of MQTT 3.1.1.

export const reason = {
  success: 0x00,
  noSubscriptionExisted: 0x11,
  /** MQTT 3.1.1 SUBACK "failure". */
  subscribeRefused: 0x80,
  unspecifiedError: 0x80,
  malformedPacket: 0x81,
  implementationSpecificError: 0x83,
  serverShuttingDown: 0x8b,
  sessionTakenOver: 0x8e,
  topicFilterInvalid: 0x8f,
  topicNameInvalid: 0x90,
  messageRateTooHigh: 0x96,
  quotaExceeded: 0x97,
  administrativeAction: 0x98,
  payloadFormatInvalid: 0x99,
  connectionRateExceeded: 0x9f,
} as const;

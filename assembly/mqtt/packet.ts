// Names the numbers of MQTT 3.1.1 that both directions use.

/** Control packet types, in the high four bits of the first byte [MQTT 3.1.1, 2.2.1]. */
export const enum Packet {
  Connect = 1,
  Connack = 2,
  Publish = 3,
  Puback = 4,
  Subscribe = 8,
  Suback = 9,
  Unsubscribe = 10,
  Unsuback = 11,
  Pingreq = 12,
  Pingresp = 13,
  Disconnect = 14,
}

/** The flags of a PUBLISH, in the low four bits of the first byte [MQTT 3.1.1, 3.3.1]. */
export const enum PublishFlag {
  Retain = 1,
  Qos1 = 2,
  Qos2 = 4,
  Dup = 8,
}

/** Connect flags [MQTT 3.1.1, 3.1.2.3]. */
export const enum ConnectFlag {
  CleanSession = 2,
  Will = 4,
  WillQosShift = 3,
  WillRetain = 32,
  Password = 64,
  UserName = 128,
}

/** Return code of a SUBACK that refuses [MQTT-3.9.3-2]. */
export const SUBACK_REFUSED: u32 = 0x80;

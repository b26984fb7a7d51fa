/** The public surface of thimble/companion: the tool bus between wearables and the model. firmware/PROTOCOL.md draws it. */
export type {} from "./hosts.ts";

export { type BluetoothDeviceLike, type BluetoothLike, connectBluetooth, gattPipe, uart } from "./wear/bluetooth.ts";
export type { Clock } from "./wear/channel.ts";
export { Companion, connect } from "./wear/companion.ts";
export { type CallReport, Device, type DeviceOptions } from "./wear/device.ts";
export { gadgetbridgePipe, type Intent, type Intents } from "./wear/gadgetbridge.ts";
export { confirming, type Ending } from "./wear/message.ts";
export { overLines, type Pipe } from "./wear/pipe.ts";
export { type SocketLike, socketPipe } from "./wear/socket.ts";
export type { Answered, CompanionOptions, Model, Outcome, Wearable } from "./wear/wearable.ts";

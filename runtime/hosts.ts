/**
 * What hosts have, for the types of those that compile without them: each of these is empty where neither `lib.dom` nor a
 * host's own types are there, and theirs where they are.
 */
declare global {
  namespace WebAssembly {
    interface Memory {}
    interface Module {}
  }
  interface AbortSignal {}
  interface Blob {}
  interface EventTarget {}
  // biome-ignore lint/suspicious/noExplicitAny: all declarations of it must be alike.
  interface ReadableStream<R = any> {}
  interface Response {}
  interface URL {}
  interface Event {}
}

export {};

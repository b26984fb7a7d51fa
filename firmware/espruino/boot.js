(function () {
  /* A companion says TB("…") over Bluetooth; Gadgetbridge passes {t:"thimble",f:"…"} on. */
  global.TB = function (frame) {
    require("thimble.watch").take(frame, true);
  };
  Bangle.on("GB", function (e) {
    if (e.t === "thimble" && e.f) require("thimble.watch").take(e.f, false);
  });
})();

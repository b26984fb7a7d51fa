(function () {
  function take(frame) {
    require("thimble.watch").bus().take(atob(frame));
  }
  /* A companion says TB("…") over Bluetooth; Gadgetbridge passes {t:"thimble",f:"…"} on. */
  global.TB = take;
  Bangle.on("GB", function (e) {
    if (e.t === "thimble" && e.f) take(e.f);
  });
})();

(function (back) {
  var watch = require("thimble.watch");
  var settings = watch.settings();
  E.showMenu({
    "": { title: "thimble", back: back },
    "Learn calls": {
      value: !!settings.learn,
      onchange: function (on) {
        settings.learn = on;
        require("Storage").writeJSON("thimble.json", settings);
      }
    },
    "Forget all": function () {
      E.showPrompt("Forget what was learned?").then(function (yes) {
        if (yes) watch.forget();
        back();
      });
    }
  });
});

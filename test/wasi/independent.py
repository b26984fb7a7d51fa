"""Runs the command for WASI in a folder that holds model.thimble, tools.kv and `in`; writes `out`."""

import sys

from wasmtime import Engine, ExitTrap, Linker, Module, Store, WasiConfig

command, folder = sys.argv[1:]
engine = Engine()
linker = Linker(engine)
linker.define_wasi()
store = Store(engine)
wasi = WasiConfig()
wasi.argv = ["thimble", "model.thimble", "tools.kv"]
wasi.preopen_dir(folder, "/")
wasi.stdin_file = f"{folder}/in"
wasi.stdout_file = f"{folder}/out"
wasi.inherit_stderr()
store.set_wasi(wasi)
instance = linker.instantiate(store, Module.from_file(engine, command))
try:
    instance.exports(store)["_start"](store)
except ExitTrap as end:
    sys.exit(end.code)

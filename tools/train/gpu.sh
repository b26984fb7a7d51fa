#!/bin/sh
# Trains on one GPU in ten minutes of wall time, from data in JSONL to a model.safetensors:
#
#   TOKENIZER=nano.model REAL='data/*.train.jsonl.gz' SYNTHETIC='synth/*.jsonl' OUT=out sh tools/train/gpu.sh [--init model.safetensors] [more of train.py's options]
#
# bf16, PyTorch's fused attention, batches made ahead by 14 processes. Every two minutes OUT gets model.safetensors and the checkpoint in pieces of 15 MiB
# (last.pt.aa, last.pt.ab, …; a file that would be larger is split too); the same command continues from them. Two runs fit beside each other: give each its OUT.
# PIECES=no leaves the checkpoint out. MINUTES, BATCH, WORKERS and DEVICE change the scale: MINUTES=1 BATCH=16 WORKERS=1 DEVICE=cpu tries it without a GPU.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${TOKENIZER:?}" "${REAL:=}" "${SYNTHETIC:=}" "${OUT:?}" "${MINUTES:=10}" "${BATCH:=1024}" "${WORKERS:=14}" "${DEVICE:=cuda}" "${PIECES:=yes}"
mkdir -p "$OUT"
run=$(mktemp -d)
cat "$OUT"/last.pt.* >"$run/last.pt" 2>/dev/null || rm -f "$run/last.pt"
cp "$OUT/log.jsonl" "$run/" 2>/dev/null || true

# Puts into OUT what the run has saved; pieces replace the old ones only when all are there.
deliver() {
  [ -f "$run/last.pt" ] || return 0
  rm -rf "$run/new" && mkdir "$run/new"
  cp "$run/last.pt" "$run/copy.pt"
  [ "$PIECES" = no ] || split -b 15m "$run/copy.pt" "$run/new/last.pt."
  CUDA_VISIBLE_DEVICES='' python3 "$here/export.py" "$run/copy.pt" "$run/model.safetensors" >"$run/exported"
  if [ "$(wc -c <"$run/model.safetensors")" -lt 16000000 ]; then
    cp "$run/model.safetensors" "$run/new/"
  else
    split -b 15m "$run/model.safetensors" "$run/new/model.safetensors."
  fi
  cp "$run/log.jsonl" "$run/new/"
  rm -f "$OUT"/last.pt.* && mv "$run"/new/* "$OUT/"
}

until=$(date -u -d "@$(awk "BEGIN { print int($(date +%s) + 60 * $MINUTES) }")" +%Y-%m-%dT%H:%M:%S)
OMP_NUM_THREADS=1 python3 "$here/train.py" --device "$DEVICE" --tokenizer "$TOKENIZER" --real "$REAL" --synthetic "$SYNTHETIC" --share 0.4 --until "$until" \
  --batch "$BATCH" --workers "$WORKERS" --save-seconds 110 --out "$run" "$@" &
trainer=$!
trap 'kill $trainer 2>/dev/null; wait $trainer; deliver' TERM INT
while kill -0 $trainer 2>/dev/null; do
  for _ in $(seq 120); do kill -0 $trainer 2>/dev/null && sleep 1; done
  kill -0 $trainer 2>/dev/null && deliver
done
status=0
wait $trainer || status=$?
deliver
cat "$run/exported"
exit $status

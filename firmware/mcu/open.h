/* How the two files are opened, one after the other. */
#ifndef THIMBLE_OPEN_H
#define THIMBLE_OPEN_H

#include "thimble.h"

/* Reads and checks the pack's head; `weightsId` is what a tool file's device part must say of the weights. */
const char *open_pack(thimble_model *m, uint32_t *weightsId);
const char *open_tools(thimble_model *m, uint32_t weightsId);

/* The checksums of every tool. */
const char *check_tools(const thimble_model *m);

/* XXH32 of the first bytes of a tool file, bytes 28 … 31 taken as zero. */
uint32_t head_sum(const uint8_t *head, uint32_t length);

#endif

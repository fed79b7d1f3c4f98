// The format of the code, and the one place where it is checked: it comes back out of a file.
#include <stdlib.h>
#include <string.h>

#include "tiles.h"

uint64_t code_size(const struct header *header) {
  return sizeof *header + (uint64_t)header->entry_count * sizeof(struct entry) +
         (uint64_t)header->launch_count * sizeof(struct launch) +
         (uint64_t)header->operand_count * sizeof(struct tensor) +
         (uint64_t)header->instruction_count * sizeof(struct instruction);
}

void code_view(struct code *code, void *block) {
  memcpy(&code->header, block, sizeof code->header);
  code->entries = (struct entry *)((char *)block + sizeof code->header);
  code->launches = (struct launch *)(code->entries + code->header.entry_count);
  code->operands = (struct tensor *)(code->launches + code->header.launch_count);
  code->instructions = (struct instruction *)(code->operands + code->header.operand_count);
}

uint64_t tile_floats(const struct code *code, const struct launch *launch) {
  const struct instruction *first = code->instructions + launch->first_instruction;
  uint64_t floats = 0;
  for (uint32_t i = 0; i < launch->instruction_count; ++i)
    floats += (uint64_t)first[i].rows * first[i].columns;
  return floats;
}

static int is_range(uint32_t first, uint32_t count, uint32_t all) {
  return first <= all && count <= all - first;
}

static int is_tensor(const struct code *code, const struct entry *entry, const struct tensor *t) {
  const uint32_t limit = t->place == IN_BINDING   ? entry->binding_count
                         : t->place == IN_WEIGHTS ? code->header.weight_count
                                                  : 1;
  return t->place <= IN_WEIGHTS && t->index < limit && t->rows_are <= ROWS_OF_OUTPUT &&
         t->rows <= LIMIT && t->columns <= LIMIT && t->offset % sizeof(float) == 0 &&
         (t->place == IN_SCRATCH ? t->offset <= entry->scratch_bytes : t->offset == 0);
}

static int same_size(const struct instruction *a, const struct instruction *b) {
  return a->rows == b->rows && a->columns == b->columns;
}

// The rules of the ops on tiles, which their host has checked, too: nothing is read beyond a tile.
static int is_instruction(const struct instruction *it, const struct instruction *first,
                          uint32_t number, const struct launch *launch) {
  if (it->what >= DO_COUNT || it->rows > LIMIT || it->columns > LIMIT || it->offset > LIMIT)
    return 0;
  if (it->what <= DO_WEIGHT)
    return it->a < launch->operand_count;
  if (it->a >= number || it->b >= number) // b of an op that takes one tile is 0
    return 0;
  const int is_binary = it->what == DO_ADD || it->what == DO_MUL;
  const struct instruction *a = first + it->a, *b = first + it->b;
  if (it->what == DO_MATMUL)
    return it->rows == a->rows && it->columns == b->rows && a->columns == b->columns;
  if (it->what == DO_SUM)
    return it->rows == a->rows && it->columns == 1;
  return same_size(it, a) && (!is_binary || ((b->rows == 1 || b->rows == a->rows) &&
                                             (b->columns == 1 || b->columns == a->columns)));
}

static int is_launch(const struct code *code, const struct entry *entry,
                     const struct launch *launch) {
  const struct header *header = &code->header;
  const struct instruction *first = code->instructions + launch->first_instruction;
  if (!is_range(launch->first_operand, launch->operand_count, header->operand_count) ||
      !is_range(launch->first_instruction, launch->instruction_count, header->instruction_count) ||
      launch->instruction_count > MOST_INSTRUCTIONS || launch->operand_count > MOST_INSTRUCTIONS ||
      launch->tile_rows - 1 >= LIMIT || launch->tile_columns - 1 >= LIMIT ||
      launch->made >= launch->instruction_count || launch->result.place == IN_WEIGHTS ||
      !is_tensor(code, entry, &launch->result))
    return 0;
  for (uint32_t i = 0; i < launch->operand_count; ++i)
    if (!is_tensor(code, entry, code->operands + launch->first_operand + i))
      return 0;
  for (uint32_t i = 0; i < launch->instruction_count; ++i)
    if (!is_instruction(first + i, first, i, launch))
      return 0;
  return first[launch->made].rows == launch->tile_rows &&
         first[launch->made].columns == launch->tile_columns &&
         tile_floats(code, launch) <= entry->scratch_bytes / sizeof(float);
}

const char *code_check(const void *block, uint64_t size, struct code *code) {
  struct header header;
  if (size < sizeof header)
    return "tiles: the code is shorter than its header";
  memcpy(&header, block, sizeof header);
  if (memcmp(header.magic, MAGIC, sizeof header.magic) != 0 || code_size(&header) != size)
    return "tiles: not code of this device; compile it again";
  code_view(code, (void *)block);
  for (uint32_t e = 0; e < header.entry_count; ++e) {
    const struct entry *entry = code->entries + e;
    if (entry->name[sizeof entry->name - 1] != 0 || entry->max_rows - 1 >= LIMIT ||
        entry->binding_count > LIMIT ||
        !is_range(entry->first_launch, entry->launch_count, header.launch_count))
      return "tiles: the code has a damaged entry";
    for (uint32_t i = 0; i < entry->launch_count; ++i)
      if (!is_launch(code, entry, code->launches + entry->first_launch + i))
        return "tiles: the code has a damaged launch";
  }
  return NULL;
}

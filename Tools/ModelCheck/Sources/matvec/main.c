// A token of a language model as memory sees it: matrices are read once, in rows of quantised blocks,
// and multiplied with a vector that stays; layer after layer. Made for a reuse profile under Valgrind
// (lackey), as a stand-in for one thread of the letter's workload.
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 512, COLUMNS = 2048, LAYERS = 6 };

int main(void) {
  // Weights are bytes (8-bit blocks), activations floats; each layer has weights of its own.
  signed char *weights = malloc((size_t)LAYERS * ROWS * COLUMNS);
  float *input = malloc(COLUMNS * sizeof(float));
  float *output = malloc(ROWS * sizeof(float));
  if (!weights || !input || !output) return 1;
  for (size_t i = 0; i < (size_t)LAYERS * ROWS * COLUMNS; i += 64) weights[i] = (signed char)i;
  for (int i = 0; i < COLUMNS; i++) input[i] = (float)(i % 7);
  for (int layer = 0; layer < LAYERS; layer++) {
    const signed char *matrix = weights + (size_t)layer * ROWS * COLUMNS;
    for (int row = 0; row < ROWS; row++) {
      float sum = 0;
      for (int column = 0; column < COLUMNS; column++)
        sum += (float)matrix[(size_t)row * COLUMNS + column] * input[column];
      output[row] = sum;
    }
    for (int i = 0; i < COLUMNS; i++) input[i] = output[i % ROWS] * 0.001f;
  }
  printf("%f\n", (double)output[0]);
  return 0;
}

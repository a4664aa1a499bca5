/* What rows like those learnt from are above: threshold MODEL CHECKPOINT SHARE, one number on standard output. */
#include <graphrun/graphrun.h>
#include <stdio.h>
#include <stdlib.h>

int main(int count, char** words) {
  graphrun_model* model = NULL;
  graphrun_table_predictor* rows = NULL;
  double score = 0;
  int result = GRAPHRUN_USAGE;
  if (count != 4) return 2;
  result = graphrun_model_load(words[1], NULL, 0, &model);
  if (result == GRAPHRUN_OK) result = graphrun_table_predictor_new(model, words[2], NULL, &rows);
  if (result == GRAPHRUN_OK) result = graphrun_table_threshold(rows, strtod(words[3], NULL), &score);
  if (result == GRAPHRUN_OK)
    printf("%.17g\n", score);
  else
    fprintf(stderr, "%s\n", graphrun_last_error());
  graphrun_table_predictor_free(rows);
  graphrun_model_free(model);
  return result == GRAPHRUN_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

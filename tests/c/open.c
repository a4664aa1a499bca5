/* Opens the library as other languages do: open LIBRARY FUNCTIONS, a file with a name a line. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int count, char** words) {
  char name[100];
  void* library = NULL;
  FILE* names = NULL;
  const char* (*version)(void) = NULL;
  int missing = 0;
  if (count != 3) return 2;
  library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    printf("%s\n", dlerror());
    return 1;
  }
  names = fopen(words[2], "r");
  if (names == NULL) return 2;
  while (fscanf(names, "%99s", name) == 1) {
    if (dlsym(library, name) != NULL) continue;
    printf("%s is not there\n", name);
    ++missing;
  }
  fclose(names);
  *(void**)&version = dlsym(library, "graphrun_version");
  if (version == NULL || strlen(version()) == 0) ++missing;
  dlclose(library);
  return missing == 0 ? 0 : 1;
}

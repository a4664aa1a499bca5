// Opens a plug-in, learns in it and closes it, many times: unload PLUGIN MODEL STATE.
#include <dlfcn.h>

#include <iostream>

int main(int, char** arguments) {
  for (int time = 0; time < 50; ++time) {
    void* const plugin = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (plugin == nullptr) {
      std::cerr << dlerror() << "\n";
      return 1;
    }
    const auto learn = reinterpret_cast<int (*)(const char*, const char*)>(dlsym(plugin, "learn_in_plugin"));
    if (learn == nullptr || learn(arguments[2], arguments[3]) != 0 || dlclose(plugin) != 0) {
      std::cerr << "the plug-in failed\n";
      return 1;
    }
  }
  std::cout << "opened, learnt in and closed 50 times\n";
  return 0;
}

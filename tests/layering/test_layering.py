"""The checker of the tables must see a breach of each kind, and only breaches."""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
from layering import violations


ROOMS = {
    "graph/CMakeLists.txt": "graphrun_room(graph FOLDERS passes)\n",
    "runtime/CMakeLists.txt": "graphrun_room(runtime/machine)\ngraphrun_room(runtime/lower USES runtime/machine graph PRIVATE DNNL::dnnl)\n"
                              "target_link_libraries(graphrun_runtime INTERFACE graphrun_runtime_lower)\n",
    "ops/CMakeLists.txt": "graphrun_room(ops USES graph runtime)\n",
    "train/CMakeLists.txt": "graphrun_room(train/learn USES ops)\n",
}


class Layering(unittest.TestCase):
    def faults(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**ROOMS, **files}.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return violations(pathlib.Path(folder))

    def test_allowed(self):
        self.assertEqual([], self.faults({
            "graph/type.cpp": '#include "graph/type.hpp"\n#include "graphrun/error.hpp"\n#include <vector>\n',
            "ops/elementwise/add.cpp": '#include "graph/op.hpp"\n#include "runtime/kernels/kernel.hpp"\n',
            "graph/yaml.cpp": "#include <yaml-cpp/yaml.h>\n",
            "graph/yaml.hpp": "#include <yaml-cpp/mark.h>\n",
            "tests/graph/yaml.cpp": "#include <yaml-cpp/yaml.h>\n",
            "runtime/lower/executor.cpp": "#include <tbb/flow_graph.h>\n",
            "runtime/lower/threads.cpp": "#include <oneapi/tbb/task_arena.h>\n",
        }))

    def test_upward_include(self):
        faults = self.faults({"graph/type.cpp": '\n#include "runtime/lower/plan.hpp"\n'})
        self.assertEqual(["graph/type.cpp:2: graph/ may not include runtime/lower/ (runtime/lower/plan.hpp)"], faults)

    def test_upward_include_within_a_room(self):
        faults = self.faults({"runtime/machine/isa.cpp": '#include "runtime/lower/plan.hpp"\n'})
        self.assertEqual(["runtime/machine/isa.cpp:1: runtime/machine/ may not include runtime/lower/ (runtime/lower/plan.hpp)"], faults)

    def test_folder_of_too_many_files(self):
        faults = self.faults({f"ops/op{number}.cpp": "" for number in range(46)})
        self.assertEqual(["ops/ has 46 source files, more than 45: it wants rooms"], faults)

    def test_map_that_says_something_else(self):
        rows = ("| `graph` | a | – |\n| `runtime/machine` | b | graph |\n| `runtime/lower` | c | runtime/machine, graph |\n"
                "| `ops` | d | graph, runtime |\n")
        faults = self.faults({"README.md": rows})
        self.assertEqual(["README.md: the map says that runtime/machine uses ['graph'], but it links []",
                          "README.md: the map says that train/learn uses [], but it links ['ops']"], faults)

    def test_host_header_below_the_api(self):
        faults = self.faults({"train/learn/loop.cpp": '#include "graphrun/session.hpp"\n'})
        self.assertIn("train/learn/ lies below the public API", faults[0])

    def test_public_header_needs_a_library(self):
        faults = self.faults({"include/graphrun/model.hpp": "#include <fmt/core.h>\n"})
        self.assertIn("include/ is for hosts and may not need fmt/core.h", faults[0])

    def test_example_reaches_inside(self):
        faults = self.faults({"examples/embed.cpp": '#include "runtime/lower/plan.hpp"\n'})
        self.assertIn("examples/ may not include runtime/", faults[0])

    def test_second_file_inside_a_fence(self):
        for header in ("yaml-cpp/yaml.h", "oneapi/dnnl/dnnl.hpp", "dnnl.h", "png.h", "zlib.h", "CLI/CLI.hpp",
                       "curl/curl.h"):
            faults = self.faults({"train/learn/a.cpp": f"#include <{header}>\n", "train/learn/b.cpp": f"#include <{header}>\n"})
            self.assertEqual(1, len(faults), header)
            self.assertIn("train/learn/a.cpp:1, train/learn/b.cpp:1", faults[0])

    def test_third_file_inside_a_fence_of_two(self):
        for library, header in (("TBB", "tbb/task_arena.h"), ("nlohmann-json", "nlohmann/json.hpp")):
            faults = self.faults({f"runtime/lower/{name}.cpp": f"#include <{header}>\n" for name in "abc"})
            self.assertIn(f"{library} may be included by 2 file pair(s), but is by 3", faults[0])


if __name__ == "__main__":
    unittest.main()

# How the tests of this folder are run: by LLVM's lit, with the programs of the build tree.
# CMakeLists.txt passes `programs` (build/bin), `llvm_tools` and `scratch` as parameters.
import os

import lit.formats

config.name = "lathe"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = lit_config.params["scratch"]

programs, llvm_tools = lit_config.params["programs"], lit_config.params["llvm_tools"]
config.environment["PATH"] = os.pathsep.join([programs, llvm_tools, os.environ["PATH"]])

data = os.path.join(os.path.dirname(config.test_source_root), "data")
config.substitutions.append(("%data", data))

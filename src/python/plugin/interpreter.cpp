// SPDX-License-Identifier: GPL-3.0-or-later
// The plugin: CPython, started for the first Python conf, and never finalized.

#include <memory>
#include <new>
#include <string>
#include <utility>

#include "python/conf.hpp"
#include "python/plugin/headers.hpp"
#include "python/plugin/job_loop.hpp"
#include "python/plugin/python.hpp"
#include "python/plugin/python_conf.hpp"
#include "python/plugin/shared_objects.hpp"
#include "support_py.hpp"

namespace sftdyn::python {
namespace {

class PythonInterpreter : public Interpreter {
public:
    base::Result<std::shared_ptr<const Conf>> run(const std::string& path) override {
        const Gil gil;
        drop_now();
        return run_conf(path);
    }

    std::unique_ptr<Attached> attach() override { return attach_thread(); }

    void interrupt(std::uint64_t thread) override {
        const Gil gil;
        PyThreadState_SetAsyncExc(static_cast<unsigned long>(thread), shared->timeout.ptr());
    }
};

/// Starts CPython as /usr/bin/python3 starts: with Debian's modules, whatever PATH contains.
bool start_python() {
#ifdef __SANITIZE_ADDRESS__
    // The leak sanitizer does not see pointers in blocks of CPython's own arenas.
    PyPreConfig before;
    PyPreConfig_InitPythonConfig(&before);
    before.allocator = PYMEM_ALLOCATOR_MALLOC;
    if (PyStatus_Exception(Py_PreInitialize(&before)) != 0) return false;
#endif
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.install_signal_handlers = 0;
    config.buffered_stdio = 0;
    config.parse_argv = 0;
    config.pathconfig_warnings = 0;
    bool good = PyStatus_Exception(
                    PyConfig_SetString(&config, &config.program_name, L"/usr/bin/python3")) == 0;
    wchar_t name[] = L"sftdyn";
    wchar_t* arguments[] = {name};
    good = good && PyStatus_Exception(PyConfig_SetArgv(&config, 1, arguments)) == 0;
    good = good && PyStatus_Exception(Py_InitializeFromConfig(&config)) == 0;
    PyConfig_Clear(&config);
    return good;
}

constexpr const char* support_name = "<sftdyn>";
PyModuleDef own_definition{};
PyModuleDef support_definition{};

void make_shared_parts() {
    auto own = py::module_::create_extension_module("sftdyn", "What sftdyn gives to a conf.",
                                                    &own_definition);
    define_headers(own);
    define_job_loop(own);
    auto support =
        py::module_::create_extension_module("sftdyn_support", nullptr, &support_definition);
    const auto code = py::reinterpret_steal<py::object>(
        Py_CompileString(support_py, support_name, Py_file_input));
    if (!code) throw py::error_already_set();
    const py::dict names = support.attr("__dict__");
    names["__file__"] = support_name;
    names["__builtins__"] = py::module_::import("builtins");
    names["own"] = own;
    if (!py::reinterpret_steal<py::object>(PyEval_EvalCode(code.ptr(), names.ptr(), names.ptr())))
        throw py::error_already_set();
    shared = new SharedObjects{support,
                               own,
                               support.attr("address"),
                               support.attr("line"),
                               support.attr("script"),
                               support.attr("kind_of_failure"),
                               support.attr("text_of_failure"),
                               support.attr("shown"),
                               support.attr("HookTimeout"),
                               support.attr("pair_number"),
                               support.attr("forget_pair")};
}

}  // namespace
}  // namespace sftdyn::python

extern "C" __attribute__((visibility("default"))) sftdyn::python::Interpreter*
sftdyn_python_interpreter(const char* version, std::string& failure) {
    using namespace sftdyn::python;
    if (std::string_view(version) != SFTDYN_VERSION) return nullptr;
    if (!start_python() || !watch_forks()) {
        failure = "it could not be initialized";
        return nullptr;
    }
    // No code of a conf has run yet, so an exception quotes no secret.
    failure = guarded<std::string>(
        [] {
            prepare_thread_states();
            make_shared_parts();
            return std::string();
        },
        [](py::error_already_set& error) { return std::string(error.what()); }, "out of memory");
    PyEval_SaveThread();  // releases the interpreter's lock
    return failure.empty() ? new PythonInterpreter : nullptr;
}

// SPDX-License-Identifier: GPL-3.0-or-later
// The plugin: CPython, started when a Python conf is there, and never ended.

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "base/ascii.hpp"
#include "base/mutex.hpp"
#include "base/secret.hpp"
#include "python/conf.hpp"
#include "python/plugin/headers.hpp"
#include "python/plugin/python.hpp"
#include "support_py.hpp"

namespace sftdyn::python {
namespace {

/// What the plugin has in Python. It is never freed: the interpreter lives as long as the program.
struct Shared {
    py::module_ support;
    py::module_ own;  ///< with the class Headers
    py::object address, host, script, told, shown, timeout;

    base::Mutex mutex{};
    /// Of confs that are gone, to be let go with the lock in hand.
    std::vector<py::object> dropped GUARDED_BY(mutex){};
};

Shared* shared = nullptr;

/// Keeps an object for somebody with the lock.
void drop_later(py::object object) {
    const base::MutexLock lock(shared->mutex);
    shared->dropped.push_back(std::move(object));
}

void drop_now() {
    std::vector<py::object> dropped;
    {
        const base::MutexLock lock(shared->mutex);
        dropped.swap(shared->dropped);
    }
}

/// What `run` gives, or what `failed` makes of the exception that has ended it: every function of
/// the plugin is in here. Telling of an exception is Python too, which may raise the next one: then
/// it is `otherwise`. Whoever calls holds the lock, also until all exceptions are gone.
template <class Result, class Run, class Failed, class Otherwise>
Result guarded(const Run& run, const Failed& failed, const Otherwise& otherwise) {
    try {
        try {
            return run();
        } catch (py::error_already_set& error) {
            return failed(error);
        }
    } catch (py::error_already_set&) {
        return otherwise;
    } catch (const std::exception&) {
        return otherwise;  // pybind11's: its text may quote the conf's values
    }
}

/// What `teller`, a function of support.py, says of an exception.
base::Error diagnostic(const char* teller, const std::string& path, py::error_already_set& error) {
    py::object value = error.value();
    if (!PyExceptionInstance_Check(value.ptr())) value = error.type()(value);
    if (error.trace()) PyException_SetTraceback(value.ptr(), error.trace().ptr());
    const py::tuple told = shared->support.attr(teller)(value, to_python(path));
    const auto line = told[1].cast<unsigned>();
    return {from_python(told[0]), line == 0 ? path : path + ":" + std::to_string(line),
            "correct it: the file is run as Python 3"};
}

base::Error diagnostic_of_unknown(const std::string& path) {
    return {"it raises an exception that can't be told", path,
            "correct it: the file is run as Python 3"};
}

/// A callable of the conf's, or nothing.
py::object hook_of(const py::module_& module, const char* name) {
    if (!py::hasattr(module, name)) return {};
    py::object hook = module.attr(name);
    return PyCallable_Check(hook.ptr()) != 0 ? hook : py::object();
}

std::string type_of(py::handle object) { return py::str(py::type::of(object).attr("__name__")); }

Value value_of(py::handle object) {
    Value value{{}, type_of(object)};
    if (py::isinstance<py::bool_>(object)) {
        value.scalar = object.cast<bool>();
    } else if (py::isinstance<py::int_>(object)) {
        int overflow = 0;
        const std::int64_t number = PyLong_AsLongLongAndOverflow(object.ptr(), &overflow);
        if (overflow == 0) value.scalar = number;
    } else if (py::isinstance<py::str>(object)) {
        value.scalar = from_python(object);
    } else if (py::hasattr(object, "__fspath__")) {
        const py::object path = object.attr("__fspath__")();
        if (py::isinstance<py::str>(path)) value.scalar = from_python(path);
    }
    return value;
}

/// The hooks of a conf; what it lacks is null.
struct Hooks {
    py::object get_ip{}, get_host{}, commands{};
};

/// Whether a hook reads its argument of that position.
bool reads(const py::object& hook, int position) {
    return hook && shared->support.attr("reads")(hook, position).cast<bool>();
}

class PythonCall : public Call {
public:
    PythonCall(const Hooks& hooks, std::string_view source, const Fields& fields,
               std::string_view key)
        : hooks_(hooks), source_(source), fields_(fields), key_(key) {
        drop_now();
    }

    HookResult<std::string> get_ip() override {
        if (!hooks_.get_ip) return source_;
        return try_hook<std::string>("get_ip", [this] {
            ip_ = hooks_.get_ip(ip(), headers(), to_python(key_));
            return from_python(shared->address(ip_));
        });
    }

    HookResult<std::string> get_host(std::string_view key) override {
        return try_hook<std::string>("get_host", [&] {
            return from_python(shared->host(hooks_.get_host(to_python(key), ip())));
        });
    }

    HookResult<std::vector<std::string>> nsupdate_commands(std::string_view host) override {
        return try_hook<std::vector<std::string>>("nsupdatecommands", [&] {
            std::vector<std::string> out;
            for (const py::handle line :
                 py::list(shared->script(hooks_.commands(to_python(host), ip(), headers()))))
                out.push_back(from_python(line));
            return out;
        });
    }

    std::string shown(std::string_view text) override {
        constexpr const char* hidden = "[hidden]";
        return guarded<std::string>(
            [&] { return from_python(shared->shown(to_python(text), secrets())); },
            [&](py::error_already_set&) { return std::string(hidden); }, std::string(hidden));
    }

private:
    /// Of the request.
    py::list secrets() {
        py::list secrets;
        if (!key_.empty()) secrets.append(to_python(key_));
        for (const auto& [name, text] : fields_.list()) {
            for (const char* secret : {"authorization", "proxy-authorization", "cookie"}) {
                if (base::ascii_iequals(name, secret)) secrets.append(to_python(text));
            }
        }
        return secrets;
    }

    /// What get_ip said, or the source.
    py::object ip() {
        if (!ip_) ip_ = to_python(source_);
        return ip_;
    }

    py::object headers() {
        if (!headers_) headers_ = py::cast(Headers(fields_));
        return headers_;
    }

    /// What `run` gives, or what went wrong in Python.
    template <class T, class Run>
    HookResult<T> try_hook(const char* hook, const Run& run) {
        return guarded<HookResult<T>>(
            [&]() -> HookResult<T> { return run(); },
            [&](py::error_already_set& error) -> HookResult<T> { return failure(hook, error); },
            HookError{std::string(hook) + "/?",
                      std::string(hook) + " raised an exception that can't be told"});
    }

    HookError failure(const char* hook, py::error_already_set& error) {
        error.restore();
        PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
        PyErr_Fetch(&type, &value, &trace);
        PyErr_NormalizeException(&type, &value, &trace);
        if (trace != nullptr) PyException_SetTraceback(value, trace);
        const py::object owned = py::reinterpret_steal<py::object>(value);
        Py_XDECREF(type);
        Py_XDECREF(trace);
        const py::tuple told = shared->told(hook, owned, secrets());
        return {from_python(told[0]), from_python(told[1])};
    }

    Gil gil_{};  // first: it is let go last
    Hooks hooks_;
    std::string source_;
    py::object ip_{}, headers_{};
    Fields fields_;
    std::string_view key_;
};

class PythonConf : public Conf {
public:
    PythonConf(std::string path, py::module_ module, py::dict lines)
        : path_(std::move(path)),
          module_(std::move(module)),
          lines_(std::move(lines)),
          hooks_{hook_of(module_, "get_ip"), hook_of(module_, "get_host"),
                 hook_of(module_, "nsupdatecommands")},
          reads_headers_(reads(hooks_.get_ip, 1) || reads(hooks_.commands, 2)) {}
    ~PythonConf() override {
        drop_later(std::move(module_));
        drop_later(std::move(lines_));
        for (py::object* hook : {&hooks_.get_ip, &hooks_.get_host, &hooks_.commands})
            drop_later(std::move(*hook));
    }
    PythonConf(const PythonConf&) = delete;
    PythonConf& operator=(const PythonConf&) = delete;

    base::Result<std::vector<ConfSetting>> settings(
        const std::vector<std::string>& names) const override {
        return try_reading<std::vector<ConfSetting>>([&] { return read_settings(names); });
    }

    base::Result<std::optional<std::vector<ConfClient>>> clients(
        const std::string& name) const override {
        return try_reading<std::optional<std::vector<ConfClient>>>(
            [&] { return read_clients(name); });
    }

    base::Result<std::vector<std::string>> tables() const override {
        return try_reading<std::vector<std::string>>([&] { return read_tables(); });
    }

    bool has_get_ip() const override { return bool(hooks_.get_ip); }
    bool has_get_host() const override { return bool(hooks_.get_host); }
    bool has_nsupdate_commands() const override { return bool(hooks_.commands); }
    bool reads_headers() const override { return reads_headers_; }

    std::unique_ptr<Call> call(std::string_view source, const Fields& fields,
                               std::string_view key) const override {
        return std::make_unique<PythonCall>(hooks_, source, fields, key);
    }

private:
    /// What `read` gives, or a diagnostic of what the conf's code has raised in it.
    template <class T, class Read>
    base::Result<T> try_reading(const Read& read) const {
        const Gil gil;
        return guarded<base::Result<T>>([&]() -> base::Result<T> { return read(); },
                                        [&](py::error_already_set& error) -> base::Result<T> {
                                            return diagnostic("fault_of_value", path_, error);
                                        },
                                        diagnostic_of_unknown(path_));
    }

    [[nodiscard]] std::vector<ConfSetting> read_settings(
        const std::vector<std::string>& names) const {
        std::vector<ConfSetting> out;
        for (const auto& name : names) {
            if (!py::hasattr(module_, name.c_str())) continue;
            const py::object value = module_.attr(name.c_str());
            if (value.is_none()) continue;
            ConfSetting setting{name, {}, 0};
            const py::str key(name);
            if (lines_.contains(key)) setting.line = lines_[key].cast<unsigned>();
            if (py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value)) {
                for (const py::handle one : value) setting.values.push_back(value_of(one));
            } else {
                setting.values.push_back(value_of(value));
            }
            out.push_back(std::move(setting));
        }
        return out;
    }

    [[nodiscard]] std::optional<std::vector<ConfClient>> read_clients(
        const std::string& name) const {
        if (!py::hasattr(module_, name.c_str())) return std::nullopt;
        const py::object value = module_.attr(name.c_str());
        if (!py::isinstance<py::dict>(value)) return std::nullopt;
        std::vector<ConfClient> out;
        // A list of them: to read a value may run code, and that may change the dict.
        const auto rows = py::reinterpret_steal<py::list>(PyDict_Items(value.ptr()));
        if (!rows) throw py::error_already_set();
        for (const py::handle row : rows) {
            const auto key = py::reinterpret_borrow<py::tuple>(row)[0];
            const auto host = py::reinterpret_borrow<py::tuple>(row)[1];
            out.push_back(
                {base::Secret(py::isinstance<py::str>(key) ? from_python(key) : std::string()),
                 value_of(host)});
        }
        return out;
    }

    [[nodiscard]] std::vector<std::string> read_tables() const {
        std::vector<std::string> out;
        for (const auto& [name, value] :
             py::reinterpret_borrow<py::dict>(module_.attr("__dict__"))) {
            if (!py::isinstance<py::dict>(value) || from_python(name).starts_with("__")) continue;
            const auto table = py::reinterpret_borrow<py::dict>(value);
            const auto is_text = [](const auto& row) {
                return py::isinstance<py::str>(row.first) && py::isinstance<py::str>(row.second);
            };
            if (!table.empty() && std::all_of(table.begin(), table.end(), is_text))
                out.push_back(from_python(name));
        }
        return out;
    }

    std::string path_;
    py::module_ module_;
    py::dict lines_;
    Hooks hooks_;
    bool reads_headers_;
};

class PythonAttached : public Attached {
public:
    PythonAttached()
        : state_(PyGILState_Ensure()),
          number_(PyThread_get_thread_ident()),
          thread_(PyEval_SaveThread()) {}
    ~PythonAttached() override {
        PyEval_RestoreThread(thread_);
        PyGILState_Release(state_);
    }
    PythonAttached(const PythonAttached&) = delete;
    PythonAttached& operator=(const PythonAttached&) = delete;

    std::uint64_t number() const override { return number_; }
    void clear_interrupt() override {
        const Gil gil;
        PyThreadState_SetAsyncExc(number_, nullptr);
        PyErr_Clear();
    }

private:
    PyGILState_STATE state_;
    unsigned long number_;
    PyThreadState* thread_;
};

class PythonInterpreter : public Interpreter {
public:
    base::Result<std::shared_ptr<const Conf>> run(const std::string& path) override {
        using Ran = base::Result<std::shared_ptr<const Conf>>;
        const Gil gil;
        drop_now();
        return guarded<Ran>(
            [&]() -> Ran {
                const py::tuple made = shared->support.attr("run_conf")(to_python(path));
                return std::shared_ptr<const Conf>(std::make_shared<PythonConf>(
                    path, made[0].cast<py::module_>(), made[1].cast<py::dict>()));
            },
            [&](py::error_already_set& error) -> Ran {
                if (error.matches(PyExc_OSError) && error.trace().is_none())
                    return base::Error{py::str(error.value()), path, ""};
                return diagnostic("fault", path, error);
            },
            diagnostic_of_unknown(path));
    }

    std::unique_ptr<Attached> attach() override { return std::make_unique<PythonAttached>(); }

    void interrupt(std::uint64_t thread) override {
        const Gil gil;
        PyThreadState_SetAsyncExc(static_cast<unsigned long>(thread), shared->timeout.ptr());
    }
};

/// Starts CPython as /usr/bin/python3 starts: with Debian's modules, whatever else is on the PATH.
bool start_python() {
#ifdef __SANITIZE_ADDRESS__
    // Blocks within CPython's own arenas hide from the leak sanitizer what they point to.
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
    auto support =
        py::module_::create_extension_module("sftdyn_support", nullptr, &support_definition);
    const auto code = py::reinterpret_steal<py::object>(
        Py_CompileString(support_py, support_name, Py_file_input));
    if (!code) throw py::error_already_set();
    const py::dict names = support.attr("__dict__");
    names["__file__"] = support_name;
    names["__builtins__"] = py::module_::import("builtins");
    if (!py::reinterpret_steal<py::object>(PyEval_EvalCode(code.ptr(), names.ptr(), names.ptr())))
        throw py::error_already_set();
    shared = new Shared{support,
                        own,
                        support.attr("address"),
                        support.attr("host"),
                        support.attr("script"),
                        support.attr("told"),
                        support.attr("shown"),
                        support.attr("HookTimeout")};
}

}  // namespace
}  // namespace sftdyn::python

extern "C" __attribute__((visibility("default"))) sftdyn::python::Interpreter*
sftdyn_python_interpreter(const char* version) {
    using namespace sftdyn::python;
    if (std::string_view(version) != SFTDYN_VERSION || !start_python()) return nullptr;
    const bool is_made = guarded<bool>(
        [] {
            make_shared_parts();
            return true;
        },
        [](py::error_already_set&) { return false; }, false);
    PyEval_SaveThread();  // the lock is free for whoever needs it
    return is_made ? new PythonInterpreter : nullptr;
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "python/plugin/python_call.hpp"

#include <string>
#include <vector>

#include "base/ascii.hpp"
#include "python/plugin/headers.hpp"
#include "python/plugin/shared_objects.hpp"

namespace sftdyn::python {
namespace {

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
    /// The secrets of the request.
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

    /// The result of get_ip, or the source.
    py::object ip() {
        if (!ip_) ip_ = to_python(source_);
        return ip_;
    }

    py::object headers() {
        if (!headers_) headers_ = py::cast(Headers(fields_));
        return headers_;
    }

    /// The result of `run`, or the error for the exception that it raised.
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

    Gil gil_{};  // declared first, so released last
    Hooks hooks_;
    std::string source_;
    py::object ip_{}, headers_{};
    Fields fields_;
    std::string_view key_;
};

}  // namespace

std::unique_ptr<Call> make_call(const Hooks& hooks, std::string_view source, const Fields& fields,
                                std::string_view key) {
    return std::make_unique<PythonCall>(hooks, source, fields, key);
}

}  // namespace sftdyn::python

// SPDX-License-Identifier: GPL-3.0-or-later
#include "python/plugin/python_call.hpp"

#include <string>
#include <vector>

#include "base/ascii.hpp"
#include "python/plugin/headers.hpp"
#include "python/plugin/shared_objects.hpp"

namespace sftdyn::python {
namespace {

std::string stripped(const std::string& text) {
    constexpr const char* blanks = " \t\n\r\f\v";
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

class PythonCall : public Call {
public:
    PythonCall(const Hooks& hooks, std::string_view source, const Fields& fields,
               std::string_view key)
        : hooks_(hooks), source_(source), fields_(fields), key_(key) {
        drop_now();
    }

    HookResult<Given> get_ip() override {
        if (!hooks_.get_ip) return Given{source_};
        return try_hook<Given>("get_ip", [this] {
            ip_ = hooks_.get_ip(ip(), headers(), to_python(key_));
            return given(ip_);
        });
    }

    HookResult<Given> get_host(std::string_view key) override {
        return try_hook<Given>("get_host", [&] {
            host_ = hooks_.get_host(to_python(key), ip());
            if (!is_true(host_)) return Given{.is_true = false};
            return given(host_);
        });
    }

    HookResult<std::vector<std::string>> nsupdate_commands(std::string_view host) override {
        return try_hook<std::vector<std::string>>("nsupdatecommands", [&] {
            if (!host_) host_ = to_python(host);
            return lines_of(hooks_.commands(host_, ip(), headers()));
        });
    }

    HookResult<std::uint64_t> pair_number() override {
        return try_hook<std::uint64_t>(
            "get_host", [&] { return shared->pair_number(host_, ip()).cast<std::uint64_t>(); });
    }

    void forget_pair() override {
        if (!host_) return;
        static_cast<void>(try_hook<bool>("get_host", [&] {
            shared->forget_pair(host_);
            return true;
        }));
    }

    std::string shown(std::string_view text) override {
        constexpr const char* hidden = "[hidden]";
        return guarded<std::string>(
            [&] { return from_python(shared->shown(to_python(text), secrets())); },
            [&](py::error_already_set&) { return std::string(hidden); }, std::string(hidden));
    }

private:
    static bool is_true(const py::object& value) {
        const int truth = PyObject_IsTrue(value.ptr());
        if (truth < 0) throw py::error_already_set();
        return truth != 0;
    }

    /// A plain str is converted without a Python call.
    static Given given(const py::object& value) {
        if (PyUnicode_CheckExact(value.ptr())) return {stripped(from_python(value))};
        const py::object text = shared->address(value);
        if (!text.is_none()) return {from_python(text)};
        return {std::nullopt, py::str(py::type::of(value).attr("__name__"))};
    }

    static std::vector<std::string> lines_of(const py::object& returned) {
        std::vector<std::string> lines;
        for (const py::handle part : shared->script(returned)) {
            const bool is_plain = PyUnicode_CheckExact(part.ptr()) && lines.size() < most_lines;
            std::string text =
                from_python(is_plain ? py::object(py::reinterpret_borrow<py::object>(part))
                                     : shared->line(part, lines.size() + 1));
            if (text.ends_with('\n')) text.pop_back();
            for (std::size_t end; (end = text.find('\n')) != std::string::npos;) {
                lines.push_back(text.substr(0, end));
                text.erase(0, end + 1);
            }
            lines.push_back(std::move(text));
        }
        return lines;
    }

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
                      std::string(hook) + " raised an exception that can't be shown"});
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

    static constexpr std::size_t most_lines = 100'000;  // MOST_LINES of support.py

    Gil gil_{};  // the first member, so that the lock is released last
    Hooks hooks_;
    std::string source_;
    py::object ip_{}, host_{}, headers_{};
    Fields fields_;
    std::string_view key_;
};

}  // namespace

std::unique_ptr<Call> make_call(const Hooks& hooks, std::string_view source, const Fields& fields,
                                std::string_view key) {
    return std::make_unique<PythonCall>(hooks, source, fields, key);
}

}  // namespace sftdyn::python

// SPDX-License-Identifier: GPL-3.0-or-later
// The interface of a Python conf: its settings and its hooks. Contains no Python; the plugin
// (src/python/plugin) implements it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace sftdyn::python {

/// The header fields of a request, in order. Copies share them, across threads; destroying the last
/// copy zeroizes the values.
class Fields {
public:
    using Field = std::pair<std::string, std::string>;
    using List = std::vector<Field>;

    Fields() = default;
    explicit Fields(List list) : owned_(std::make_shared<const Owned>(std::move(list))) {}
    Fields(std::initializer_list<Field> list) : Fields(List(list)) {}

    [[nodiscard]] const List& list() const {
        static const List none;
        return owned_ ? owned_->list : none;
    }

private:
    struct Owned {
        explicit Owned(List fields) : list(std::move(fields)) {}
        ~Owned() {
            for (Field& field : list) base::zeroize(field.second);
        }
        Owned(const Owned&) = delete;
        Owned& operator=(const Owned&) = delete;

        List list;
    };
    std::shared_ptr<const Owned> owned_{};
};

/// A value that a conf sets; `scalar` is empty unless the value is a bool, int, str or path.
struct Value {
    std::variant<std::monostate, bool, std::int64_t, std::string> scalar{};
    std::string type{};  ///< the name of its Python type
};

/// A name that a conf sets.
struct ConfSetting {
    std::string name{};
    std::vector<Value> values{};  ///< one, or those of a list or tuple
    unsigned line = 0;            ///< line where the conf's top level sets it; 0: set elsewhere
};

/// A row of the conf's CLIENTS dict.
struct ConfClient {
    base::Secret key{};
    Value host{};
};

/// A failure of a hook. `text` is for the log, with a traceback; it contains no part of the
/// request's secrets.
struct HookError {
    HookError() = default;
    // Without this constructor a string alone would convert to a HookError, and a result of a
    // string would be ambiguous.
    HookError(std::string of_kind, std::string said)
        : kind(std::move(of_kind)), text(std::move(said)) {}
    std::string kind;  ///< equal for equal failures
    std::string text;
};
[[noreturn]] inline void throw_exception_from_error(const HookError& failure,
                                                    const boost::source_location&) {
    throw std::logic_error("unchecked failure of a hook: " + failure.text);
}
template <class T>
using HookResult = boost::system::result<T, HookError>;

/// The hook calls of one request, on one thread, in the order of these functions. Holds the
/// interpreter's lock for its lifetime. Whatever the conf's code raises is returned as an error; no
/// Python exception is thrown.
class Call {
public:
    virtual ~Call() = default;

    /// The result of get_ip; the source when there is no such hook.
    [[nodiscard]] virtual HookResult<std::string> get_ip() = 0;
    /// The result of get_host for `key`; empty: none.
    [[nodiscard]] virtual HookResult<std::string> get_host(std::string_view key) = 0;
    /// The lines of nsupdatecommands.
    [[nodiscard]] virtual HookResult<std::vector<std::string>> nsupdate_commands(
        std::string_view host) = 0;

    /// A hook's result as the log may show it: the request's secrets, and what the conf knows as
    /// keys, are redacted.
    [[nodiscard]] virtual std::string shown(std::string_view text) = 0;
};

/// A conf that was run. It may be destroyed on any thread, without the interpreter's lock. Reading
/// its settings may run its code, for example that of a class that it defines. An error then says
/// what that code raised, without the conf's keys, and where, as `Interpreter::run` does.
class Conf {
public:
    virtual ~Conf() = default;

    /// The settings among `names` that the conf has.
    [[nodiscard]] virtual base::Result<std::vector<ConfSetting>> settings(
        const std::vector<std::string>& names) const = 0;
    /// The rows of the dict `name`; `nullopt` when there is none.
    [[nodiscard]] virtual base::Result<std::optional<std::vector<ConfClient>>> clients(
        const std::string& name) const = 0;
    /// The names of all dicts at the conf's top level that map text to text.
    [[nodiscard]] virtual base::Result<std::vector<std::string>> tables() const = 0;
    [[nodiscard]] virtual bool has_get_ip() const = 0;
    [[nodiscard]] virtual bool has_get_host() const = 0;
    [[nodiscard]] virtual bool has_nsupdate_commands() const = 0;
    /// Whether any hook uses its header fields.
    [[nodiscard]] virtual bool reads_headers() const = 0;
    /// Whether get_ip uses its key. If so, it may fail for a wrong key only.
    [[nodiscard]] virtual bool get_ip_reads_key() const = 0;

    /// `source` is the client's address; `key` is the request's key as sent, and must outlive the
    /// call.
    [[nodiscard]] virtual std::unique_ptr<Call> call(std::string_view source, const Fields& fields,
                                                     std::string_view key) const = 0;
};

/// Attaches a thread to the interpreter, so that it can run hooks. Constructed and destroyed on
/// that thread.
class Attached {
public:
    virtual ~Attached() = default;
    /// Identifies the thread for `Interpreter::interrupt`.
    [[nodiscard]] virtual std::uint64_t number() const = 0;
    /// Clears an interruption that came too late.
    virtual void clear_interrupt() = 0;
};

/// The Python interpreter, provided by the plugin. One per process; it is never finalized.
/// Thread-safe: each call takes the interpreter's lock. No Python exception is thrown.
class Interpreter {
public:
    virtual ~Interpreter() = default;

    /// Runs the file. An error's `where` has the line, if it is in that file. A conf that was run
    /// before is not affected.
    [[nodiscard]] virtual base::Result<std::shared_ptr<const Conf>> run(
        const std::string& path) = 0;
    [[nodiscard]] virtual std::unique_ptr<Attached> attach() = 0;
    /// Raises an exception in the Python code that runs on a thread, before its next instruction.
    /// Takes the interpreter's lock, for which it may wait indefinitely.
    virtual void interrupt(std::uint64_t thread) = 0;
};

/// The plugin's only symbol. Called once; the interpreter is never finalized.
constexpr const char* plugin_symbol = "sftdyn_python_interpreter";
using PluginEntry = Interpreter*(const char* version);  ///< null: wrong version, or start failed

}  // namespace sftdyn::python

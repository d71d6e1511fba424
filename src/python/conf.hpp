// SPDX-License-Identifier: GPL-3.0-or-later
// The interface of a Python conf: its settings and its hooks. Contains no Python; the plugin
// (src/python/plugin) implements it.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.hpp"
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

/// A failure of a hook.
struct HookError {
    HookError() = default;
    // Without these constructors a string alone would convert to a HookError, and a result of a
    // string would be ambiguous.
    HookError(std::string of_kind, std::function<std::string()> maker)
        : kind(std::move(of_kind)), text(std::move(maker)) {}
    HookError(std::string of_kind, std::string said)
        : HookError(std::move(of_kind), [said = std::move(said)] { return said; }) {}
    std::string kind;  ///< equal for equal failures
    /// Makes the text for the log, with a traceback; it contains no part of the request's secrets.
    /// That takes milliseconds of the interpreter's lock. To be called while the `Call` exists, and
    /// before its next hook.
    std::function<std::string()> text;
};
[[noreturn]] inline void throw_exception_from_error(const HookError& failure,
                                                    const boost::source_location&) {
    throw std::logic_error("unchecked failure of a hook: " + failure.kind);
}
template <class T>
using HookResult = boost::system::result<T, HookError>;

/// The result of a hook. `Call` keeps the Python object and passes it to the next hook. `text` is
/// set if the object is a str, bytes, or an address object of Python's.
struct Given {
    std::optional<std::string> text{};
    std::string type{};  ///< the name of its Python type, if there is no text
    bool is_true = true;
};

/// The hook calls of one request, on one thread, in the order of these functions. Holds the
/// interpreter's lock for its lifetime. An exception of the conf's code is returned as an error; no
/// Python exception is thrown.
class Call {
public:
    virtual ~Call() = default;

    /// The result of get_ip, or the source if the conf has no get_ip.
    [[nodiscard]] virtual HookResult<Given> get_ip() = 0;
    /// The result of get_host for the key.
    [[nodiscard]] virtual HookResult<Given> get_host(std::string_view key) = 0;
    /// The lines of nsupdatecommands, for the result of get_host, or for `host` without one.
    [[nodiscard]] virtual HookResult<std::vector<std::string>> nsupdate_commands(
        std::string_view host) = 0;

    /// A number for the pair of the results of get_host and get_ip. It stays the same for a host
    /// while its value compares equal in Python. 0: the value is None, and the host has had no
    /// value yet, on this or another thread. Hosts of different threads may be incomparable, and
    /// then have different numbers.
    [[nodiscard]] virtual HookResult<std::uint64_t> pair_number() = 0;
    /// The host got its value from elsewhere: its next pair gets a new number.
    virtual void forget_pair() = 0;

    /// The text of a hook for the log, with the request's secrets and the conf's keys redacted.
    [[nodiscard]] virtual std::string shown(std::string_view text) = 0;
};

/// The form of a hook's code: the hook's name, followed by the words of the form. "lookup": looks
/// the key up in a dict. "source": returns the source. "proxies" FIELD ADDRESS…: returns the header
/// field if the source is one of the addresses, else the source. "everybody" FIELD: returns the
/// field, else the source. "script": uses only host and address. No words: any other code. The name
/// "goes on": the conf runs something beside the hooks.
using HookForm = std::vector<std::string>;

/// A module that a conf has imported from its own folder.
struct ConfModule {
    std::string path;
    bool has_clients = false;  ///< has a dict that maps texts to host names
};

/// A conf that was run. May be destroyed on any thread, without the interpreter's lock; its hooks
/// must be called on the thread that it was run on. Reading its settings may run its code, such as
/// methods of its classes. An error then describes the exception and its location, as in
/// `Interpreter::run`, with the conf's keys redacted.
class Conf {
public:
    virtual ~Conf() = default;

    /// Runs the same text again on the calling thread, which makes another conf.
    [[nodiscard]] virtual base::Result<std::shared_ptr<const Conf>> run_anew() const = 0;
    /// Those of `names` that the conf sets.
    [[nodiscard]] virtual base::Result<std::vector<ConfSetting>> settings(
        const std::vector<std::string>& names) const = 0;
    /// The rows of the dict `name`; `nullopt` when there is none.
    [[nodiscard]] virtual base::Result<std::optional<std::vector<ConfClient>>> clients(
        const std::string& name) const = 0;
    /// The names of all dicts at the conf's top level that map text to text.
    [[nodiscard]] virtual base::Result<std::vector<std::string>> tables() const = 0;
    /// The settings tables that the conf has as dicts, and as lists of dicts, as lines of TOML.
    /// `known` has the settings of each table by the table's name; a name without settings is
    /// itself a setting.
    [[nodiscard]] virtual base::Result<std::vector<std::string>> settings_as_toml(
        const std::vector<std::pair<std::string, std::vector<std::string>>>& known) const {
        static_cast<void>(known);
        return std::vector<std::string>();
    }
    /// The forms of its hooks. Reads the conf's file.
    [[nodiscard]] virtual base::Result<std::vector<HookForm>> forms() const {
        return std::vector<HookForm>();
    }
    /// The modules that it has imported from its own folder.
    [[nodiscard]] virtual base::Result<std::vector<ConfModule>> modules() const {
        return std::vector<ConfModule>();
    }
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

/// The jobs of a thread that runs hooks. The functions are called on that thread.
class Jobs {
public:
    enum class Took { job, none, closed };

    virtual ~Jobs() = default;
    /// Runs the next job, if there is one. Called with the interpreter's lock held.
    virtual Took run_next() = 0;
    /// Waits until there may be a job, the descriptor (-1: none) is readable, or the time `until`.
    /// Called without the interpreter's lock.
    virtual void wait(int descriptor, std::optional<base::TimePoint> until) = 0;
};

/// A thread that runs a conf and its hooks, or that interrupts others. Constructed and destroyed on
/// that thread, without the interpreter's lock; the destructor takes it.
class Attached {
public:
    virtual ~Attached() = default;
    /// Identifies the thread for `Interpreter::interrupt`.
    [[nodiscard]] virtual std::uint64_t number() const = 0;
    /// Runs jobs until they are closed, and in between the thread's asyncio event loop, if the conf
    /// uses asyncio. Keeps the interpreter's lock between consecutive jobs.
    virtual void serve(Jobs& jobs) = 0;
    /// During `serve`: makes the call with the interpreter's lock released.
    virtual void unlocked(const std::function<void()>& call) = 0;
    /// Cancels an interrupt that came too late.
    virtual void clear_interrupt() = 0;
};

/// The Python interpreter, provided by the plugin. One per process; it is never finalized.
/// Thread-safe: each call takes the interpreter's lock. No Python exception is thrown.
class Interpreter {
public:
    virtual ~Interpreter() = default;

    /// Runs the file on the calling thread. An error's `where` has the line, if the error is in
    /// this file. Confs that were run before are not affected.
    [[nodiscard]] virtual base::Result<std::shared_ptr<const Conf>> run(
        const std::string& path) = 0;
    /// Throws std::bad_alloc if there is no memory for the thread.
    [[nodiscard]] virtual std::unique_ptr<Attached> attach() = 0;
    /// Raises an exception in the Python code that runs on a thread, before its next instruction.
    /// Takes the interpreter's lock, for which it may wait indefinitely. To be called on a thread
    /// that is attached: then it needs no memory.
    virtual void interrupt(std::uint64_t thread) = 0;
};

/// The plugin's only symbol. Called once; the interpreter is never finalized.
constexpr const char* plugin_symbol = "sftdyn_python_interpreter";
/// Null: `failure` says why; empty: the plugin is of another version.
using PluginEntry = Interpreter*(const char* version, std::string& failure);

}  // namespace sftdyn::python

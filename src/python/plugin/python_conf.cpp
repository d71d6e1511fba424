// SPDX-License-Identifier: GPL-3.0-or-later
#include "python/plugin/python_conf.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/secret.hpp"
#include "python/plugin/python_call.hpp"
#include "python/plugin/shared_objects.hpp"

namespace sftdyn::python {
namespace {

/// The conf's callable `name`, or null.
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

/// Whether a hook uses its argument at `position`.
bool reads(const py::object& hook, int position) {
    return hook && shared->support.attr("reads")(hook, position).cast<bool>();
}

/// Makes a conf of the result of `run`: its module, and the lines where its names were set.
base::Result<std::shared_ptr<const Conf>> run_as_conf(const std::string& path,
                                                      const std::function<py::object()>& run);

class PythonConf : public Conf {
public:
    PythonConf(std::string path, py::module_ module, py::dict lines, py::object source)
        : path_(std::move(path)),
          module_(std::move(module)),
          lines_(std::move(lines)),
          source_(std::move(source)),
          hooks_{hook_of(module_, "get_ip"), hook_of(module_, "get_host"),
                 hook_of(module_, "nsupdatecommands")},
          reads_headers_(reads(hooks_.get_ip, 1) || reads(hooks_.commands, 2)),
          get_ip_reads_key_(reads(hooks_.get_ip, 2)) {}
    ~PythonConf() override {
        dropped_->objects = {std::move(module_),         std::move(lines_),
                             std::move(source_),         std::move(hooks_.get_ip),
                             std::move(hooks_.get_host), std::move(hooks_.commands)};
        drop_later(std::move(dropped_));
    }
    PythonConf(const PythonConf&) = delete;
    PythonConf& operator=(const PythonConf&) = delete;

    base::Result<std::shared_ptr<const Conf>> run_anew() const override {
        const Gil gil;
        drop_now();
        return run_as_conf(path_, [this] { return shared->support.attr("run_anew")(module_); });
    }

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

    base::Result<std::vector<std::string>> settings_as_toml(
        const std::vector<std::pair<std::string, std::vector<std::string>>>& known) const override {
        return try_reading<std::vector<std::string>>([&] {
            py::dict tables;
            for (const auto& [table, settings] : known) {
                py::list names;
                for (const auto& name : settings) names.append(to_python(name));
                tables[to_python(table)] = std::move(names);
            }
            std::vector<std::string> lines;
            for (const py::handle line :
                 py::list(shared->support.attr("settings_as_toml")(module_, tables)))
                lines.push_back(from_python(line));
            return lines;
        });
    }
    base::Result<std::vector<ConfModule>> modules() const override {
        return try_reading<std::vector<ConfModule>>([&] {
            std::vector<ConfModule> found;
            for (const py::handle one : py::list(shared->support.attr("modules_beside")(module_))) {
                const auto pair = py::reinterpret_borrow<py::tuple>(one);
                found.push_back({from_python(pair[0]), pair[1].cast<bool>()});
            }
            return found;
        });
    }
    base::Result<std::vector<HookForm>> forms() const override {
        return try_reading<std::vector<HookForm>>([&] {
            std::vector<HookForm> forms;
            for (const py::handle told : py::list(shared->support.attr("forms")(module_))) {
                HookForm& form = forms.emplace_back();
                for (const py::handle word : told) form.push_back(from_python(word));
            }
            return forms;
        });
    }
    bool has_get_ip() const override { return bool(hooks_.get_ip); }
    bool has_get_host() const override { return bool(hooks_.get_host); }
    bool has_nsupdate_commands() const override { return bool(hooks_.commands); }
    bool reads_headers() const override { return reads_headers_; }
    bool get_ip_reads_key() const override { return get_ip_reads_key_; }

    std::unique_ptr<Call> call(std::string_view source, const Fields& fields,
                               std::string_view key) const override {
        auto made = make_call(hooks_, source, fields, key);  // which holds the interpreter's lock
        use_own_modules();
        return made;
    }

private:
    /// Restores the conf's own modules: another conf may have been run since, in a reload that was
    /// refused.
    void use_own_modules() const {
        static_cast<void>(guarded<bool>(
            [this] {
                const py::object active = shared->support.attr("active");
                if (!active.is(source_)) shared->support.attr("activate")(source_, module_);
                return true;
            },
            [](py::error_already_set&) { return false; }, false));
    }

    /// The result of `read`, or a diagnostic of the exception that the conf's code raised.
    template <class T, class Read>
    base::Result<T> try_reading(const Read& read) const {
        const Gil gil;
        return guarded<base::Result<T>>([&]() -> base::Result<T> { return read(); },
                                        [&](py::error_already_set& error) -> base::Result<T> {
                                            return diagnostic("fault_of_value", path_, error);
                                        },
                                        [this] { return diagnostic_of_unknown(path_); });
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
        // Copied to a list, since reading a value may run code that changes the dict.
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
    py::object source_;
    Hooks hooks_;
    bool reads_headers_;
    bool get_ip_reads_key_;
    std::unique_ptr<DroppedObjects> dropped_ = std::make_unique<DroppedObjects>();
};

base::Result<std::shared_ptr<const Conf>> run_as_conf(const std::string& path,
                                                      const std::function<py::object()>& run) {
    using Ran = base::Result<std::shared_ptr<const Conf>>;
    return guarded<Ran>(
        [&]() -> Ran {
            const py::tuple made = run();
            return std::make_shared<PythonConf>(path, made[0].cast<py::module_>(),
                                                made[1].cast<py::dict>(), py::object(made[2]));
        },
        [&](py::error_already_set& error) -> Ran {
            if (error.matches(PyExc_OSError) && error.trace().is_none())
                return base::Error{py::str(error.value()), path, ""};
            return diagnostic("fault", path, error);
        },
        [&] { return diagnostic_of_unknown(path); });
}

}  // namespace

base::Result<std::shared_ptr<const Conf>> run_conf(const std::string& path) {
    return run_as_conf(path, [&] { return shared->support.attr("run_conf")(to_python(path)); });
}

}  // namespace sftdyn::python

#include "config/toml_section.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "config/setting_names.hpp"

namespace sftdyn::config {

void TomlContext::complain(const toml::source_position& at, std::string what, std::string mend) {
    found.push_back(
        {at,
         {std::move(what), fmt::format("{}:{}:{}", path, at.line, at.column), std::move(mend)}});
}

Complaints TomlContext::complaints() {
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
    Complaints out;
    for (auto& one : found) out.push_back(std::move(one.error));
    return out;
}

std::string TomlContext::relative(const std::string& file) const {
    constexpr std::string_view credential = "credential:";
    if (!file.starts_with(credential))
        return (std::filesystem::path(path).parent_path() / file).string();
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
    // By hand, root finds there what the running service was given.
    return (std::filesystem::path(folder != nullptr ? folder : "/run/credentials/sftdyn.service") /
            file.substr(credential.size()))
        .string();
}

const toml::node* TomlSection::take(std::string_view key) {
    known_.emplace_back(key);
    return table_.get(key);
}

void TomlSection::text(std::string_view key, const char* expected,
                       const std::function<base::Result<void>(const std::string&)>& use) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::string>();
    if (!value) return wrong_type(*node, key, expected);
    const auto result = use(*value);
    if (result.has_error())
        context_.complain(node->source(), result.error().what, result.error().mend);
}

void TomlSection::path(const char* key, std::optional<std::string>& target) {
    text(key, "the path of a file", [&](const std::string& value) -> base::Result<void> {
        if (value.empty())
            return base::Error{fmt::format("{} is empty", key), "",
                               "name the file, or leave the line out"};
        // Else a text of several lines that was not meant as one would bring what it swallowed into
        // messages.
        if (has_control_characters(value))
            return base::Error{fmt::format("{} is no path of a file: it has a line break or "
                                           "another control character in it",
                                           key),
                               "", "write the path in one line, in quotation marks"};
        target = context_.relative(value);
        return {};
    });
}

std::optional<std::int64_t> TomlSection::integer(std::string_view key, std::int64_t least,
                                                 std::int64_t most) {
    const toml::node* node = take(key);
    if (node == nullptr) return std::nullopt;
    const auto expected = fmt::format("a whole number from {} to {}", least, most);
    const auto value = node->value_exact<std::int64_t>();
    if (!value) {
        wrong_type(*node, key, expected);
        return std::nullopt;
    }
    if (*value < least || *value > most) {
        out_of_range(*node, key, expected);
        return std::nullopt;
    }
    return value;
}

void TomlSection::seconds(std::string_view key, double least, double most,
                          std::chrono::milliseconds& target) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto value = node->value<double>();
    const auto expected = fmt::format("seconds, from {} to {}", least, most);
    if (!value || node->is_boolean()) return wrong_type(*node, key, expected);
    if (!(*value >= least && *value <= most)) return out_of_range(*node, key, expected);
    target = std::chrono::milliseconds(std::llround(*value * 1000));
}

void TomlSection::flag(std::string_view key, bool& target) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<bool>();
    if (!value) return wrong_type(*node, key, "true or false");
    target = *value;
}

void TomlSection::table(std::string_view key, const std::function<void(const toml::table&)>& use) {
    const toml::node* node = take(key);
    if (node == nullptr) return;
    if (!node->is_table()) return wrong_type(*node, key, fmt::format("a table: [{}]", key));
    use(*node->as_table());
}

void TomlSection::reject_unknown() {
    for (const auto& [key, node] : table_) {
        if (std::find(known_.begin(), known_.end(), key.str()) != known_.end()) continue;
        const std::string place = name_.empty() ? "" : " in " + name_;
        const std::string known = fmt::format("known here: {}", fmt::join(known_, ", "));
        const auto meant = meant_by(key.str(), name_);
        if (!meant) {
            context_.complain(key.source(), "unknown setting" + place, hint(node) + known);
        } else if (meant->section == name_) {
            context_.complain(key.source(),
                              fmt::format("unknown setting \"{}\"{}", key.str(), place),
                              fmt::format("did you mean {}? {}", meant->name, known));
        } else {
            const std::string home = meant->section.empty()
                                         ? "at the file's top, above the first [table]"
                                         : fmt::format("in {}", meant->section);
            context_.complain(key.source(),
                              fmt::format("unknown setting \"{}\"{}", key.str(), place),
                              fmt::format("{} stands {}; {}", meant->name, home, known));
        }
    }
}

std::string TomlSection::hint(const toml::node& node) const {
    const bool of_client = name_ == "a client" || name_ == "a host";
    if (of_client) return "a client's key that has a dot in it takes quotation marks; ";
    if (node.is_string() || node.is_table())
        return "if this is a client's key, it belongs below [clients]: \"key\" = "
               "\"host.example.org\"; ";
    return {};
}

void TomlSection::wrong_type(const toml::node& node, std::string_view key,
                             std::string_view expected) {
    std::ostringstream type;
    type << node.type();
    context_.complain(node.source(), fmt::format("{} is of the wrong type ({})", key, type.str()),
                      fmt::format("expected {}", expected));
}

void TomlSection::out_of_range(const toml::node& node, std::string_view key,
                               std::string_view expected) {
    context_.complain(node.source(), fmt::format("{} is out of range", key),
                      fmt::format("expected {}", expected));
}

bool has_control_characters(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

void one_or_many(const toml::node& node, const std::function<void(const toml::node&)>& use) {
    if (const auto* list = node.as_array()) {
        for (const auto& item : *list) use(item);
    } else {
        use(node);
    }
}

}  // namespace sftdyn::config

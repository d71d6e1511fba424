#include "dns/name.hpp"
#include "dns/knot.hpp"

#include <algorithm>

namespace sftdyn::dns {
namespace {

base::Error bad_name(std::string_view text, std::string why) {
    std::string shown(text.substr(0, 80));
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
    return base::Error{"\"" + shown + "\" is not a valid domain name: " + std::move(why), "", "write it as host.example.org"};
}

bool is_host_character(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

/// Why the text is not a name, as exactly as can be told.
std::string complaint(std::string_view text) {
    if (text.empty()) return "it is empty";
    std::size_t label = 0;
    for (const char c : text) {
        if (c != '.') {
            if (++label > KNOT_DNAME_MAXLABELLEN) return "a label is longer than 63 characters";
            continue;
        }
        if (label == 0 && text.size() > 1) return "a label is empty (two dots, or one at the start)";
        label = 0;
    }
    return text.size() > KNOT_DNAME_MAXLEN - 2 ? "it is longer than 253 characters" : "it is malformed";
}

}  // namespace

base::Result<Name> Name::parse(std::string_view text) {
    const std::string terminated(text);
    knot_dname_storage_t wire;
    if (text.empty() || text.find('\0') != std::string_view::npos || knot_dname_from_str(wire, terminated.c_str(), sizeof wire) == nullptr) {
        return bad_name(text, complaint(text));
    }
    knot_dname_to_lower(wire);
    return from_wire(wire);
}

base::Result<Name> Name::parse_host(std::string_view text) {
    std::string_view rest = text;
    if (rest.starts_with("*.")) rest.remove_prefix(2);
    for (const char c : rest) {
        if (c != '.' && !is_host_character(c)) {
            return bad_name(text, "it may hold letters, digits, '-', '_' and dots only");
        }
    }
    auto name = parse(text);
    if (name.has_value() && name->is_root()) return bad_name(text, "it is the root");
    return name;
}

Name Name::from_wire(const std::uint8_t* wire) {
    Name name;
    name.wire_.assign(reinterpret_cast<const char*>(wire), knot_dname_size(wire));
    knot_dname_to_lower(reinterpret_cast<std::uint8_t*>(name.wire_.data()));
    return name;
}

std::string Name::text() const {
    if (is_root()) return ".";
    knot_dname_txt_storage_t text;
    if (knot_dname_to_str(text, wire(), sizeof text) == nullptr) return "?";
    std::string out(text);
    if (out.ends_with('.')) out.pop_back();
    return out;
}

bool Name::is_within(const Name& zone) const { return knot_dname_in_bailiwick(wire(), zone.wire()) >= 0; }

Name Name::parent() const { return is_root() ? *this : from_wire(wire() + 1 + wire()[0]); }

}  // namespace sftdyn::dns
